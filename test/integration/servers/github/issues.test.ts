import { describe, expect, test } from 'vitest';
import { clientOf, jwtOf, REPO, type SmallGithub, smallGithub } from './small-github.ts';

const ISSUES = `${REPO}/issues`;

function as(small: SmallGithub, login: string) {
  return clientOf(small.github.apiUrl, small.github.createToken(login));
}

/** An App with these permissions, installed for the repository. */
async function asApp(small: SmallGithub, permissions: Record<string, 'read' | 'write'>) {
  const app = small.github.createApp({ name: 'Holdfast', owner: 'acme', permissions, events: [] });
  const installation = small.github.installApp(app, 'acme');
  const path = `/app/installations/${installation.id}/access_tokens`;
  const { body } = await clientOf(small.github.apiUrl, jwtOf(app))('POST', path, {});
  return clientOf(small.github.apiUrl, String(body['token']));
}

async function open(small: SmallGithub, more: Record<string, unknown> = {}): Promise<string> {
  const { status, body } = await small.api('POST', ISSUES, { title: 'Drift', body: 'b', ...more });
  expect(status).toBe(201);
  return `${ISSUES}/${body['number']}`;
}

const names = (labels: unknown) => (labels as { name: string }[]).map((label) => label.name);

describe('an issue', () => {
  test('is opened, read, edited, closed with a reason and reopened', async () => {
    await using small = await smallGithub();
    const made = await small.api('POST', ISSUES, { title: 'Drift', body: 'b', labels: ['drift'], assignees: ['ann'] });
    expect(made.body).toMatchObject({
      number: 2,
      state: 'open',
      state_reason: null,
      locked: false,
      user: { login: 'bot' },
      assignees: [{ login: 'ann' }],
      html_url: `${small.github.url}/acme/infra/issues/2`,
    });
    expect(made.body).not.toHaveProperty('pull_request');
    expect(made.headers.get('location')).toBe(`${small.github.url}${ISSUES}/2`);
    const edit = (change: unknown) => small.api('PATCH', `${ISSUES}/2`, change);
    expect((await edit({ title: 'Less drift', body: 'c' })).body).toMatchObject({ title: 'Less drift', body: 'c' });
    expect((await edit({ state: 'closed', state_reason: 'not_planned' })).body).toMatchObject({
      state: 'closed',
      state_reason: 'not_planned',
      closed_by: { login: 'bot' },
    });
    expect((await edit({ state_reason: 'completed' })).body).toMatchObject({ state_reason: 'not_planned' });
    expect((await edit({ state: 'open' })).body).toMatchObject({ state: 'open', state_reason: 'reopened' });
    expect((await edit({ state: 'closed' })).body).toMatchObject({ state_reason: 'completed' });
    expect((await small.api('GET', `${ISSUES}/2`)).body).toMatchObject({ title: 'Less drift', state: 'closed' });
    small.github.assertClean();
  });

  test('takes labels that did not exist, and those that did in whatever case', async () => {
    await using small = await smallGithub();
    const path = await open(small, { labels: ['drift', 'Prod'] });
    const { body } = await small.api('PATCH', path, { labels: ['DRIFT', { name: 'new' }] });
    expect(names(body['labels'])).toEqual(['drift', 'new']);
    expect((await small.api('GET', `${REPO}/labels`)).list.map((label) => label['name'])).toEqual([
      'drift',
      'Prod',
      'new',
    ]);
    expect((await small.api('PATCH', path, { labels: [] })).body['labels']).toEqual([]);
  });

  test('is listed by state, label, creator and time, a page at a time, and not sent twice', async () => {
    await using small = await smallGithub();
    for (const title of ['one', 'two', 'three']) await open(small, { title, labels: ['drift', title] });
    small.github.openIssue(small.repository, { title: 'four', author: 'ann', labels: ['drift'] });
    await small.api('PATCH', `${ISSUES}/2`, { state: 'closed' });
    const list = async (query: string) => (await small.api('GET', `${ISSUES}?${query}`)).list;
    const numbers = async (query: string) => (await list(query)).map((issue) => issue['number']);
    expect(await numbers('')).toEqual([5, 4, 3, 1]);
    expect((await list('')).filter((issue) => 'pull_request' in issue)).toHaveLength(1);
    expect(await numbers('labels=drift,three&state=all')).toEqual([4]);
    expect(await numbers('creator=bot&state=all&sort=created&direction=asc')).toEqual([2, 3, 4]);
    expect(await numbers('state=closed')).toEqual([2]);
    expect(await numbers('sort=updated&state=all')).toEqual([2, 5, 4, 3, 1]);
    expect(await numbers('assignee=none&creator=ann')).toEqual([5, 1]);
    expect(await numbers(`since=${new Date(Date.now() + 5_000).toISOString()}`)).toEqual([]);
    const first = await small.api('GET', `${ISSUES}?labels=drift&state=all&per_page=3`);
    const next = /<[^>]*(\/repos[^>]*)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    expect((await small.api('GET', next)).list.map((issue) => issue['number'])).toEqual([2]);
    const tag = { 'if-none-match': first.headers.get('etag') ?? '' };
    expect((await small.api('GET', `${ISSUES}?labels=drift&state=all&per_page=3`, undefined, tag)).status).toBe(304);
    expect((await small.api('GET', `${ISSUES}?milestone=1`)).status).toBe(501);
    small.github.assertClean();
  });

  test('shares its numbers and its comments with pull requests, which can be edited as issues', async () => {
    await using small = await smallGithub();
    const path = await open(small);
    expect((await small.api('POST', `${path}/comments`, { body: 'x' })).body['html_url']).toContain('/issues/2#');
    const { body } = await small.api('PATCH', `${ISSUES}/1`, { title: 'Better', state: 'closed', labels: ['l'] });
    expect(body).toMatchObject({ title: 'Better', state: 'closed', pull_request: {} });
    expect(small.pull.issue).toMatchObject({ title: 'Better', state: 'closed' });
    expect((await small.api('GET', `${REPO}/pulls/1`)).body['labels']).toMatchObject([{ name: 'l' }]);
  });

  test('that an App opens says so', async () => {
    await using small = await smallGithub();
    const api = await asApp(small, { issues: 'write' });
    const { body } = await api('POST', ISSUES, { title: 'Drift', labels: ['drift'], assignees: ['ann'] });
    expect(body).toMatchObject({
      user: { login: 'holdfast[bot]', type: 'Bot' },
      performed_via_github_app: { slug: 'holdfast' },
      labels: [{ name: 'drift' }],
      assignees: [{ login: 'ann' }],
    });
    small.github.assertClean();
  });
});

