import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGithubHost, type GithubAuth } from '../../../src/adapters/github/github-host.ts';
import { commitSha, type RepositoryRef } from '../../../src/core/repository.ts';
import { Secret } from '../../../src/lib/secret.ts';
import type { CheckRun, VcsHost } from '../../../src/ports/vcs-host.ts';
import { type GithubStub, type StubRequest, startGithubStub } from '../../support/github-stub.ts';
import { fakeClock, silentLog } from '../../unit/adapters/github/fixtures.ts';

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly answers: readonly { readonly status: number; readonly name: string; readonly body: unknown }[];
}

/** Cut out of GitHub's published OpenAPI description; see cut-openapi-examples.mjs beside it. */
const operations: Readonly<Record<string, Operation>> = JSON.parse(
  readFileSync(new URL('../../fixtures/github/openapi-examples.json', import.meta.url), 'utf8'),
);

const patterns = Object.entries(operations)
  .map(([id, operation]) => ({
    id,
    operation,
    // A literal path is preferred to one with parameters of the same length.
    literal: operation.path.replaceAll(/\{\w+\}/g, '').length,
    matches: new RegExp(`^${operation.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  }))
  .sort((one, other) => other.literal - one.literal);

const called = new Set<string>();
/** Which of several examples is served; the first unless a test says otherwise. */
const chosen = new Map<string, number>();

function serve(request: StubRequest) {
  // Repositories are asked for by their id, too, which the description leaves out.
  const path = (request.path.split('?')[0] ?? '').replace(/^\/repositories\/1296269\//, '/repos/octocat/Hello-World/');
  const found = patterns.find(({ operation, matches }) => operation.method === request.method && matches.test(path));
  if (!found) return undefined;
  called.add(found.id);
  const answers = found.operation.answers;
  const answer = answers.find(({ status }) => status === chosen.get(found.id)) ?? answers[0];
  return answer && { status: answer.status, json: answer.body };
}

const octocat = { id: '1', login: 'octocat' };
const HEAD = commitSha('6dcb09b5b57875f334f61aebed695e2e4193db5e');
let stub: GithubStub;
let ref: RepositoryRef;
const hosts = new Map<string, VcsHost>();

function hostWith(auth: GithubAuth): VcsHost {
  return createGithubHost({
    apiUrl: stub.url,
    cloneUrlTemplate: 'https://github.test/{owner}/{repo}.git',
    auth,
    log: silentLog,
    // The example of an installation token ends on 2016-07-11T22:14:10Z.
    clock: fakeClock(Date.parse('2016-07-11T21:20:00Z')),
  });
}

beforeAll(async () => {
  stub = await startGithubStub(serve);
  ref = { host: '127.0.0.1', id: '1296269', owner: 'octocat', name: 'Hello-World' };
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  hosts.set('token', hostWith({ kind: 'token', token: new Secret('t') }));
  hosts.set('app', hostWith({ kind: 'app', appId: '1', privateKey: new Secret(pem) }));
});
afterAll(() => stub.close());

const host = (mode: string): VcsHost => {
  const found = hosts.get(mode);
  if (!found) throw new Error(mode);
  return found;
};

describe.each(['token', 'app'])("GitHub's published answers, read with the %s", (mode) => {
  test('a repository', async () => {
    const expected = { id: '1296269', owner: 'octocat', name: 'Hello-World', archived: false, private: false };
    expect(await host(mode).getRepository(ref)).toMatchObject(expected);
    expect(await host(mode).findRepository('octocat/Hello-World')).toMatchObject(expected);
  });

  test('a pull request', async () => {
    const pull = await host(mode).getPullRequest(ref, 1347);
    expect(pull).toMatchObject({
      number: 1347,
      state: 'open',
      draft: false,
      fork: false,
      author: octocat,
      headSha: HEAD,
      headRef: 'new-topic',
      baseRef: 'master',
      labels: ['bug'],
    });
    expect(await host(mode).listOpenPullRequests(ref)).toMatchObject([{ number: 1347, headRef: 'new-topic' }]);
    expect(await host(mode).findPullRequestsOfCommit(ref, HEAD)).toEqual([1347]);
  });

  test('people', async () => {
    expect(await host(mode).getPermission(ref, octocat)).toBe('admin');
    expect(await host(mode).isTeamMember('github', 'justice-league', octocat)).toBe(true);
    const [review] = await host(mode).listReviews(ref, 1347);
    expect(review).toMatchObject({ reviewer: octocat, state: 'approved' });
    const pull = await host(mode).getPullRequest(ref, 1347);
    const pushed = { ...pull, headSha: commitSha('827efc6d56897b048c772eb4087f854f46256132') };
    expect(await host(mode).findLastPusher(pushed)).toEqual(octocat);
    expect(await host(mode).findLastPusher(pull)).toBeUndefined();
  });

  test('comments and reactions', async () => {
    expect(await host(mode).createComment(ref, 1347, 'Me too')).toMatchObject({
      id: '1',
      nodeId: 'MDEyOklzc3VlQ29tbWVudDE=',
    });
    expect(await host(mode).updateComment(ref, '1', 'Me too')).toBe(true);
    for (const status of [200, 201]) {
      chosen.set('reactions/create-for-issue-comment', status);
      await host(mode).addReaction(ref, '1', 'eyes');
    }
  });

  test('issues', async () => {
    const order = { title: 'Found a bug', body: 'b', labels: [], assignees: ['octocat'] };
    expect(await host(mode).createIssue(ref, order)).toMatchObject({ kind: 'created', number: 1347, unassigned: [] });
    expect(await host(mode).updateIssue(ref, 1347, { state: 'completed' })).toMatchObject({ kind: 'updated' });
    expect(await host(mode).getIssue(ref, 1347)).toMatchObject({
      kind: 'found',
      issue: { number: 1347, state: 'open', locked: true, labels: ['bug'], assignees: ['octocat'] },
    });
    expect(await host(mode).createIssueComment(ref, 1347, 'Me too')).toMatchObject({ comment: { id: '1' } });
  });

  test('a commit status', async () => {
    await host(mode).setCommitStatus(ref, HEAD, {
      context: 'c',
      state: 'success',
      description: 'd',
      url: 'https://h.test',
    });
  });

  test('a merge, done and refused', async () => {
    const pull = await host(mode).getPullRequest(ref, 1347);
    const outcomes = [];
    for (const status of [200, 405, 409]) {
      chosen.set('pulls/merge', status);
      outcomes.push(await host(mode).mergePullRequest(pull, HEAD, 'merge'));
    }
    expect(outcomes).toEqual([
      { kind: 'merged', sha: HEAD },
      { kind: 'refused', reason: 'Pull Request is not mergeable' },
      { kind: 'head_moved' },
    ]);
  });
});

describe('what only one of them can', () => {
  test("the token's user", async () => {
    expect(await host('token').whoAmI()).toEqual(octocat);
    expect(await host('token').checkAccess()).toEqual([]);
    expect(await host('token').findOwnComment(ref, 1347, 'Me')).toMatchObject({ id: '1' });
    // The one example of the list has a pull request's link, as all of them once had.
    expect(await host('token').findOwnIssue(ref, 'I', new Date())).toBeUndefined();
  });

  test("the App's account", async () => {
    expect(await host('app').whoAmI()).toMatchObject({ id: '1' });
    expect((await host('app').getGitSource(ref)).password?.reveal()).toBe('ghs_16C7e42F292c6912E7710c838347Ae178B4a');
  });

  test("the App's check run", async () => {
    const run: CheckRun = {
      name: 'mighty_readme',
      headSha: commitSha('ce587453ced02b1526dfb4cb910479d431683101'),
      externalId: '42',
      url: 'https://example.com',
      status: 'in_progress',
      conclusion: undefined,
      title: 'Mighty Readme report',
      summary: '',
      actions: [],
    };
    const id = await host('app').createCheckRun(ref, run);
    expect(id).toBe('4');
    const completed = { ...run, status: 'completed', conclusion: 'neutral' } as const;
    expect(await host('app').updateCheckRun(ref, id, completed)).toBe(true);
  });

  test("the App's deliveries: those of the example were received", async () => {
    expect(await host('app').listFailedDeliveries(new Date('2019-06-01T00:00:00Z'))).toEqual([]);
  });

  test("the App's access: the example lacks what Holdfast needs", async () => {
    const problems = await host('app').checkAccess();
    expect(problems.join('\n')).toMatch(/The App lacks permissions: .*checks: write/);
    expect(problems.join('\n')).toMatch(/not subscribed to: .*check_run/);
    expect(problems.join('\n')).toMatch(/octocat|github/);
  });

  test('the rules of a branch', async () => {
    const { branchRequirements } = await import('../../../src/adapters/github/branch-requirements.ts');
    const rules = operations['repos/get-branch-rules']?.answers[0]?.body;
    expect(branchRequirements(null, rules as never)).toMatchObject({ checks: [], approvals: 0, unreadable: [] });
  });
});

test('every operation that has an example here was asked for, but those that only a blocked merge asks', () => {
  const blockedOnly = [
    'pulls/list-commits',
    'repos/compare-commits-with-basehead',
    'repos/get-branch',
    'repos/get-branch-rules',
  ];
  const left = Object.keys(operations).filter((id) => !called.has(id) && !blockedOnly.includes(id));
  expect(left).toEqual([]);
});
