import { afterEach, describe, expect, test } from 'vitest';
import { HostRefusedError, HostUnavailableError } from '../../../../src/core/host-error.ts';
import { type GithubStub, routes, type StubAnswer, startGithubStub } from '../../../support/github-stub.ts';
import { apiPull, apiRepository, fakeClock, REF, tokenHost } from './fixtures.ts';

let stub: GithubStub;
afterEach(() => stub.close());

async function start(table: Parameters<typeof routes>[0]) {
  stub = await startGithubStub(routes(table));
  return stub;
}

const posted = { status: 201, json: { id: 31, node_id: 'IC_31', html_url: 'https://github.test/c/31' } };

describe('a renamed repository', () => {
  test.each([301, 302, 307, 308])('answers %i, and a write stays the write it was', async (status) => {
    await start({
      'POST /repos/acme/infra/issues/12/comments': () => ({
        status,
        headers: { location: `${stub.url}/repositories/7/issues/12/comments` },
      }),
      'POST /repositories/7/issues/12/comments': posted,
      'GET /repositories/7/issues/12/comments': { json: [] },
    });
    expect(await tokenHost(stub.url).createComment(REF, 12, 'hello')).toMatchObject({ id: '31' });
    expect(stub.calls()).toEqual([
      'POST /repos/acme/infra/issues/12/comments',
      'POST /repositories/7/issues/12/comments',
    ]);
    expect(JSON.parse(stub.requests[1]?.body ?? '')).toEqual({ body: 'hello' });
  });

  test('is read where it is now', async () => {
    await start({
      'GET /repos/acme/infra': { status: 301, headers: { location: '/repositories/7' } },
      'GET /repositories/7': { json: { ...apiRepository, name: 'platform' } },
    });
    expect(await tokenHost(stub.url).getRepository(REF)).toMatchObject({ name: 'platform' });
  });

  test('never sends the credential to another server, and never runs in circles', async () => {
    const elsewhere = await startGithubStub(routes({ 'GET /repos/acme/infra': { json: apiRepository } }));
    const targets = [`${elsewhere.url}/repos/acme/infra`];
    await start({
      'GET /repos/acme/infra': () => ({ status: 301, headers: { location: targets[0] ?? '' } }),
    });
    const host = tokenHost(stub.url);
    await expect(host.getRepository(REF)).rejects.toBeInstanceOf(HostRefusedError);
    expect(elsewhere.requests).toHaveLength(0);
    targets[0] = '/repos/acme/infra';
    await expect(host.getRepository(REF)).rejects.toThrow(/redirected/);
    expect(stub.requests.length).toBeLessThanOrEqual(1 + 4);
    await elsewhere.close();
  });

  test('a 303 would make a read of a write and is refused', async () => {
    await start({ 'POST /repos/acme/infra/issues/12/comments': { status: 303, headers: { location: '/x' } } });
    await expect(tokenHost(stub.url).createComment(REF, 12, 'x')).rejects.toThrow(/303/);
    expect(stub.requests).toHaveLength(1);
  });
});

describe('asking again', () => {
  const path = 'GET /repos/acme/infra/pulls/12';

  test('sends the ETag and takes 304 for the answer it had', async () => {
    const answers: StubAnswer[] = [
      { json: apiPull, headers: { etag: 'W/"1"' } },
      { status: 304, headers: { 'x-ratelimit-remaining': '4000' } },
      { json: { ...apiPull, title: 'New' }, headers: { etag: 'W/"2"' } },
    ];
    await start({ [path]: () => answers.shift() ?? {} });
    const host = tokenHost(stub.url);
    const titles = [];
    for (let n = 0; n < 3; n += 1) titles.push((await host.getPullRequest(REF, 12)).title);
    expect(titles).toEqual(['Add a bucket', 'Add a bucket', 'New']);
    expect(stub.requests.map((request) => request.headers['if-none-match'])).toEqual([undefined, 'W/"1"', 'W/"1"']);
  });

  test('keeps the pages of a list together', async () => {
    await start({
      'GET /repos/acme/infra/pulls': ({ path: at, headers }) => {
        const second = at.includes('page=2');
        if (headers['if-none-match']) return { status: 304 };
        const link = `<${stub.url}/repos/acme/infra/pulls?page=2>; rel="next"`;
        return second
          ? { json: [{ ...apiPull, number: 13 }], headers: { etag: '"b"' } }
          : { json: [apiPull], headers: { etag: '"a"', link } };
      },
    });
    const host = tokenHost(stub.url);
    await host.listOpenPullRequests(REF);
    expect((await host.listOpenPullRequests(REF)).map((pull) => pull.number)).toEqual([12, 13]);
    expect(stub.requests).toHaveLength(4);
  });
});