describe('who may', () => {
  test('readers open issues, without labels and assignees: those are dropped without a word', async () => {
    await using small = await smallGithub();
    const eve = as(small, 'eve');
    const { status, body } = await eve('POST', ISSUES, { title: 'Q', labels: ['drift'], assignees: ['ann', 'nobody'] });
    expect([status, body['labels'], body['assignees']]).toEqual([201, [], []]);
    expect(small.repository.labels).toEqual([]);
    const edited = await eve('PATCH', `${ISSUES}/2`, { title: 'R', labels: ['drift'], assignees: ['ann'] });
    expect(edited.body).toMatchObject({ title: 'R', labels: [], assignees: [] });
  });

  test('its author and those with triage edit an issue, others do not', async () => {
    await using small = await smallGithub();
    small.github.openIssue(small.repository, { title: 'Q', author: 'ann' });
    expect((await as(small, 'eve')('PATCH', `${ISSUES}/2`, { state: 'closed' })).status).toBe(403);
    expect((await as(small, 'tim')('PATCH', `${ISSUES}/2`, { state: 'closed' })).status).toBe(200);
    expect((await as(small, 'ann')('PATCH', `${ISSUES}/2`, { state: 'open' })).status).toBe(200);
    expect((await as(small, 'mallory')('GET', `${ISSUES}/2`)).status).toBe(404);
  });

  test('an App needs the permission for issues; that for pull requests reaches their conversation only', async () => {
    await using small = await smallGithub();
    const path = await open(small);
    const comment = small.github.comment(
      small.github.openIssue(small.repository, { title: 'Q', author: 'ann' }),
      'ann',
      'x',
    );
    const pulls = await asApp(small, { pull_requests: 'write' });
    const refused = await pulls('POST', ISSUES, { title: 'Drift' });
    expect([refused.status, refused.headers.get('x-accepted-github-permissions')]).toEqual([403, 'issues=write']);
    expect((await pulls('GET', path)).status).toBe(403);
    expect((await pulls('GET', ISSUES)).status).toBe(403);
    expect((await pulls('PATCH', path, { title: 'x' })).status).toBe(403);
    expect((await pulls('POST', `${path}/comments`, { body: 'x' })).status).toBe(403);
    expect((await pulls('POST', `${ISSUES}/comments/${comment.id}/reactions`, { content: 'eyes' })).status).toBe(403);
    expect((await pulls('POST', `${ISSUES}/1/comments`, { body: 'x' })).status).toBe(201);
    const reader = await asApp(small, { issues: 'read' });
    expect((await reader('GET', path)).status).toBe(200);
    expect((await reader('POST', ISSUES, { title: 'Drift' })).status).toBe(403);
    expect((await reader('PATCH', path, { title: 'x' })).status).toBe(403);
  });

  test.each([
    ['a name that does not exist', 'nobody'],
    ['somebody without access', 'mallory'],
    ['a program', 'holdfast[bot]'],
  ])('%s cannot be assigned, and the request is refused with the names', async (_who, login) => {
    await using small = await smallGithub();
    await asApp(small, { issues: 'write' });
    const order = { title: 'Drift', assignees: ['ann', login], labels: ['drift'] };
    const refused = await small.api('POST', ISSUES, order);
    expect(refused.status).toBe(422);
    const told = { resource: 'Issue', field: 'assignees', code: 'invalid', value: [login] };
    expect(refused.body['errors']).toMatchObject([told]);
    expect([small.repository.issues.size, small.repository.labels]).toEqual([1, []]);
    const path = await open(small);
    expect((await small.api('PATCH', path, { assignees: [login] })).status).toBe(422);
  });

  test('in a public repository those can be assigned who have a role, or have spoken there', async () => {
    await using small = await smallGithub();
    small.repository.private = false;
    const path = await open(small, { assignees: ['eve'] });
    expect((await small.api('PATCH', path, { assignees: ['mallory'] })).status).toBe(422);
    await as(small, 'mallory')('POST', `${path}/comments`, { body: 'I do it' });
    expect((await small.api('PATCH', path, { assignees: ['mallory'] })).status).toBe(200);
  });
});

