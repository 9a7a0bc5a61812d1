import { createSign } from 'node:crypto';
import {
  createGithubServer,
  type GithubServer,
  type GithubServerOptions,
} from '../../../servers/github/github-server.ts';
import type { App, PullRequest, Repository } from '../../../servers/github/state/model.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  /** The same, when the answer is a list. */
  readonly list: readonly Record<string, unknown>[];
}

/** A bare client, because Octokit hides retries, redirects and refusals. */
export function clientOf(base: string, token: string | undefined) {
  return async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(`${base}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed: unknown = text === '' ? {} : JSON.parse(text);
    return {
      status: response.status,
      headers: response.headers,
      body: parsed as Record<string, unknown>,
      list: Array.isArray(parsed) ? (parsed as Record<string, unknown>[]) : [],
    };
  };
}

export type Client = ReturnType<typeof clientOf>;

export interface SmallGithub extends AsyncDisposable {
  readonly github: GithubServer;
  readonly repository: Repository;
  readonly pull: PullRequest;
  /** Of a user with write permission. */
  readonly token: string;
  readonly api: Client;
}

/** One private repository with one open pull request: ann (write) wrote it, bob maintains, eve reads, mallory has nothing. */
export async function smallGithub(options: GithubServerOptions = {}): Promise<SmallGithub> {
  const github = await createGithubServer(options);
  github.createUser('mallory');
  const repository = await github.createRepository({
    owner: 'acme',
    name: 'infra',
    files: { 'main.tf': 'a\n', 'modules/x/main.tf': 'x\n' },
    roles: { bot: 'write', ann: 'write', bob: 'maintain', tim: 'triage', eve: 'read' },
  });
  const pull = await github.openPullRequest(repository, {
    author: 'ann',
    title: 'Change a',
    files: { 'main.tf': 'b\n' },
  });
  const token = github.createToken('bot');
  const api = clientOf(github.apiUrl, token);
  return { github, repository, pull, token, api, [Symbol.asyncDispose]: () => github.close() };
}

/** Signed by hand, so that each claim can be wrong. */
export function jwtOf(app: App, claims: Record<string, unknown> = {}, algorithm = 'RS256'): string {
  const now = Math.floor(Date.now() / 1000);
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsigned = `${encode({ alg: algorithm, typ: 'JWT' })}.${encode({ iss: app.id, iat: now - 60, exp: now + 540, ...claims })}`;
  return `${unsigned}.${createSign('RSA-SHA256').update(unsigned).sign(app.privateKey, 'base64url')}`;
}

export const REPO = '/repos/acme/infra';
