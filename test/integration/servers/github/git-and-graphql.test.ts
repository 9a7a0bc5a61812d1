import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { clientOf, jwtOf, REPO, type SmallGithub, smallGithub } from './small-github.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'git-client-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A git of nobody's configuration, with this token as its password. */
async function git(token: string | undefined, ...args: string[]) {
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  const header = token === undefined ? [] : ['-c', `http.extraHeader=Authorization: Basic ${basic}`];
  const env = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_TERMINAL_PROMPT: '0', HOME: folder };
  return await execa('git', [...header, ...args], { env, cwd: folder, reject: false, timeout: 8_000 });
}

const address = (small: SmallGithub) => `${small.github.url}/acme/infra.git`;

async function commitIn(checkout: string): Promise<void> {
  const author = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com'];
  await git(undefined, '-C', checkout, ...author, 'commit', '--quiet', '--allow-empty', '-m', 'More');
}

describe('git', () => {
  test('a push moves the pull request and its ref', async () => {
    await using small = await smallGithub();
    const token = small.github.createToken('ann');
    expect((await git(token, 'clone', '--quiet', '-b', small.pull.headRef, address(small), 'work')).exitCode).toBe(0);
    await commitIn(join(folder, 'work'));
    const pushed = await git(token, '-C', 'work', 'push', '--quiet', 'origin', 'HEAD');
    expect(pushed.stderr).toBe('');
    const { stdout: head } = await git(undefined, '-C', 'work', 'rev-parse', 'HEAD');
    expect(small.pull.headSha).toBe(head);
    const { stdout } = await git(token, 'ls-remote', address(small), 'refs/pull/1/head');
    expect(stdout).toContain(head);
  });

  test('refs of pull requests cannot be pushed to', async () => {
    await using small = await smallGithub();
    const token = small.github.createToken('ann');
    await git(token, 'clone', '--quiet', address(small), 'work');
    const pushed = await git(token, '-C', 'work', 'push', 'origin', 'HEAD:refs/pull/1/head');
    expect(pushed.exitCode).not.toBe(0);
    expect(pushed.stderr).toMatch(/hidden ref/);
  });

  test('a pull request from a fork is fetched from the base repository', async () => {
    await using small = await smallGithub();
    const pull = await small.github.openPullRequest(small.repository, {
      author: 'eve',
      title: 'Fork',
      files: { 'f.tf': '' },
      fork: true,
    });
    await git(small.token, 'init', '--quiet', 'work');
    const fetched = await git(
      small.token,
      '-C',
      'work',
      'fetch',
      '--quiet',
      address(small),
      `refs/pull/${pull.issue.number}/head`,
    );
    expect(fetched.exitCode).toBe(0);
    expect((await small.api('GET', `${REPO}/pulls/${pull.issue.number}`)).body['head']).toMatchObject({
      label: `eve:${pull.headRef}`,
      sha: pull.headSha,
    });
    const fork = pull.headRepository;
    if (fork !== undefined) small.github.deleteRepository(fork);
    expect((await small.api('GET', `${REPO}/pulls/${pull.issue.number}`)).body['head']).toMatchObject({ repo: null });
  });

  test('401 without a credential, 404 for strangers, 403 for readers who push and for archives', async () => {
    await using small = await smallGithub();
    const { github } = small;
    const list = async (token: string | undefined) => (await git(token, 'ls-remote', address(small))).stderr;
    expect(await list(undefined)).toMatch(/could not read Username|Authentication failed/);
    expect(await list('wrong')).toMatch(/Authentication failed|could not read Username/);
    expect(await list(github.createToken('mallory'))).toMatch(/not found/);
    const reader = github.createToken('eve');
    expect(await list(reader)).toBe('');
    await git(reader, 'clone', '--quiet', address(small), 'work');
    expect((await git(reader, '-C', 'work', 'push', 'origin', 'HEAD:refs/heads/new')).stderr).toMatch(/403/);
    github.archiveRepository(small.repository);
    expect((await git(small.token, '-C', 'work', 'push', 'origin', 'HEAD:refs/heads/new')).stderr).toMatch(/403/);
  });

  test('an installation token reads with contents: read, its own repositories only', async () => {
    await using small = await smallGithub();
    const { github, repository } = small;
    const other = await github.createRepository({ owner: 'acme', name: 'other', files: { a: '' } });
    const app = github.createApp({
      name: 'App',
      owner: 'acme',
      permissions: { contents: 'read', issues: 'read' },
      events: [],
    });
    const installation = github.installApp(app, 'acme');
    const mint = async (body: unknown) => {
      const answer = await clientOf(github.apiUrl, jwtOf(app))(
        'POST',
        `/app/installations/${installation.id}/access_tokens`,
        body,
      );
      return String(answer.body['token']);
    };
    const exit = async (token: string) => (await git(token, 'ls-remote', address(small))).exitCode;
    expect(await exit(await mint({ repository_ids: [repository.id], permissions: { contents: 'read' } }))).toBe(0);
    expect(await exit(await mint({ repository_ids: [other.id] }))).not.toBe(0);
    expect(await exit(await mint({ permissions: { issues: 'read' } }))).not.toBe(0);
  });
});

const PULL = `query($number: Int!) { repository(owner: "acme", name: "infra") { pullRequest(number: $number) {
  isDraft headRefOid mergeable mergeStateStatus reviewDecision
  latestOpinionatedReviews(first: 10) { nodes { state author { login } commit { oid } } }
  commits(last: 1) { nodes { commit { statusCheckRollup { state contexts(first: 10) { nodes {
    __typename ... on StatusContext { context state } ... on CheckRun { name conclusion } } } } } } } } } }`;

