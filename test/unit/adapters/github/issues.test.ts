import { afterEach, describe, expect, test } from 'vitest';
import { HostRefusedError, HostUnavailableError } from '../../../../src/core/host-error.ts';
import { type GithubStub, routes, type StubAnswer, startGithubStub } from '../../../support/github-stub.ts';
import { REF, tokenHost } from './fixtures.ts';

let stub: GithubStub;
afterEach(() => stub.close());

async function hostWith(table: Parameters<typeof routes>[0]) {
  stub = await startGithubStub(routes(table));
  return tokenHost(stub.url);
}

const ISSUES = '/repositories/7/issues';
const body = (n = 0) => JSON.parse(stub.requests[n]?.body ?? 'null');
const issue = {
  number: 5,
  html_url: 'https://github.test/acme/infra/issues/5',
  state: 'open',
  locked: false,
  body: '<!-- drift:1 -->\nb',
  labels: [{ name: 'drift' }, 'old'],
  assignees: [{ login: 'Ann' }],
  user: { id: 99, login: 'holdfast-bot', type: 'User' },
};
const order = { title: 'Drift', body: '<!-- drift:1 -->', labels: ['drift'], assignees: ['ann'] };
const facts = {
  number: 5,
  url: issue.html_url,
  state: 'open',
  closedAt: undefined,
  locked: false,
  labels: ['drift', 'old'],
  assignees: ['Ann'],
};
const unassignable = (value: unknown) => ({
  status: 422,
  json: { message: 'Validation Failed', errors: [{ resource: 'Issue', field: 'assignees', code: 'invalid', value }] },
});

/** Takes a request's assignees only when `allowed` holds all of them. */
function onlyAssigns(allowed: readonly string[], refuse: (wrong: readonly string[]) => StubAnswer) {
  return ({ body: text }: { body: string }) => {
    const { assignees = [] } = JSON.parse(text) as { assignees?: string[] };
    const wrong = assignees.filter((login) => !allowed.includes(login));
    return wrong.length > 0
      ? refuse(wrong)
      : { status: 201, json: { ...issue, assignees: assignees.map((login) => ({ login })) } };
  };
}

describe('opening an issue', () => {
  test('is one request, by the id of the repository', async () => {
    const host = await hostWith({ [`POST ${ISSUES}`]: { status: 201, json: issue } });
    expect(await host.createIssue(REF, order)).toEqual({
      kind: 'created',
      number: 5,
      url: issue.html_url,
      unassigned: [],
    });
    expect(stub.requests).toHaveLength(1);
    expect(body()).toEqual(order);
  });

  test('leaves out who cannot be assigned, and says who', async () => {
    const host = await hostWith({ [`POST ${ISSUES}`]: onlyAssigns(['ann'], (wrong) => unassignable(wrong)) });
    const answer = await host.createIssue(REF, { ...order, assignees: ['ann', 'bob', 'Eve'] });
    expect(answer).toMatchObject({ kind: 'created', unassigned: ['bob', 'Eve'] });
    expect([body(0).assignees, body(1).assignees]).toEqual([['ann', 'bob', 'Eve'], ['ann']]);
  });

  test.each([
    ['names one at a time', (wrong: readonly string[]) => unassignable(wrong[0]), [3, 2, 1]],
    ['names nobody', () => unassignable(undefined), [3, 0]],
    ['names somebody else', () => unassignable('zed'), [3, 0]],
  ])('ends when the host %s', async (_what, refuse, lengths) => {
    const host = await hostWith({ [`POST ${ISSUES}`]: onlyAssigns(['ann'], refuse) });
    expect(await host.createIssue(REF, { ...order, assignees: ['ann', 'bob', 'eve'] })).toMatchObject({
      kind: 'created',
    });
    expect(stub.requests.map((_request, n) => body(n).assignees.length)).toEqual(lengths);
  });

  test('tells who was dropped without a word', async () => {
    const host = await hostWith({ [`POST ${ISSUES}`]: { status: 201, json: { ...issue, assignees: [] } } });
    expect(await host.createIssue(REF, order)).toMatchObject({ unassigned: ['ann'] });
  });

  test('is data where issues are off, and an error for anything else', async () => {
    const answers: StubAnswer[] = [
      { status: 410, json: { message: 'Issues has been disabled in this repository.' } },
      { status: 422, json: { message: 'Validation Failed', errors: [{ field: 'title' }] } },
      { status: 403, json: { message: 'Resource not accessible by integration' } },
      { status: 502, json: {} },
    ];
    const host = await hostWith({ [`POST ${ISSUES}`]: () => answers.shift() ?? {} });
    expect(await host.createIssue(REF, order)).toEqual({ kind: 'disabled' });
    await expect(host.createIssue(REF, order)).rejects.toMatchObject({ name: 'HostRefusedError', status: 422 });
    await expect(host.createIssue(REF, order)).rejects.toMatchObject({ name: 'HostRefusedError', status: 403 });
    await expect(host.createIssue(REF, order)).rejects.toBeInstanceOf(HostUnavailableError);
    expect(stub.requests).toHaveLength(4);
  });

  test('or editing it beyond the limits is not sent', async () => {
    const host = await hostWith({});
    const { issueTitleLength, issueBodyLength, labelLength } = host.limits;
    for (const change of [
      { title: 'x'.repeat(issueTitleLength + 1) },
      { body: 'x'.repeat(issueBodyLength + 1) },
      { labels: ['x'.repeat(labelLength + 1)] },
    ]) {
      await expect(host.createIssue(REF, { ...order, ...change })).rejects.toThrow(/at most/);
      await expect(host.updateIssue(REF, 5, change)).rejects.toBeInstanceOf(HostRefusedError);
    }
    expect(stub.requests).toHaveLength(0);
  });
});