describe('sizes', () => {
  test('a title has 1 to 256 characters', async () => {
    await using small = await smallGithub();
    await open(small, { title: 'x'.repeat(256) });
    const long = await small.api('POST', ISSUES, { title: 'x'.repeat(257) });
    expect([long.status, long.body['errors']]).toEqual([422, [expect.objectContaining({ field: 'title' })]]);
    expect((await small.api('POST', ISSUES, { title: ' ' })).status).toBe(422);
    expect((await small.api('PATCH', `${ISSUES}/2`, { title: 'x'.repeat(257) })).status).toBe(422);
    small.github.assertClean();
  });

  test('a body has 65,536: more is refused when the issue is opened, and lost without a word when it is edited', async () => {
    await using small = await smallGithub();
    const path = await open(small, { body: 'x'.repeat(65_536) });
    expect((await small.api('POST', ISSUES, { title: 'Drift', body: 'x'.repeat(65_537) })).status).toBe(422);
    const edited = await small.api('PATCH', path, { title: 'T', body: 'y'.repeat(65_537) });
    expect([edited.status, edited.body['title']]).toEqual([200, 'T']);
    expect(String(edited.body['body']).startsWith('x')).toBe(true);
  });

  test('a label has 1 to 50 characters', async () => {
    await using small = await smallGithub();
    await open(small, { labels: ['x'.repeat(50)] });
    for (const label of ['x'.repeat(51), ' ']) {
      const refused = await small.api('POST', ISSUES, { title: 'Drift', labels: [label] });
      expect(refused.status).toBe(422);
      expect(refused.body['errors']).toMatchObject([{ resource: 'Label', field: 'name', code: 'invalid' }]);
    }
  });

  test('ten people are assigned at most', async () => {
    await using small = await smallGithub();
    const logins = Array.from({ length: 11 }, (_, index) => `p${index}`);
    for (const login of logins) small.github.setPermission(small.repository, login, 'read');
    await open(small, { assignees: logins.slice(1) });
    expect((await small.api('POST', ISSUES, { title: 'Drift', assignees: logins })).status).toBe(422);
  });

  test('issues and their edits are new content, and count to the secondary limit', async () => {
    await using small = await smallGithub({ limits: { contentPerMinute: 2 } });
    const path = await open(small);
    expect((await small.api('PATCH', path, { title: 'x' })).status).toBe(200);
    const refused = await small.api('PATCH', path, { title: 'y' });
    expect([refused.status, refused.headers.has('retry-after')]).toEqual([403, true]);
  });
});