describe('a host that is down', () => {
  const path = 'GET /repos/acme/infra';

  test.each([500, 502, 503, 504, 408])('answers %i: try later', async (status) => {
    await start({ [path]: { status, text: '<html>unicorn</html>', headers: { 'content-type': 'text/html' } } });
    await expect(tokenHost(stub.url).getRepository(REF)).rejects.toBeInstanceOf(HostUnavailableError);
    expect(stub.requests).toHaveLength(1);
  });

  test('closes the connection: try later', async () => {
    await start({ [path]: { drop: true } });
    await expect(tokenHost(stub.url).getRepository(REF)).rejects.toBeInstanceOf(HostUnavailableError);
  });

  test('does not answer: a time limit ends it', async () => {
    await start({ [path]: { hang: true } });
    const host = tokenHost(stub.url, { timeoutMs: 200 });
    await expect(host.getRepository(REF)).rejects.toBeInstanceOf(HostUnavailableError);
  });

  test('is not there at all: try later', async () => {
    await start({});
    await stub.close();
    await expect(tokenHost(stub.url).getRepository(REF)).rejects.toBeInstanceOf(HostUnavailableError);
  });

  test.each([500, 502, 429])('a write that was answered %i is not repeated', async (status) => {
    await start({ 'POST /repos/acme/infra/issues/12/comments': { status, json: { message: 'x' } } });
    await expect(tokenHost(stub.url).createComment(REF, 12, 'x')).rejects.toBeInstanceOf(HostUnavailableError);
    expect(stub.requests).toHaveLength(1);
  });
});

describe('limits', () => {
  const path = 'GET /repos/acme/infra';
  const start0 = 1_800_000_000_000;

  async function limited(answer: StubAnswer) {
    const answers = [answer];
    await start({ [path]: () => answers.shift() ?? { json: apiRepository } });
    const clock = fakeClock(start0);
    const host = tokenHost(stub.url, { clock });
    const error = await host.getRepository(REF).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HostUnavailableError);
    return { host, clock, retryAt: (error as HostUnavailableError).retryAt.getTime() };
  }

  test.each([
    ['retry-after', { status: 403, headers: { 'retry-after': '90' }, json: { message: 'secondary' } }, 90_000],
    ['retry-after of a 429', { status: 429, headers: { 'retry-after': '5' }, json: {} }, 5_000],
    [
      'the primary limit',
      {
        status: 403,
        headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(start0 / 1000 + 600) },
        json: {},
      },
      600_000,
    ],
    [
      'the secondary limit without a header',
      { status: 403, json: { message: 'You have exceeded a secondary rate limit.' } },
      60_000,
    ],
  ])('%s closes the gate until the moment it names', async (_name, answer, wait) => {
    const { host, clock, retryAt } = await limited(answer);
    expect(retryAt).toBe(start0 + wait);
    await expect(host.getRepository(REF)).rejects.toBeInstanceOf(HostUnavailableError);
    expect(stub.requests).toHaveLength(1);
    clock.advance(wait);
    expect(await host.getRepository(REF)).toMatchObject({ id: '7' });
  });

  test('the last request of the hour is a good answer, and nothing is sent after it', async () => {
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(start0 / 1000 + 60) };
    await start({ [path]: { json: apiRepository, headers } });
    const host = tokenHost(stub.url, { clock: fakeClock(start0) });
    await host.getRepository(REF);
    await expect(host.getRepository(REF)).rejects.toMatchObject({ retryAt: new Date(start0 + 60_000) });
    expect(stub.requests).toHaveLength(1);
  });

  test('the limit of REST does not stop GraphQL', async () => {
    const headers = {
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(start0 / 1000 + 60),
      'x-ratelimit-resource': 'core',
    };
    await start({ [path]: { json: apiRepository, headers }, 'POST /graphql': { json: { data: {} } } });
    const host = tokenHost(stub.url, { clock: fakeClock(start0) });
    await host.getRepository(REF);
    await host.minimizeComments(REF, ['IC_1']);
    expect(stub.calls()).toEqual([path, 'POST /graphql']);
  });

  test('a permission that is missing is no limit, and is named', async () => {
    await start({
      [path]: {
        status: 403,
        headers: { 'x-accepted-github-permissions': 'metadata=read', 'x-ratelimit-remaining': '100' },
        json: { message: 'Resource not accessible by integration' },
      },
    });
    await expect(tokenHost(stub.url).getRepository(REF)).rejects.toMatchObject({
      name: 'HostRefusedError',
      status: 403,
      neededPermission: 'metadata=read',
    });
  });

  test('a refused credential is told with what to do', async () => {
    await start({ [path]: { status: 401, json: { message: 'Bad credentials' } } });
    await expect(tokenHost(stub.url).getRepository(REF)).rejects.toThrow(/credential was refused/);
  });
});
