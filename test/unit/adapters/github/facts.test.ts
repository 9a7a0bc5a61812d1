import { afterEach, describe, expect, test } from 'vitest';
import { HostRefusedError } from '../../../../src/core/host-error.ts';
import { type GithubStub, routes, type StubAnswer, startGithubStub } from '../../../support/github-stub.ts';
import { apiPull, apiRepository, HEAD, pullRequest, REF, tokenHost } from './fixtures.ts';

let stub: GithubStub;
afterEach(() => stub.close());

async function hostWith(table: Parameters<typeof routes>[0]) {
  stub = await startGithubStub(routes(table));
  return tokenHost(stub.url);
}

const notFound: StubAnswer = { status: 404, json: { message: 'Not Found' } };

describe('a repository', () => {
  test('is read by its name', async () => {
    const host = await hostWith({ 'GET /repos/acme/infra': { json: apiRepository } });
    expect(await host.getRepository(REF)).toEqual(pullRequest.repository);
    expect(stub.calls()).toEqual(['GET /repos/acme/infra']);
  });

  test('is read by its id when the name belongs to another repository now', async () => {
    const host = await hostWith({
      'GET /repos/acme/infra': { json: { ...apiRepository, id: 99 } },
      'GET /repositories/7': { json: { ...apiRepository, name: 'platform' } },
    });
    expect(await host.getRepository(REF)).toMatchObject({ id: '7', name: 'platform' });
  });

  test('is not found as undefined when looked up by name, and as a refusal when it should be there', async () => {
    const host = await hostWith({});
    expect(await host.findRepository('acme/infra')).toBeUndefined();
    expect(await host.findRepository('acme')).toBeUndefined();
    await expect(host.getRepository(REF)).rejects.toBeInstanceOf(HostRefusedError);
  });
});

describe('a pull request', () => {
  const path = 'GET /repos/acme/infra/pulls/12';

  test('is what the API says', async () => {
    const host = await hostWith({ [path]: { json: apiPull } });
    expect(await host.getPullRequest(REF, 12)).toEqual(pullRequest);
  });

  test('is of a fork when its head is elsewhere, or nowhere any more', async () => {
    const heads = [
      { ...apiPull.head, repo: { id: 8 } },
      { ...apiPull.head, repo: null },
    ];
    const host = await hostWith({ [path]: () => ({ json: { ...apiPull, head: heads.shift() } }) });
    expect((await host.getPullRequest(REF, 12)).fork).toBe(true);
    expect((await host.getPullRequest(REF, 12)).fork).toBe(true);
  });

  test('is merged, closed or open', async () => {
    const states = [
      { state: 'closed', merged: true, merged_at: '2026-01-01T00:00:00Z' },
      { state: 'closed' },
      { state: 'open' },
    ];
    const host = await hostWith({ [path]: () => ({ json: { ...apiPull, ...states.shift() } }) });
    const seen = [];
    for (let n = 0; n < 3; n += 1) seen.push((await host.getPullRequest(REF, 12)).state);
    expect(seen).toEqual(['merged', 'closed', 'open']);
  });

  test('that is not there yet is asked for again, a bounded number of times', async () => {
    const answers = [notFound, { json: apiPull }];
    const host = await hostWith({ [path]: () => answers.shift() ?? notFound });
    expect(await host.getPullRequest(REF, 12)).toMatchObject({ number: 12 });
    await expect(host.getPullRequest(REF, 12)).rejects.toMatchObject({ status: 404 });
    expect(stub.requests).toHaveLength(5);
  });

  test('is asked for under the new name when another repository took the old one', async () => {
    const other = { ...apiPull, base: { ...apiPull.base, repo: { ...apiRepository, id: 99 } } };
    const moved = { ...apiRepository, name: 'platform' };
    const host = await hostWith({
      [path]: { json: other },
      'GET /repos/acme/infra': { json: { ...apiRepository, id: 99 } },
      'GET /repositories/7': { json: moved },
      'GET /repos/acme/platform/pulls/12': { json: { ...apiPull, base: { ...apiPull.base, repo: moved } } },
    });
    expect((await host.getPullRequest(REF, 12)).repository).toMatchObject({ id: '7', name: 'platform' });
  });
});

describe('open pull requests', () => {
  test('are listed over all pages', async () => {
    const host = await hostWith({
      'GET /repos/acme/infra/pulls': ({ path }) =>
        path.includes('page=2')
          ? { json: [{ ...apiPull, number: 13 }] }
          : { json: [apiPull], headers: { link: `<${stub.url}/repos/acme/infra/pulls?page=2>; rel="next"` } },
    });
    expect((await host.listOpenPullRequests(REF)).map((pull) => pull.number)).toEqual([12, 13]);
  });

  test('are looked through for a commit the host does not place, as it lives in a fork', async () => {
    const host = await hostWith({
      [`GET /repos/acme/infra/commits/${HEAD}/pulls`]: { json: [] },
      'GET /repos/acme/infra/pulls': {
        json: [apiPull, { ...apiPull, number: 13, head: { ...apiPull.head, sha: 'c'.repeat(40) } }],
      },
    });
    expect(await host.findPullRequestsOfCommit(REF, HEAD)).toEqual([12]);
  });
});