describe('GraphQL', () => {
  const ask = async (small: SmallGithub, query: string, variables: unknown = {}) =>
    (await small.api('POST', '/graphql', { query, variables })).body;

  test('answers what decides a merge, by the published schema, under both addresses', async () => {
    await using small = await smallGithub();
    const { github, pull } = small;
    await small.api('POST', `${REPO}/statuses/${pull.headSha}`, { state: 'success', context: 'ci' });
    github.review(pull, 'bob', 'CHANGES_REQUESTED');
    github.review(pull, 'bob', 'APPROVED');
    github.review(pull, 'bob', 'COMMENTED', 'by the way');
    const first = await ask(small, PULL, { number: 1 });
    expect(first).toMatchObject({
      data: {
        repository: { pullRequest: { mergeable: 'UNKNOWN', mergeStateStatus: 'UNKNOWN', reviewDecision: null } },
      },
    });
    github.protectBranch(small.repository, 'main', { approvals: 1 });
    const enterprise = await fetch(`${github.url}/api/graphql`, {
      method: 'POST',
      headers: { authorization: `bearer ${small.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query: PULL, variables: { number: 1 } }),
    });
    expect(await enterprise.json()).toEqual({
      data: {
        repository: {
          pullRequest: {
            isDraft: false,
            headRefOid: pull.headSha,
            mergeable: 'MERGEABLE',
            mergeStateStatus: 'CLEAN',
            reviewDecision: 'APPROVED',
            latestOpinionatedReviews: {
              nodes: [{ state: 'APPROVED', author: { login: 'bob' }, commit: { oid: pull.headSha } }],
            },
            commits: {
              nodes: [
                {
                  commit: {
                    statusCheckRollup: {
                      state: 'SUCCESS',
                      contexts: { nodes: [{ __typename: 'StatusContext', context: 'ci', state: 'SUCCESS' }] },
                    },
                  },
                },
              ],
            },
          },
        },
      },
    });
    github.assertClean();
  });

  test('shows the protection of a branch to administrators only, with the App a check is pinned to', async () => {
    await using small = await smallGithub();
    const { github, repository } = small;
    const app = github.createApp({ name: 'CI', owner: 'acme', permissions: {}, events: [] });
    github.protectBranch(repository, 'main', { checks: ['lint', { context: 'ci', appId: app.id }], strict: true });
    const query = `{ repository(owner: "acme", name: "infra") { pullRequest(number: 1) { baseRef { branchProtectionRule {
      requiresStrictStatusChecks requiredStatusChecks { context app { databaseId } } lockBranch } } } } }`;
    expect(await ask(small, query)).toEqual({
      data: { repository: { pullRequest: { baseRef: { branchProtectionRule: null } } } },
    });
    const owner = clientOf(github.apiUrl, github.createToken('acme'));
    const requiredStatusChecks = [
      { context: 'lint', app: null },
      { context: 'ci', app: { databaseId: app.id } },
    ];
    const branchProtectionRule = { requiresStrictStatusChecks: true, requiredStatusChecks, lockBranch: false };
    const { body } = await owner('POST', '/graphql', { query });
    expect(body).toEqual({ data: { repository: { pullRequest: { baseRef: { branchProtectionRule } } } } });
  });

  test('minimises a comment for those who may, and counts it as a write', async () => {
    await using small = await smallGithub();
    const comment = small.github.comment(small.pull, 'ann', 'old');
    const mutation = `mutation($id: ID!) { minimizeComment(input: { subjectId: $id, classifier: OUTDATED }) {
      minimizedComment { isMinimized minimizedReason } } }`;
    small.github.clearBooks();
    const done = await ask(small, mutation, { id: comment.nodeId });
    expect(done['data']).toEqual({
      minimizeComment: { minimizedComment: { isMinimized: true, minimizedReason: 'outdated' } },
    });
    expect(small.github.counts).toEqual({ calls: 1, writes: 1 });
    const eve = clientOf(small.github.apiUrl, small.github.createToken('eve'));
    const refused = await eve('POST', '/graphql', { query: mutation, variables: { id: comment.nodeId } });
    expect(refused.body['errors']).toMatchObject([{ type: 'FORBIDDEN' }]);
    const missing = await ask(small, mutation, { id: 'IC_nothing' });
    expect(missing['errors']).toMatchObject([{ type: 'NOT_FOUND' }]);
  });

  test('a query outside the schema, without bounds, or for a field not served, is told and kept', async () => {
    await using small = await smallGithub();
    const wrong = await ask(small, '{ viewer { shoeSize } }');
    expect(wrong['errors']).toMatchObject([{ message: expect.stringMatching(/shoeSize/) as string }]);
    expect(small.github.violations).toHaveLength(1);
    small.github.clearBooks();
    const unbounded = await ask(small, '{ repository(owner: "acme", name: "infra") { pullRequests { totalCount } } }');
    expect(unbounded['errors']).toMatchObject([{ type: 'MISSING_PAGINATION_BOUNDARIES' }]);
    await ask(small, '{ repository(owner: "acme", name: "infra") { diskUsage } }');
    expect(small.github.unexpected).toEqual(['GraphQL Repository.diskUsage']);
  });

  test('needs a credential, and hides what the caller does not see', async () => {
    await using small = await smallGithub();
    const query = '{ repository(owner: "acme", name: "infra") { databaseId } }';
    expect((await clientOf(small.github.apiUrl, undefined)('POST', '/graphql', { query })).status).toBe(403);
    expect((await clientOf(small.github.apiUrl, 'wrong')('POST', '/graphql', { query })).status).toBe(401);
    const mallory = clientOf(small.github.apiUrl, small.github.createToken('mallory'));
    expect((await mallory('POST', '/graphql', { query })).body).toMatchObject({
      data: { repository: null },
      errors: [{ type: 'NOT_FOUND' }],
    });
  });
});
