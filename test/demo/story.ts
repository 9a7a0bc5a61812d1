import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Demo } from './start-demo.ts';
import { until } from '../support/until.ts';

const BOT = 'holdfast-bot';

/** The main job from a pull request to a live object. Throws with the reason when a chapter does not come true. */
export async function playStory(
  { github, repository, files, cloudDirectory, holdfast }: Demo,
  say: (text: string) => void,
): Promise<void> {
  const comments = (pull: Parameters<typeof github.comments>[0]): readonly string[] =>
    github
      .comments(pull)
      .filter((comment) => comment.author.login === BOT)
      .map((comment) => comment.body);
  const wait = async <T>(what: string, find: () => T | undefined): Promise<T> => {
    try {
      return await until(find);
    } catch {
      throw new Error(`${what} did not happen. Holdfast's log:\n${holdfast.log().slice(-4_000)}`);
    }
  };

  say('\n1. ann opens a pull request: the shop gets a third replica.');
  const file = 'app/main.tf';
  const pull = await github.openPullRequest(repository, {
    author: 'ann',
    title: 'A third replica for the shop',
    branch: 'third-replica',
    files: { [file]: (files[file] ?? '').replace('replicas = 2', 'replicas = 3') },
  });
  const plan = await wait('the plan comment', () =>
    comments(pull).find((body) => body.startsWith('<!-- holdfast:plan:') && body.includes('```diff')),
  );
  say('   Holdfast planned it and commented:\n');
  say(indent(plan));

  say('\n2. bob reviews and approves.');
  github.review(pull, 'bob', 'APPROVED', 'Looks good.');

  say('\n3. ann comments `holdfast apply`.');
  github.comment(pull, 'ann', 'holdfast apply');
  const applied = await wait('the apply', () => comments(pull).find((body) => body.startsWith('<!-- holdfast:reply:')));
  say(indent(applied));

  say('\n4. The live objects:');
  for (const name of (await readdir(cloudDirectory)).filter((entry) => entry.endsWith('.json'))) {
    say(indent(`${name}: ${await readFile(join(cloudDirectory, name), 'utf8')}`));
  }

  say('\n5. ann merges.');
  await github.merge(pull, 'ann');
  await github.settled();
  github.assertClean();
  say('   Merged; the project locks are given back.');
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `   | ${line}`)
    .join('\n');
}