describe('people', () => {
  const ada = { id: '2', login: 'ada' };
  const permission = 'GET /repos/acme/infra/collaborators/ada/permission';

  test.each([
    [{ permission: 'admin', role_name: 'admin' }, 'admin'],
    [{ permission: 'write', role_name: 'maintain' }, 'write'],
    [{ permission: 'read', role_name: 'triage' }, 'triage'],
    [{ permission: 'write', role_name: 'our-own-role' }, 'write'],
    [{ permission: 'none', role_name: 'none' }, 'none'],
    [{ permission: 'read' }, 'read'],
  ])('%o is %s', async (answer, expected) => {
    const host = await hostWith({ [permission]: { json: { ...answer, user: { id: 2, login: 'ada' } } } });
    expect(await host.getPermission(REF, ada)).toBe(expected);
  });

  test('have no permission when unknown, or when their login belongs to somebody else now', async () => {
    const host = await hostWith({ [permission]: { json: { permission: 'admin', user: { id: 3, login: 'ada' } } } });
    expect(await host.getPermission(REF, ada)).toBe('none');
    expect(await host.getPermission(REF, { id: '5', login: 'bob' })).toBe('none');
  });

  test('are in a team when their membership is active', async () => {
    const states = ['active', 'pending'];
    const host = await hostWith({
      'GET /orgs/acme/teams/platform/memberships/ada': () => ({ json: { state: states.shift() } }),
    });
    expect(await host.isTeamMember('acme', 'platform', ada)).toBe(true);
    expect(await host.isTeamMember('acme', 'platform', ada)).toBe(false);
    expect(await host.isTeamMember('acme', 'platform', { id: '5', login: 'bob' })).toBe(false);
  });

  test('pushed last when the activity of the branch says so', async () => {
    const host = await hostWith({
      'GET /repos/acme/infra/activity': {
        json: [
          { after: 'd'.repeat(40), actor: { id: 9, login: 'eve' } },
          { after: HEAD, actor: { id: 2, login: 'ada' } },
        ],
      },
    });
    expect(await host.findLastPusher(pullRequest)).toEqual(ada);
    expect(stub.requests[0]?.path).toContain('ref=refs%2Fheads%2Fbucket');
    expect(await host.findLastPusher({ ...pullRequest, fork: true })).toBeUndefined();
  });
});

describe('reviews', () => {
  test('count once per person: the last that is an opinion', async () => {
    const by = (id: number, state: string, commit: string | null = HEAD) => ({
      user: { id, login: `u${id}` },
      state,
      commit_id: commit,
      submitted_at: '2026-01-01T00:00:00Z',
    });
    const host = await hostWith({
      'GET /repos/acme/infra/pulls/12/reviews': {
        json: [
          by(1, 'APPROVED'),
          by(1, 'COMMENTED'),
          by(2, 'APPROVED'),
          by(2, 'CHANGES_REQUESTED'),
          by(3, 'DISMISSED'),
          by(4, 'APPROVED', null),
          { ...by(5, 'APPROVED'), user: null },
          by(6, 'PENDING'),
        ],
      },
    });
    const reviews = await host.listReviews(REF, 12);
    expect(reviews.map((review) => [review.reviewer.id, review.state, review.commitSha])).toEqual([
      ['1', 'approved', HEAD],
      ['2', 'changes_requested', HEAD],
      ['3', 'dismissed', HEAD],
      ['4', 'approved', undefined],
    ]);
  });
});

describe('git', () => {
  test('gets the address from the template and the token apart from it', async () => {
    const host = await hostWith({});
    const source = await host.getGitSource(REF);
    expect(source.url).toBe('https://github.test/acme/infra.git');
    expect(source.username).toBe('x-access-token');
    expect(source.password?.reveal()).toBe('t0ken');
    expect(host.headRefOf(12)).toBe('refs/pull/12/head');
  });

  test('gets no credential for a folder, and no address for a name that is none', async () => {
    stub = await startGithubStub(routes({}));
    const host = tokenHost(stub.url, { cloneUrlTemplate: 'file:///srv/{owner}/{repo}.git' });
    expect(await host.getGitSource(REF)).toEqual({
      url: 'file:///srv/acme/infra.git',
      username: undefined,
      password: undefined,
    });
    await expect(host.getGitSource({ ...REF, name: '..' })).rejects.toThrow(/no name of a GitHub repository/);
    await expect(host.getGitSource({ ...REF, owner: 'a/../b' })).rejects.toThrow(/no name of a GitHub repository/);
  });
});
