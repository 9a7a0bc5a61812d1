import type { Clock } from '../../../../src/adapters/github/clock.ts';
import { createGithubHost, type GithubHostOptions } from '../../../../src/adapters/github/github-host.ts';
import type { PullRequest } from '../../../../src/core/pull-request.ts';
import { commitSha, type RepositoryRef } from '../../../../src/core/repository.ts';
import { Secret } from '../../../../src/lib/secret.ts';

export const HEAD = commitSha('a'.repeat(40));
export const BASE = commitSha('b'.repeat(40));
export const REF: RepositoryRef = { host: '127.0.0.1', id: '7', owner: 'acme', name: 'infra' };

export const silentLog = { debug: () => undefined, warn: () => undefined };

/** A clock whose sleeps take no time but move it on; what was slept is noted. */
export function fakeClock(start = 1_800_000_000_000): Clock & { readonly slept: number[]; advance(ms: number): void } {
  let now = start;
  const slept: number[] = [];
  return {
    slept,
    advance: (ms) => {
      now += ms;
    },
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      now += ms;
    },
  };
}

export function tokenHost(apiUrl: string, options: Partial<GithubHostOptions> = {}) {
  return createGithubHost({
    apiUrl,
    cloneUrlTemplate: 'https://github.test/{owner}/{repo}.git',
    auth: { kind: 'token', token: new Secret('t0ken') },
    log: silentLog,
    clock: fakeClock(),
    ...options,
  });
}

export const apiRepository = {
  id: 7,
  name: 'infra',
  full_name: 'acme/infra',
  owner: { id: 1, login: 'acme' },
  default_branch: 'main',
  archived: false,
  private: true,
  html_url: 'https://github.test/acme/infra',
};

export const apiPull = {
  number: 12,
  node_id: 'PR_12',
  title: 'Add a bucket',
  html_url: 'https://github.test/acme/infra/pull/12',
  state: 'open',
  draft: false,
  merged: false,
  merged_at: null,
  user: { id: 2, login: 'ada' },
  labels: [{ name: 'infra' }],
  head: { sha: HEAD, ref: 'bucket', repo: { id: 7 } },
  base: { sha: BASE, ref: 'main', repo: apiRepository },
};

export const pullRequest: PullRequest = {
  repository: { ...REF, defaultBranch: 'main', archived: false, private: true, url: apiRepository.html_url },
  number: 12,
  title: 'Add a bucket',
  url: apiPull.html_url,
  state: 'open',
  draft: false,
  fork: false,
  author: { id: '2', login: 'ada' },
  headSha: HEAD,
  headRef: 'bucket',
  baseRef: 'main',
  baseSha: BASE,
  labels: ['infra'],
  nodeId: 'PR_12',
};
