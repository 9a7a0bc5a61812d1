import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { createGithubHost } from '../../../../src/adapters/github/github-host.ts';
import { Secret } from '../../../../src/lib/secret.ts';
import type { CheckRun } from '../../../../src/ports/vcs-host.ts';
import {
  type GithubStub,
  routes,
  type StubAnswer,
  type StubRequest,
  startGithubStub,
} from '../../../support/github-stub.ts';
import { apiPull, apiRepository, fakeClock, HEAD, pullRequest, REF, silentLog } from './fixtures.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
const everything = {
  metadata: 'read',
  contents: 'write',
  pull_requests: 'write',
  issues: 'write',
  checks: 'write',
  statuses: 'write',
  administration: 'read',
  actions: 'read',
  members: 'read',
};
const MINT = 'POST /app/installations/5/access_tokens';
const INSTALLED = 'GET /repos/acme/infra/installation';
const REPOSITORY = 'GET /repos/acme/infra';

let stub: GithubStub;
afterEach(() => stub.close());

interface Setting {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly lifeMs?: number;
}

/** An App that mints `token-1`, `token-2` ... and whatever else the table says. */
async function appWith(table: Parameters<typeof routes>[0], setting: Setting = {}) {
  let minted = 0;
  const clock = fakeClock();
  const mint = (): StubAnswer => {
    minted += 1;
    const expires = new Date(clock.now() + (setting.lifeMs ?? 3_600_000)).toISOString();
    return { status: 201, json: { token: `token-${minted}`, expires_at: expires } };
  };
  const installation = { id: 5, permissions: setting.permissions ?? everything };
  stub = await startGithubStub(
    routes({ [INSTALLED]: { json: installation }, [MINT]: mint, [REPOSITORY]: { json: apiRepository }, ...table }),
  );
  const host = createGithubHost({
    apiUrl: stub.url,
    cloneUrlTemplate: 'https://github.test/{owner}/{repo}.git',
    auth: { kind: 'app', appId: '41', privateKey: new Secret(pem) },
    log: silentLog,
    clock,
  });
  return { host, clock };
}

const sent = (call: string): readonly StubRequest[] =>
  stub.requests.filter(({ method, path }) => `${method} ${path.split('?')[0]}` === call);
const bodies = (call: string) => sent(call).map((request) => JSON.parse(request.body));
const tokensOf = (call: string) => sent(call).map((request) => request.headers.authorization);