describe('an issue that is not there as it was', () => {
  test('locked: those who may write speak, others and Apps do not; it is read and edited all the same', async () => {
    await using small = await smallGithub();
    const path = await open(small);
    const app = await asApp(small, { issues: 'write' });
    expect((await small.api('PUT', `${path}/lock`, { lock_reason: 'too heated' })).status).toBe(204);
    expect((await small.api('GET', path)).body).toMatchObject({ locked: true, active_lock_reason: 'too heated' });
    const speak = async (api: typeof app) => await api('POST', `${path}/comments`, { body: 'x' });
    for (const api of [as(small, 'eve'), as(small, 'tim'), app]) {
      const refused = await speak(api);
      expect([refused.status, refused.body['message']]).toEqual([403, expect.stringMatching(/issue is locked/)]);
    }
    expect((await speak(as(small, 'ann'))).status).toBe(201);
    expect((await app('PATCH', path, { body: 'edited' })).status).toBe(200);
    expect((await as(small, 'tim')('DELETE', `${path}/lock`)).status).toBe(403);
    expect((await small.api('DELETE', `${path}/lock`)).status).toBe(204);
    expect((await speak(app)).status).toBe(201);
    small.github.assertClean();
  });

  test('deleted: 410 for the issue and its conversation, and not listed', async () => {
    await using small = await smallGithub();
    const path = await open(small);
    const issue = small.github.issue(small.repository, 2);
    if (issue === undefined) throw new Error('no issue');
    const comment = small.github.comment(issue, 'ann', 'x');
    small.github.deleteIssue(issue, 'acme');
    expect((await small.api('GET', path)).body['message']).toBe('This issue was deleted');
    const answers = [
      await small.api('GET', path),
      await small.api('PATCH', path, { state: 'closed' }),
      await small.api('POST', `${path}/comments`, { body: 'x' }),
      await small.api('GET', `${path}/comments`),
      await small.api('GET', `${ISSUES}/comments/${comment.id}`),
      await small.api('GET', `${ISSUES}/99`),
    ];
    expect(answers.map(({ status }) => status)).toEqual([410, 410, 410, 410, 404, 404]);
    expect((await small.api('GET', `${ISSUES}?state=all`)).list.map((one) => one['number'])).toEqual([1]);
    expect((await as(small, 'mallory')('GET', path)).status).toBe(404);
    small.github.assertClean();
  });

  test('transferred: the old number leads to the new place, for those who see it; its comments are not there', async () => {
    await using small = await smallGithub();
    const { github, repository, api } = small;
    const other = await github.createRepository({
      owner: 'acme',
      name: 'other',
      files: { x: '' },
      roles: { bot: 'write' },
    });
    github.openIssue(other, { title: 'one', author: 'ann', labels: ['drift'] });
    const path = await open(small, { labels: ['drift', 'here'], assignees: ['ann'] });
    const issue = github.issue(repository, 2);
    if (issue === undefined) throw new Error('no issue');
    const comment = github.comment(issue, 'ann', 'said');
    const moved = github.transferIssue(issue, other, 'acme');
    for (const answer of [await api('GET', path), await api('PATCH', path, { title: 'x' })]) {
      expect(answer.status).toBe(301);
      expect(answer.headers.get('location')).toBe(`${github.apiUrl}/repositories/${other.id}/issues/${moved.number}`);
    }
    expect(moved.title).toBe('Drift');
    const there = await api('GET', `/repositories/${other.id}/issues/${moved.number}`);
    expect(there.body).toMatchObject({ title: 'Drift', assignees: [{ login: 'ann' }], comments: 1 });
    expect(names(there.body['labels'])).toEqual(['drift']);
    expect((await api('POST', `${path}/comments`, { body: 'x' })).status).toBe(404);
    expect((await api('GET', `${path}/comments`)).status).toBe(404);
    expect((await api('GET', `${ISSUES}/comments/${comment.id}`)).status).toBe(404);
    expect((await as(small, 'eve')('GET', path)).status).toBe(404);
    expect(() => github.transferIssue(small.pull.issue, other, 'acme')).toThrow(/pull request/);
    github.assertClean();
  });

  test('issues are off: 410 for all of them, while pull requests go on', async () => {
    await using small = await smallGithub();
    const path = await open(small);
    small.github.switchIssues(small.repository, false);
    const answers = [
      await small.api('POST', ISSUES, { title: 'Drift' }),
      await small.api('GET', path),
      await small.api('PATCH', path, { state: 'closed' }),
      await small.api('POST', `${path}/comments`, { body: 'x' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([410, 410, 410, 410]);
    expect(answers[0]?.body['message']).toMatch(/disabled/);
    expect((await small.api('GET', `${ISSUES}?state=all`)).list.map((one) => one['number'])).toEqual([1]);
    expect((await small.api('POST', `${ISSUES}/1/comments`, { body: 'x' })).status).toBe(201);
    expect((await small.api('GET', REPO)).body['has_issues']).toBe(false);
  });

  test('a renamed repository leads to its issues by its id', async () => {
    await using small = await smallGithub();
    const path = await open(small);
    small.github.renameRepository(small.repository, 'platform');
    const answer = await small.api('GET', path);
    expect(answer.headers.get('location')).toBe(`${small.github.url}/repositories/${small.repository.id}/issues/2`);
    expect((await small.api('PATCH', path, { state: 'closed' })).status).toBe(307);
  });
});
