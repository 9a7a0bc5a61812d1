import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGithubHost } from '../../../../src/adapters/github/github-host.ts';
import { InvalidDeliveryError } from '../../../../src/core/host-error.ts';
import { Secret } from '../../../../src/lib/secret.ts';
import type { VcsHost } from '../../../../src/ports/vcs-host.ts';
import { type GithubStub, routes, startGithubStub } from '../../../support/github-stub.ts';
import { silentLog, tokenHost } from './fixtures.ts';

const repository = { id: 7, full_name: 'acme/infra' };
const sender = { id: 2, login: 'ada', type: 'User' };
const where = { repositoryId: '7', repositoryFullName: 'acme/infra' };
const ada = { id: '2', login: 'ada' };

let stub: GithubStub;
let withToken: VcsHost;
let asApp: VcsHost;

beforeAll(async () => {
  stub = await startGithubStub(routes({ 'GET /user': { json: { id: 99, login: 'holdfast-bot' } } }));
  withToken = tokenHost(stub.url);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  asApp = createGithubHost({
    apiUrl: stub.url,
    cloneUrlTemplate: 'https://github.test/{owner}/{repo}.git',
    auth: {
      kind: 'app',
      appId: '41',
      privateKey: new Secret(privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()),
    },
    log: silentLog,
  });
});
afterAll(() => stub.close());

function interpret(host: VcsHost, event: string, payload: object) {
  return host.interpret({
    id: 'd1',
    event,
    payload: JSON.stringify({ repository, sender, installation: { id: 5 }, ...payload }),
  });
}

