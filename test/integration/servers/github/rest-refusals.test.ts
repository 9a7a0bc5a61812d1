import { describe, expect, test } from 'vitest';
import { clientOf, REPO, smallGithub } from './small-github.ts';

describe('what GitHub does not describe', () => {
  test('an unknown path is 404 and spoils the test that asked', async () => {
    await using small = await smallGithub();
    expect((await small.api('GET', `${REPO}/topics`)).status).toBe(404);
    expect(small.github.unexpected).toEqual([`GET ${REPO}/topics`]);
    expect(() => small.github.assertClean()).toThrow(/no such route: GET \/repos\/acme\/infra\/topics/);
    small.github.clearBooks();
    small.github.assertClean();
  });

  test.each([
    ['an unknown query parameter', 'GET', `${REPO}/pulls?stat=all`, undefined, /query parameter "stat"/],
    ['a value outside the list', 'GET', `${REPO}/pulls?state=merged`, undefined, /allowed values/],
    ['an unknown field', 'POST', `${REPO}/issues/1/comments`, { body: 'x', text: 'y' }, /field "text"/],
    ['a field of the wrong type', 'POST', `${REPO}/issues/1/comments`, { body: 7 }, /must be string/],
    ['a missing field', 'POST', `${REPO}/issues/1/comments`, {}, /required property 'body'/],
    [
      'a reaction that does not exist',
      'POST',
      `${REPO}/issues/comments/1/reactions`,
      { content: 'shrug' },
      /allowed values/,
    ],
    [
      'a state that does not exist',
      'POST',
      `${REPO}/statuses/${'0'.repeat(40)}`,
      { state: 'running' },
      /allowed values/,
    ],
  ])('%s is 422 and kept as a violation', async (_name, method, path, body, reason) => {
    await using small = await smallGithub();
    const answer = await small.api(method, path, body);
    expect(answer.status).toBe(422);
    expect(answer.body['message']).toMatch(reason);
    expect(small.github.violations).toHaveLength(1);
    expect(() => small.github.assertClean()).toThrow(reason);
  });
});

describe('access', () => {
  test('wrong credentials are 401, none and foreign ones see no private repository', async () => {
    await using small = await smallGithub();
    const { github } = small;
    expect((await clientOf(github.apiUrl, 'ghp_wrong')('GET', REPO)).status).toBe(401);
    expect((await clientOf(github.apiUrl, undefined)('GET', REPO)).status).toBe(404);
    expect((await clientOf(github.apiUrl, undefined)('GET', '/user')).status).toBe(401);
    expect((await clientOf(github.apiUrl, github.createToken('mallory'))('GET', REPO)).status).toBe(404);
    expect((await small.api('GET', REPO)).status).toBe(200);
  });

  test('a public repository is read by everybody and commented on by those who have an account', async () => {
    await using small = await smallGithub();
    small.repository.private = false;
    const nobody = clientOf(small.github.apiUrl, undefined);
    expect((await nobody('GET', `${REPO}/pulls/1`)).status).toBe(200);
    expect((await nobody('POST', `${REPO}/statuses/${small.pull.headSha}`, { state: 'success' })).status).toBe(401);
    const mallory = clientOf(small.github.apiUrl, small.github.createToken('mallory'));
    expect((await mallory('POST', `${REPO}/issues/1/comments`, { body: 'hi' })).status).toBe(201);
    expect((await mallory('POST', `${REPO}/statuses/${small.pull.headSha}`, { state: 'success' })).status).toBe(403);
  });

  test.each([
    ['eve', 403],
    ['tim', 403],
    ['ann', 201],
    ['bob', 201],
  ])('a status set by %s is answered %i', async (login, status) => {
    await using small = await smallGithub();
    const api = clientOf(small.github.apiUrl, small.github.createToken(login));
    const path = `${REPO}/statuses/${small.pull.headSha}`;
    expect((await api('POST', path, { state: 'success' })).status).toBe(status);
  });

  test('roles read as the four old words, and in full as role_name', async () => {
    await using small = await smallGithub();
    const seen: unknown[] = [];
    for (const login of ['acme', 'bob', 'ann', 'tim', 'eve', 'mallory']) {
      const { body } = await small.api('GET', `${REPO}/collaborators/${login}/permission`);
      seen.push([body['permission'], body['role_name']]);
    }
    expect(seen).toEqual([
      ['admin', 'admin'],
      ['write', 'maintain'],
      ['write', 'write'],
      ['read', 'triage'],
      ['read', 'read'],
      ['none', 'none'],
    ]);
    expect((await small.api('GET', `${REPO}/collaborators/nobody-at-all/permission`)).status).toBe(404);
  });

  test('branch protection is for administrators', async () => {
    await using small = await smallGithub();
    small.github.protectBranch(small.repository, 'main', { checks: ['ci'], approvals: 1 });
    expect((await small.api('GET', `${REPO}/branches/main/protection`)).status).toBe(403);
    const owner = clientOf(small.github.apiUrl, small.github.createToken('acme'));
    const { body } = await owner('GET', `${REPO}/branches/main/protection/required_status_checks`);
    expect(body['checks']).toEqual([{ context: 'ci', app_id: null }]);
    expect((await owner('GET', `${REPO}/branches/main/protection`)).status).toBe(200);
    expect((await owner('GET', `${REPO}/branches/other/protection`)).status).toBe(404);
  });

  test('an archived repository is read-only', async () => {
    await using small = await smallGithub();
    small.github.archiveRepository(small.repository);
    expect((await small.api('GET', `${REPO}/pulls/1`)).status).toBe(200);
    expect((await small.api('POST', `${REPO}/statuses/${small.pull.headSha}`, { state: 'success' })).status).toBe(403);
    expect((await small.api('POST', `${REPO}/issues/1/comments`, { body: 'x' })).status).toBe(403);
  });

  test('a comment is changed by its author and by writers, and by no one else', async () => {
    await using small = await smallGithub();
    const { id } = small.github.comment(small.pull, 'ann', 'mine');
    const as = (login: string) => clientOf(small.github.apiUrl, small.github.createToken(login));
    expect((await as('eve')('PATCH', `${REPO}/issues/comments/${id}`, { body: 'x' })).status).toBe(403);
    expect((await as('bob')('PATCH', `${REPO}/issues/comments/${id}`, { body: 'x' })).status).toBe(200);
    expect((await as('tim')('DELETE', `${REPO}/issues/comments/${id}`)).status).toBe(403);
    expect((await as('ann')('DELETE', `${REPO}/issues/comments/${id}`)).status).toBe(204);
    expect((await as('ann')('GET', `${REPO}/issues/comments/${id}`)).status).toBe(404);
  });
});