describe('an issue', () => {
  const path = `${ISSUES}/5`;
  const gone = { status: 410, json: { message: 'This issue was deleted' } };
  const disabled = { status: 410, json: { message: 'Issues has been disabled in this repository.' } };
  const moved = (location?: string) => ({ status: 301, json: {}, ...(location ? { headers: { location } } : {}) });

  test('is read, and asked for again by its ETag', async () => {
    const host = await hostWith({
      [`GET ${path}`]: ({ headers }) =>
        headers['if-none-match'] ? { status: 304 } : { json: issue, headers: { etag: '"1"' } },
    });
    expect(await host.getIssue(REF, 5)).toEqual({ kind: 'found', issue: facts });
    expect(await host.getIssue(REF, 5)).toEqual({ kind: 'found', issue: facts });
    expect(stub.requests[1]?.headers['if-none-match']).toBe('"1"');
  });

  test('that is closed says since when', async () => {
    const closed = { ...issue, state: 'closed', closed_at: '2026-11-21T12:00:00Z', locked: true };
    const host = await hostWith({ [`GET ${path}`]: { json: closed } });
    const closedAt = new Date('2026-11-21T12:00:00Z');
    expect(await host.getIssue(REF, 5)).toMatchObject({ issue: { state: 'closed', closedAt, locked: true } });
  });

  test.each([
    ['deleted', gone, { kind: 'gone' }],
    ['hidden', { status: 404, json: { message: 'Not Found' } }, { kind: 'gone' }],
    ['of a repository without issues', disabled, { kind: 'disabled' }],
    ['moved', moved('/repositories/8/issues/3'), { kind: 'moved', to: { repositoryId: '8', number: 3 } }],
    [
      'moved on an Enterprise Server',
      moved('https://ghe.test/api/v3/repositories/8/issues/3'),
      { kind: 'moved', to: { repositoryId: '8', number: 3 } },
    ],
    ['moved to where nobody says', moved(), { kind: 'moved', to: undefined }],
    ['moved to what is no issue', moved('/repositories/8/discussions/3'), { kind: 'moved', to: undefined }],
  ])('that is %s is told as such, and never looked for elsewhere', async (_what, answer, expected) => {
    const host = await hostWith({ [`GET ${path}`]: answer, [`PATCH ${path}`]: answer });
    expect(await host.getIssue(REF, 5)).toEqual(expected);
    expect(await host.updateIssue(REF, 5, { title: 'T' })).toEqual(expected);
    expect(stub.calls()).toEqual([`GET ${path}`, `PATCH ${path}`]);
  });

  test.each([
    [{ state: 'open' as const }, { state: 'open' }],
    [{ state: 'completed' as const }, { state: 'closed', state_reason: 'completed' }],
    [
      { state: 'not_planned' as const, body: 'b' },
      { body: 'b', state: 'closed', state_reason: 'not_planned' },
    ],
    [
      { labels: [], assignees: [] },
      { labels: [], assignees: [] },
    ],
    [{ title: 'T' }, { title: 'T' }],
  ])('is changed in what %j names, and nothing else', async (change, sent) => {
    const host = await hostWith({ [`PATCH ${path}`]: { json: issue } });
    expect(await host.updateIssue(REF, 5, change)).toEqual({ kind: 'updated', unassigned: [] });
    expect(body()).toEqual(sent);
  });

  test('takes a comment', async () => {
    const comment = { id: 31, node_id: 'IC_31', html_url: 'https://github.test/c/31' };
    const host = await hostWith({ [`POST ${path}/comments`]: { status: 201, json: comment } });
    expect(await host.createIssueComment(REF, 5, 'done')).toEqual({
      kind: 'posted',
      comment: { id: '31', nodeId: 'IC_31', url: comment.html_url },
    });
    expect(host.commentUrl({ url: issue.html_url }, '31')).toBe(`${issue.html_url}#issuecomment-31`);
  });

  test.each([
    ['locked', { status: 403 }, { json: { ...issue, locked: true } }, { kind: 'locked' }],
    [
      'moved',
      { status: 404 },
      moved('/repositories/8/issues/3'),
      { kind: 'moved', to: { repositoryId: '8', number: 3 } },
    ],
    ['deleted', { status: 410 }, gone, { kind: 'gone' }],
    ['of a repository without issues', { status: 410 }, disabled, { kind: 'disabled' }],
  ])('that is %s takes none, and says why', async (_what, refused, now, expected) => {
    const json = { message: 'Unable to create comment' };
    const host = await hostWith({ [`POST ${path}/comments`]: { ...refused, json }, [`GET ${path}`]: now });
    expect(await host.createIssueComment(REF, 5, 'done')).toEqual(expected);
  });

  test.each([
    ['a missing permission', { status: 403, json: { message: 'Resource not accessible' } }, { status: 403 }],
    ['its text', { status: 422, json: { message: 'Validation Failed' } }, { status: 422 }],
  ])('refuses a comment for %s', async (_what, refused, expected) => {
    const host = await hostWith({ [`POST ${path}/comments`]: refused, [`GET ${path}`]: { json: issue } });
    await expect(host.createIssueComment(REF, 5, 'x')).rejects.toMatchObject({ name: 'HostRefusedError', ...expected });
  });

  test('takes no comment that is too long, and none while the host is away or we go too fast', async () => {
    const answers: StubAnswer[] = [
      { status: 502, json: {} },
      { status: 403, json: { message: 'secondary rate limit' }, headers: { 'retry-after': '60' } },
    ];
    const host = await hostWith({ [`POST ${path}/comments`]: () => answers.shift() ?? {} });
    const long = 'x'.repeat(host.limits.commentLength + 1);
    await expect(host.createIssueComment(REF, 5, long)).rejects.toBeInstanceOf(HostRefusedError);
    for (let n = 0; n < 2; n += 1) {
      await expect(host.createIssueComment(REF, 5, 'x')).rejects.toBeInstanceOf(HostUnavailableError);
    }
    expect(stub.requests).toHaveLength(2);
  });
});