describe.each([
  ['with a token', () => withToken],
  ['as an App', () => asApp],
])('%s', (_mode, host) => {
  test.each([
    ['opened', 'opened', {}],
    ['reopened', 'reopened', {}],
    ['synchronize', 'synchronize', {}],
    ['ready_for_review', 'ready_for_review', {}],
    ['converted_to_draft', 'converted_to_draft', {}],
    ['closed', 'closed', {}],
    ['edited', 'retargeted', { changes: { base: { ref: { from: 'main' } } } }],
  ])('pull_request %s', async (action, change, more) => {
    const event = await interpret(host(), 'pull_request', { action, pull_request: { number: 12 }, ...more });
    expect(event).toEqual({ kind: 'pull_request', change, ...where, number: 12, sender: ada });
  });

  test.each([
    ['pull_request', { action: 'labeled', pull_request: { number: 12 } }],
    ['pull_request', { action: 'edited', pull_request: { number: 12 }, changes: { title: { from: 'x' } } }],
    ['issue_comment', { action: 'edited' }],
    ['issue_comment', { action: 'deleted' }],
    ['issues', { action: 'opened', issue: { number: 3 } }],
    ['issues', { action: 'edited', issue: { number: 3 } }],
    ['issues', { action: 'labeled', issue: { number: 3 } }],
    ['issues', { issue: { number: 3 } }],
    ['push', { ref: 'refs/tags/v1' }],
    ['push', { ref: 'refs/heads/main', deleted: true }],
    ['repository', { action: 'edited', changes: { description: {} } }],
    ['repository', { action: 'publicized' }],
    ['check_run', { action: 'completed' }],
    ['ping', { zen: 'x' }],
    ['an_event_of_next_year', { action: 'created' }],
    ['constructor', {}],
    ['__proto__', {}],
  ])('%s %o is none of our business', async (event, payload) => {
    expect(await interpret(host(), event, payload)).toBeUndefined();
  });

  test('a comment on a pull request', async () => {
    const payload = {
      action: 'created',
      issue: { number: 12, pull_request: { url: 'x' } },
      comment: {
        id: 31,
        node_id: 'IC_31',
        body: 'holdfast plan',
        created_at: '2026-11-21T12:00:00Z',
        user: sender,
        performed_via_github_app: null,
      },
    };
    expect(await interpret(host(), 'issue_comment', payload)).toEqual({
      kind: 'comment',
      ...where,
      number: 12,
      commentId: '31',
      commentNodeId: 'IC_31',
      body: 'holdfast plan',
      writtenAt: new Date('2026-11-21T12:00:00Z'),
      author: ada,
      own: false,
    });
  });

  test('a comment on an issue that is no pull request', async () => {
    const comment = { id: 31, node_id: 'IC_31', body: 'holdfast plan', user: sender };
    expect(await interpret(host(), 'issue_comment', { action: 'created', issue: { number: 3 }, comment })).toEqual({
      kind: 'issue_comment',
      ...where,
      number: 3,
      commentId: '31',
      commentNodeId: 'IC_31',
      body: 'holdfast plan',
      author: ada,
      own: false,
    });
  });

  test.each(['closed', 'reopened', 'deleted', 'transferred', 'locked', 'unlocked'])('an issue %s', async (change) => {
    const payload = { action: change, issue: { number: 3 } };
    const expected = { kind: 'issue', change, ...where, number: 3, own: false };
    expect(await interpret(host(), 'issues', payload)).toEqual({ ...expected, sender: ada });
    const ghost = await interpret(host(), 'issues', { ...payload, sender: null });
    expect(ghost).toMatchObject({ ...expected, sender: { login: 'ghost' } });
  });

  test.each(['submitted', 'dismissed', 'edited'])('a review that is %s', async (action) => {
    const event = await interpret(host(), 'pull_request_review', { action, pull_request: { number: 12 } });
    expect(event).toEqual({ kind: 'review', ...where, number: 12, sender: ada });
  });

  test('a push to a branch, whatever its name', async () => {
    const event = await interpret(host(), 'push', { ref: 'refs/heads/feature/a b', deleted: false });
    expect(event).toEqual({ kind: 'push', ...where, branch: 'feature/a b', sender: ada });
  });

  test.each([
    ['renamed', 'renamed', {}],
    ['transferred', 'transferred', {}],
    ['archived', 'archived', {}],
    ['unarchived', 'unarchived', {}],
    ['deleted', 'deleted', {}],
    ['edited', 'default_branch', { changes: { default_branch: { from: 'master' } } }],
  ])('repository %s', async (action, change, more) => {
    expect(await interpret(host(), 'repository', { action, ...more })).toEqual({
      kind: 'repository',
      change,
      ...where,
    });
  });

  test.each([
    ['pull_request', { action: 'opened' }],
    ['pull_request', { action: 'opened', pull_request: { number: '12' } }],
    ['issue_comment', { action: 'created', issue: { number: 12, pull_request: {} } }],
    ['issues', { action: 'closed' }],
    ['issues', { action: 'closed', issue: { number: -1 } }],
    ['push', { ref: 7 }],
    ['repository', { action: 'renamed', repository: null }],
  ])('%s %o lacks fields and says which', async (event, payload) => {
    await expect(interpret(host(), event, payload)).rejects.toBeInstanceOf(InvalidDeliveryError);
  });

  test.each(['{', '[]', 'null', '"x"', ''])('a payload %j that is no object', async (payload) => {
    await expect(host().interpret({ id: 'd1', event: 'push', payload })).rejects.toBeInstanceOf(InvalidDeliveryError);
  });

  test('a sender that is missing or deleted has no permission anywhere', async () => {
    const payload = { action: 'opened', pull_request: { number: 12 } };
    expect(await interpret(host(), 'pull_request', { ...payload, sender: null })).toMatchObject({
      sender: { login: 'ghost' },
    });
    expect(await interpret(host(), 'pull_request', { ...payload, sender: undefined })).toMatchObject({
      sender: { login: 'ghost' },
    });
  });

  test('many at once keep apart', async () => {
    const numbers = Array.from({ length: 50 }, (_, index) => index + 1);
    const events = await Promise.all(
      numbers.map((number) => interpret(host(), 'pull_request', { action: 'opened', pull_request: { number } })),
    );
    expect(events.map((event) => event && 'number' in event && event.number)).toEqual(numbers);
  });
});