describe('sizes', () => {
  test('a comment has 65,536 characters at most, when made and when edited', async () => {
    await using small = await smallGithub();
    const good = await small.api('POST', `${REPO}/issues/1/comments`, { body: 'x'.repeat(65_536) });
    expect(good.status).toBe(201);
    const refused = await small.api('POST', `${REPO}/issues/1/comments`, { body: 'x'.repeat(65_537) });
    expect(refused.status).toBe(422);
    expect(refused.body).toMatchObject({ message: 'Validation Failed', errors: [{ field: 'body', code: 'custom' }] });
    const edited = await small.api('PATCH', `${REPO}/issues/comments/${good.body['id']}`, { body: 'x'.repeat(65_537) });
    expect(edited.status).toBe(422);
    small.github.assertClean();
  });

  test('an empty comment is refused', async () => {
    await using small = await smallGithub();
    expect((await small.api('POST', `${REPO}/issues/1/comments`, { body: ' ' })).status).toBe(422);
  });

  test('a status has a description of 140 characters, an http link, a known commit', async () => {
    await using small = await smallGithub();
    const path = `${REPO}/statuses/${small.pull.headSha}`;
    expect((await small.api('POST', path, { state: 'success', description: 'x'.repeat(140) })).status).toBe(201);
    expect((await small.api('POST', path, { state: 'success', description: 'x'.repeat(141) })).status).toBe(422);
    expect((await small.api('POST', path, { state: 'success', target_url: 'ftp://x' })).status).toBe(422);
    expect((await small.api('POST', `${REPO}/statuses/${'1'.repeat(40)}`, { state: 'success' })).status).toBe(422);
  });

  test('a commit takes 1,000 statuses of one context, whatever its case', async () => {
    await using small = await smallGithub();
    const creator = small.github.createUser('bot');
    const status = {
      sha: small.pull.headSha,
      state: 'success',
      context: 'CI',
      description: null,
      targetUrl: null,
      creator,
    } as const;
    for (let id = 0; id < 1_000; id += 1)
      small.repository.statuses.push({ ...status, id, nodeId: '', createdAt: new Date() });
    const path = `${REPO}/statuses/${small.pull.headSha}`;
    expect((await small.api('POST', path, { state: 'success', context: 'ci' })).status).toBe(422);
    expect((await small.api('POST', path, { state: 'success', context: 'other' })).status).toBe(201);
  });
});

describe('limits', () => {
  test('every answer says what is left, and nothing is left at zero', async () => {
    await using small = await smallGithub({ limits: { requestsPerHour: 2 } });
    const first = await small.api('GET', REPO);
    expect(first.headers.get('x-ratelimit-remaining')).toBe('1');
    expect(first.headers.get('x-github-request-id')).toBeTruthy();
    await small.api('GET', REPO);
    const refused = await small.api('GET', REPO);
    expect(refused.status).toBe(403);
    expect(refused.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(Number(refused.headers.get('x-ratelimit-reset'))).toBeGreaterThan(Date.now() / 1000);
    expect((await small.api('GET', '/rate_limit')).status).toBe(200);
  });

  test('too much new content is the secondary limit, with retry-after, for reads as well', async () => {
    await using small = await smallGithub({ limits: { contentPerMinute: 2 } });
    const write = () => small.api('POST', `${REPO}/issues/1/comments`, { body: 'x' });
    expect([(await write()).status, (await write()).status]).toEqual([201, 201]);
    const refused = await write();
    expect(refused.status).toBe(403);
    expect(refused.body['message']).toMatch(/secondary rate limit/);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await small.api('GET', REPO)).status).toBe(403);
  });

  test('the secondary limit comes on demand, also without its header', async () => {
    await using small = await smallGithub();
    small.github.limits.block(30, false);
    const refused = await small.api('GET', REPO);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([403, null]);
    small.github.limits.unblock();
    expect((await small.api('GET', REPO)).status).toBe(200);
  });
});