describe('tokens', () => {
  test('are narrowed to the repository and to what the task needs', async () => {
    const { host } = await appWith({
      'POST /repos/acme/infra/issues/12/comments': { status: 201, json: { id: 1, node_id: 'n', html_url: 'u' } },
      'PUT /repos/acme/infra/pulls/12/merge': { json: { sha: HEAD } },
    });
    await host.getRepository(REF);
    expect((await host.getGitSource(REF)).password?.reveal()).toBe('token-2');
    await host.createComment(REF, 12, 'x');
    await host.mergePullRequest(pullRequest, HEAD, 'merge');
    const [facts, clone, publish, merge] = bodies(MINT);
    expect([facts, clone, publish, merge].map((body) => body.repository_ids)).toEqual([[7], [7], [7], [7]]);
    expect(Object.values(facts.permissions)).not.toContain('write');
    expect(clone.permissions).toEqual({ metadata: 'read', contents: 'read' });
    expect(publish.permissions).not.toHaveProperty('contents');
    expect(merge.permissions).toEqual({ metadata: 'read', pull_requests: 'write', contents: 'write' });
    expect(tokensOf('PUT /repos/acme/infra/pulls/12/merge')).toEqual(['token token-4']);
  });

  test('for issues write issues and nothing else, whatever is done with them', async () => {
    const issue = { number: 3, html_url: 'u', state: 'open', labels: [], user: null };
    const path = '/repositories/7/issues';
    const { host } = await appWith({
      [`POST ${path}`]: { status: 201, json: issue },
      [`GET ${path}`]: { json: [] },
      [`GET ${path}/3`]: { json: issue },
      [`PATCH ${path}/3`]: { json: issue },
      [`POST ${path}/3/comments`]: { status: 201, json: { id: 1, node_id: 'n', html_url: 'u' } },
    });
    await host.createIssue(REF, { title: 't', body: 'b', labels: [], assignees: [] });
    await host.getIssue(REF, 3);
    await host.updateIssue(REF, 3, { state: 'completed' });
    await host.createIssueComment(REF, 3, 'x');
    await host.findOwnIssue(REF, 'marker', new Date());
    expect(bodies(MINT)).toEqual([{ repository_ids: [7], permissions: { metadata: 'read', issues: 'write' } }]);
  });

  test('are minted with the signed word of the App', async () => {
    const { host } = await appWith({});
    await host.getRepository(REF);
    const jwt = String(sent(MINT)[0]?.headers.authorization).replace(/^bearer /, '');
    const [header = '', payload = '', signature = ''] = jwt.split('.');
    const key = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }));
    expect(verify('RSA-SHA256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))).toBe(
      true,
    );
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString()).iss).toBe(41);
  });

  test('are kept until shortly before their end, and asked for once by those who ask together', async () => {
    const { host, clock } = await appWith({});
    await Promise.all([host.getRepository(REF), host.getRepository(REF), host.getRepository(REF)]);
    clock.advance(45 * 60_000);
    await host.getRepository(REF);
    expect(sent(MINT)).toHaveLength(1);
    clock.advance(10 * 60_000);
    await Promise.all([host.getRepository(REF), host.getRepository(REF)]);
    expect(sent(MINT)).toHaveLength(2);
    expect(tokensOf(REPOSITORY).at(-1)).toBe('token token-2');
  });

  test('ask for no more than was granted, and soon again', async () => {
    const { host, clock } = await appWith(
      {},
      { permissions: { metadata: 'read', contents: 'read', pull_requests: 'read' } },
    );
    await host.getRepository(REF);
    expect(bodies(MINT)[0].permissions).toEqual({ metadata: 'read', contents: 'read', pull_requests: 'read' });
    clock.advance(6 * 60_000);
    await host.getRepository(REF);
    expect(sent(MINT)).toHaveLength(2);
  });

  test('that are refused while new are waited for; later they are replaced', async () => {
    const answers: StubAnswer[] = [
      { status: 401, json: {} },
      { json: apiRepository },
      { status: 401, json: {} },
      { json: apiRepository },
    ];
    const { host, clock } = await appWith({ [REPOSITORY]: () => answers.shift() ?? { status: 500 } });
    await host.getRepository(REF);
    expect(clock.slept).toEqual([5_000]);
    clock.advance(60_000);
    await host.getRepository(REF);
    expect(tokensOf(REPOSITORY)).toEqual(['token token-1', 'token token-1', 'token token-1', 'token token-2']);
  });

  test('for an installation that was made anew are asked for there', async () => {
    const installations = [
      { id: 4, permissions: everything },
      { id: 5, permissions: everything },
    ];
    const { host } = await appWith({ [INSTALLED]: () => ({ json: installations.shift() }) });
    expect(await host.getRepository(REF)).toMatchObject({ id: '7' });
    expect(stub.calls().filter((call) => call.includes('access_tokens'))).toEqual([
      'POST /app/installations/4/access_tokens',
      MINT,
    ]);
  });
});

describe('where the App is not installed', () => {
  test('it says so, and a lookup by name is not taken for "no such repository"', async () => {
    const { host } = await appWith({ [INSTALLED]: { status: 404, json: { message: 'Not Found' } } });
    await expect(host.getRepository(REF)).rejects.toThrow(/not installed on the repository acme\/infra/);
    await expect(host.findRepository('acme/infra')).rejects.toThrow(/not installed/);
  });

  test('a bad private key is told in words', async () => {
    stub = await startGithubStub(() => undefined);
    const host = createGithubHost({
      apiUrl: stub.url,
      cloneUrlTemplate: 'https://github.test/{owner}/{repo}.git',
      auth: { kind: 'app', appId: '41', privateKey: new Secret('not a key') },
      log: silentLog,
    });
    const problems = await host.checkAccess();
    expect(problems).toHaveLength(1);
    expect(problems[0]).not.toContain('not a key');
  });
});