describe.each([
  ['a pull request', { number: 12, pull_request: {} }],
  ['an issue', { number: 12 }],
])('our own comments on %s are told apart', (_on, issue) => {
  const comment = (user: object, app: object | null) => ({
    action: 'created',
    issue,
    comment: { id: 31, node_id: 'n', body: 'x', user, performed_via_github_app: app },
  });

  test("by the id of the token's user, never by the login", async () => {
    const mine = await interpret(withToken, 'issue_comment', comment({ id: 99, login: 'renamed', type: 'User' }, null));
    const other = await interpret(
      withToken,
      'issue_comment',
      comment({ id: 98, login: 'holdfast-bot', type: 'User' }, null),
    );
    expect([mine, other]).toMatchObject([{ own: true }, { own: false }]);
  });

  test('by the id of our App', async () => {
    const bot = { id: 500, login: 'holdfast[bot]', type: 'Bot' };
    expect(await interpret(asApp, 'issue_comment', comment(bot, { id: 41 }))).toMatchObject({ own: true });
  });
});

test('what we did to an issue ourselves is told apart', async () => {
  const closed = (who: object) => ({ action: 'closed', issue: { number: 3 }, sender: who });
  const mine = await interpret(withToken, 'issues', closed({ id: 99, login: 'renamed', type: 'User' }));
  const other = await interpret(withToken, 'issues', closed({ id: 98, login: 'holdfast-bot', type: 'User' }));
  expect([mine, other]).toMatchObject([{ own: true }, { own: false }]);
});

describe('check runs', () => {
  const run = (app: number, more: object) => ({
    check_run: { head_sha: 'a'.repeat(40), external_id: 'batch-1', app: { id: app } },
    ...more,
  });

  test('a button of ours is a press on the batch it was made for', async () => {
    const payload = run(41, { action: 'requested_action', requested_action: { identifier: 'apply' } });
    expect(await interpret(asApp, 'check_run', payload)).toEqual({
      kind: 'button',
      ...where,
      batchId: 'batch-1',
      identifier: 'apply',
      sender: ada,
    });
  });

  test('ours are run again; those of others are not ours to run', async () => {
    const again = { kind: 'rerun', ...where, headSha: 'a'.repeat(40), sender: ada };
    expect(await interpret(asApp, 'check_run', run(41, { action: 'rerequested' }))).toEqual({
      ...again,
      batchId: 'batch-1',
    });
    expect(await interpret(asApp, 'check_run', run(42, { action: 'rerequested' }))).toBeUndefined();
    expect(await interpret(withToken, 'check_run', run(41, { action: 'rerequested' }))).toBeUndefined();
    const suite = { action: 'rerequested', check_suite: { head_sha: 'a'.repeat(40), app: { id: 41 } } };
    expect(await interpret(asApp, 'check_suite', suite)).toEqual({ ...again, batchId: undefined });
    expect(await interpret(withToken, 'check_suite', suite)).toBeUndefined();
  });

  test('a press without a button is refused', async () => {
    await expect(interpret(asApp, 'check_run', run(41, { action: 'requested_action' }))).rejects.toThrow(/button/);
  });
});

test('interpreting asks the API only who we are', () => {
  expect([...new Set(stub.calls())]).toEqual(['GET /user']);
});

test.each([{ id: ' ' }, { id: -1 }, {}, 'x', { id: '5' }])(
  'an installation %j is refused in words',
  async (installation) => {
    const payload = { action: 'opened', pull_request: { number: 12 }, installation };
    await expect(interpret(asApp, 'pull_request', payload)).rejects.toBeInstanceOf(InvalidDeliveryError);
  },
);

test('a refusal carries nothing of the payload', async () => {
  const secret = 'canary-in-a-payload';
  const payload = { action: 'opened', pull_request: { number: secret, title: secret } };
  const error = await interpret(asApp, 'pull_request', payload).catch((thrown: unknown) => thrown);
  expect(inspect(error, { depth: 10 })).not.toContain(secret);
});