describe('our own issue', () => {
  const me = { json: { id: 99, login: 'holdfast-bot' } };
  const marker = '<!-- drift:1 -->';

  test('is the one that we wrote and that starts with the marker, on whatever page', async () => {
    const by = (id: number, more: object) => ({ ...issue, number: id, ...more });
    const host = await hostWith({
      'GET /user': me,
      [`GET ${ISSUES}`]: ({ path }) =>
        path.includes('page=2')
          ? { json: [by(5, {})] }
          : {
              json: [
                by(1, { user: { id: 2, login: 'eve', type: 'User' } }),
                by(2, { body: `see ${marker}` }),
                by(3, { body: null }),
                by(4, { user: null }),
                by(6, { pull_request: {} }),
                by(7, { body: 'x', title: marker }),
              ],
              headers: { link: `<${stub.url}${ISSUES}?page=2>; rel="next"` },
            },
    });
    const since = new Date('2026-11-21T12:00:00Z');
    expect(await host.findOwnIssue(REF, marker, since)).toEqual(facts);
    expect(await host.findOwnIssue(REF, '<!-- other -->', since)).toBeUndefined();
    const asked = new URL(`http://x${stub.requests[0]?.path}`).searchParams;
    expect(Object.fromEntries(asked)).toEqual({ state: 'all', since: '2026-11-21T11:55:00.000Z', per_page: '100' });
  });
});

test('reports wait for all other writes of the same moment', async () => {
  const done = { json: issue };
  const host = await hostWith({
    [`PATCH ${ISSUES}/5`]: done,
    [`POST ${ISSUES}/5/comments`]: { status: 201, json: { id: 1, node_id: 'n', html_url: 'u' } },
  });
  const edits = Array.from({ length: 10 }, () => host.updateIssue(REF, 5, { title: 'T' }));
  await Promise.all(edits);
  await Promise.all([host.updateIssue(REF, 5, { title: 'T' }), host.createIssueComment(REF, 5, 'answer')]);
  expect(stub.calls().slice(10)).toEqual([`POST ${ISSUES}/5/comments`, `PATCH ${ISSUES}/5`]);
});