describe('a check run', () => {
  const run: CheckRun = {
    name: 'holdfast',
    headSha: HEAD,
    externalId: 'batch-1',
    url: 'https://h.test/b/1',
    status: 'in_progress',
    conclusion: undefined,
    title: 'Planning',
    summary: 'two projects',
    actions: [1, 2, 3, 4].map((n) => ({ label: `l${n}`, description: `d${n}`, identifier: `i${n}` })),
  };
  const create = 'POST /repos/acme/infra/check-runs';
  const update = 'PATCH /repos/acme/infra/check-runs/88';

  test('has no buttons until it is completed, then three at most', async () => {
    const { host } = await appWith({ [create]: { status: 201, json: { id: 88 } }, [update]: { json: { id: 88 } } });
    expect(host.capabilities.checkRuns).toBe(true);
    expect(await host.createCheckRun(REF, run)).toBe('88');
    const completed = { ...run, status: 'completed', conclusion: 'success' } as const;
    expect(await host.updateCheckRun(REF, '88', completed)).toBe(true);
    expect(bodies(create)[0]).toMatchObject({
      head_sha: HEAD,
      status: 'in_progress',
      external_id: 'batch-1',
      actions: [],
    });
    expect(bodies(create)[0]).not.toHaveProperty('conclusion');
    expect(bodies(update)[0]).toMatchObject({ status: 'completed', conclusion: 'success' });
    expect(bodies(update)[0].actions.map((action: { identifier: string }) => action.identifier)).toEqual([
      'i1',
      'i2',
      'i3',
    ]);
  });

  test('that the host forgot is told as false', async () => {
    const { host } = await appWith({});
    expect(await host.updateCheckRun(REF, '88', run)).toBe(false);
  });

  test('is found again by what it was made for, among those of our App alone', async () => {
    const list = (id: number, app: number, external: string) => ({ id, app: { id: app }, external_id: external });
    const found = [list(1, 2, 'batch-1'), list(2, 41, 'batch-0'), list(3, 41, 'batch-1')];
    const path = `GET /repos/acme/infra/commits/${HEAD}/check-runs`;
    const { host } = await appWith({ [path]: { json: { total_count: 3, check_runs: found } } });
    expect(await host.findOwnCheckRun(REF, run)).toBe('3');
    expect(await host.findOwnCheckRun(REF, { ...run, externalId: 'batch-9' })).toBeUndefined();
    const asked = stub.requests.find((request) => request.path.includes('/check-runs'))?.path ?? '';
    expect(Object.fromEntries(new URL(asked, 'http://x').searchParams)).toMatchObject({
      check_name: 'holdfast',
      app_id: '41',
      filter: 'all',
    });
  });
});

