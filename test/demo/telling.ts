import type { GithubServer } from '../servers/github/github-server.ts';
import { until } from '../support/until.ts';
import type { Demo } from './start-demo.ts';

export const BOT = 'holdfast-bot';

type Conversation = Parameters<GithubServer['comments']>[0];

/** What Holdfast wrote on a pull request or an issue, oldest first. */
export function saidBy({ github }: Demo, on: Conversation): readonly string[] {
  return github
    .comments(on)
    .filter((comment) => comment.author.login === BOT)
    .map((comment) => comment.body);
}

/** Throws with Holdfast's log when it does not come true. */
export async function waitFor<T>({ holdfast }: Demo, what: string, find: () => T | undefined): Promise<T> {
  try {
    return await until(find);
  } catch {
    throw new Error(`${what} did not happen. Holdfast's log:\n${holdfast.log().slice(-4_000)}`);
  }
}

export function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `   | ${line}`)
    .join('\n');
}