describe('writes as an App', () => {
  test.each([500, 502, 405, 409])('answered %i are not repeated by Probot or Octokit', async (status) => {
    const { host } = await appWith({ 'POST /app/hook/deliveries/9/attempts': { status, json: { message: 'x' } } });
    await expect(host.redeliver('9')).rejects.toBeInstanceOf(Error);
    expect(sent('POST /app/hook/deliveries/9/attempts')).toHaveLength(1);
  });

  test('in quick succession are not spaced by plugins', async () => {
    const comment: StubAnswer = { status: 201, json: { id: 1, node_id: 'n', html_url: 'u' } };
    const { host } = await appWith({ 'POST /repos/acme/infra/issues/12/comments': comment });
    const start = performance.now();
    for (let n = 0; n < 5; n += 1) await host.createComment(REF, 12, 'x');
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe('who we are', () => {
  test("is the App's bot", async () => {
    const { host } = await appWith({
      'GET /app': { json: { id: 41, slug: 'holdfast', permissions: everything, events: [] } },
      'GET /app/installations': { json: [{ id: 5, permissions: everything }] },
      'GET /users/holdfast%5Bbot%5D': { json: { id: 500, login: 'holdfast[bot]' } },
    });
    expect(await host.whoAmI()).toEqual({ id: '500', login: 'holdfast[bot]' });
    await host.whoAmI();
    expect(sent('GET /app')).toHaveLength(1);
  });

  test('finds the comment that our App wrote', async () => {
    const comment = (id: number, app: object | null) => ({
      id,
      node_id: `n${id}`,
      html_url: 'u',
      body: 'MARK',
      user: { id: 2, login: 'ada', type: 'User' },
      performed_via_github_app: app,
    });
    const { host } = await appWith({
      'GET /repos/acme/infra/issues/12/comments': {
        json: [comment(1, null), comment(2, { id: 40 }), comment(3, { id: 41 })],
      },
    });
    expect(await host.findOwnComment(REF, 12, 'MARK')).toMatchObject({ id: '3' });
  });
});

describe('a team', () => {
  test('is asked for with the permission for members only, of the organisation', async () => {
    const { host } = await appWith({
      'GET /orgs/acme/installation': { json: { id: 5, permissions: everything } },
      'GET /orgs/acme/teams/sre/memberships/ada': { json: { state: 'active' } },
    });
    expect(await host.isTeamMember('acme', 'sre', { id: '2', login: 'ada' })).toBe(true);
    expect(bodies(MINT)).toEqual([{ permissions: { metadata: 'read', members: 'read' } }]);
  });
});

describe('failed deliveries', () => {
  const attempt = (id: number, guid: string, code: number, hoursAgo: number) => ({
    id,
    guid,
    status_code: code,
    delivered_at: new Date(1_800_000_000_000 - hoursAgo * 3_600_000).toISOString(),
  });
  const since = new Date(1_800_000_000_000 - 72 * 3_600_000);

  test('are listed oldest first, each once, over all pages, not older than asked', async () => {
    const first = [attempt(9, 'c', 502, 1), attempt(8, 'a', 0, 2), attempt(7, 'b', 500, 3)];
    const second = [
      attempt(6, 'a', 500, 4),
      attempt(5, 'd', 200, 5),
      attempt(4, 'd', 500, 6),
      attempt(3, 'e', 500, 80),
    ];
    const { host } = await appWith({
      'GET /app/hook/deliveries': ({ path }) =>
        path.includes('cursor=2')
          ? { json: second, headers: { link: `<${stub.url}/app/hook/deliveries?cursor=3>; rel="next"` } }
          : { json: first, headers: { link: `<${stub.url}/app/hook/deliveries?cursor=2>; rel="next"` } },
    });
    expect(await host.listFailedDeliveries(since)).toEqual([
      { id: 'b', hostId: '7' },
      { id: 'a', hostId: '8' },
      { id: 'c', hostId: '9' },
    ]);
    expect(stub.requests).toHaveLength(2);
    expect(stub.requests[0]?.path).toContain('status=failure');
  });

  test('are sent again', async () => {
    const { host } = await appWith({ 'POST /app/hook/deliveries/9/attempts': { status: 202, json: {} } });
    await host.redeliver('9');
    expect(stub.calls()).toEqual(['POST /app/hook/deliveries/9/attempts']);
  });
});

describe('access', () => {
  const app = {
    id: 41,
    slug: 'holdfast',
    html_url: 'https://github.test/apps/holdfast',
    permissions: everything,
    events: [
      'check_run',
      'check_suite',
      'issue_comment',
      'issues',
      'pull_request',
      'pull_request_review',
      'push',
      'repository',
    ],
  };
  const hook = { url: 'https://h.test/webhooks/github', content_type: 'json', secret: '********', insecure_ssl: '0' };
  const installation = {
    id: 5,
    account: { login: 'acme' },
    permissions: everything,
    html_url: 'https://github.test/i/5',
    suspended_at: null,
  };
  const check = async (change: { app?: object; hook?: object; installations?: object[] }) => {
    const { host } = await appWith({
      'GET /app': { json: { ...app, ...change.app } },
      'GET /app/hook/config': { json: { ...hook, ...change.hook } },
      'GET /app/installations': { json: change.installations ?? [installation] },
    });
    return host.checkAccess();
  };

  test('is well when all is well', async () => {
    expect(await check({})).toEqual([]);
  });

  test.each([
    [{ app: { permissions: { metadata: 'read' } } }, /The App lacks permissions: .*checks: write/],
    [{ app: { events: ['push'] } }, /not subscribed to: .*issue_comment/],
    [{ hook: { url: '' } }, /no webhook URL/],
    [{ hook: { content_type: 'form' } }, /application\/json/],
    [{ hook: { secret: undefined } }, /no secret/],
    [{ hook: { insecure_ssl: '1' } }, /SSL verification/],
    [{ installations: [] }, /installed nowhere/],
    [{ installations: [{ ...installation, suspended_at: '2026-01-01T00:00:00Z' }] }, /acme is suspended/],
    [
      { installations: [{ ...installation, permissions: { ...everything, checks: 'read' } }] },
      /acme has not granted the App: checks: write/,
    ],
  ])('%# names what is wrong', async (change, problem) => {
    const problems = await check(change);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });

  test('is a problem when the host cannot be asked', async () => {
    const { host } = await appWith({
      'GET /app': { status: 401, json: { message: 'A JSON web token could not be decoded' } },
    });
    expect((await host.checkAccess()).join()).toMatch(/credential was refused/);
  });
});

test('a pull request is read with the token of its repository', async () => {
  const { host } = await appWith({ 'GET /repos/acme/infra/pulls/12': { json: apiPull } });
  expect(await host.getPullRequest(REF, 12)).toMatchObject({ number: 12 });
  expect(stub.calls()).toEqual([INSTALLED, MINT, 'GET /repos/acme/infra/pulls/12']);
});

describe('when a token cannot be had', () => {
  test.each([
    [401, 'HostRefusedError'],
    [403, 'HostRefusedError'],
    [503, 'HostUnavailableError'],
  ])('the answer %i is told as what it is: %s', async (status, name) => {
    const { host } = await appWith({ [MINT]: { status, json: { message: 'no' } } });
    await expect(host.getRepository(REF)).rejects.toMatchObject({ name });
    await expect(host.getGitSource(REF)).rejects.toMatchObject({ name });
    expect(sent(REPOSITORY)).toHaveLength(0);
  });
});
