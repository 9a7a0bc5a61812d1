import { describe, expect, test } from 'vitest';
import { clientOf, REPO, smallGithub } from './small-github.ts';

describe('lists', () => {
  test('30 an answer, 100 at most, with links to the neighbours', async () => {
    await using small = await smallGithub();
    for (let count = 0; count < 101; count += 1) small.github.comment(small.pull, 'ann', `${count}`);
    const path = `${REPO}/issues/1/comments`;
    const first = await small.api('GET', path);
    expect(first.list).toHaveLength(30);
    expect(first.headers.get('link')).toContain(`<${small.github.apiUrl}${path}?page=2>; rel="next"`);
    expect((await small.api('GET', `${path}?per_page=500`)).list).toHaveLength(100);
    const last = await small.api('GET', `${path}?per_page=100&page=2`);
    expect(last.list).toHaveLength(1);
    expect(last.headers.get('link')).not.toContain('next');
  });

  test('links keep the prefix of an Enterprise server', async () => {
    await using small = await smallGithub();
    small.github.comment(small.pull, 'ann', 'one');
    small.github.comment(small.pull, 'ann', 'two');
    const enterprise = clientOf(small.github.enterpriseApiUrl, small.token);
    const answer = await enterprise('GET', `${REPO}/issues/1/comments?per_page=1`);
    expect(answer.headers.get('link')).toContain('/api/v3/repos/acme/infra/issues/1/comments?per_page=1&page=2');
  });

  test('sort=updated without a direction means oldest first; created means newest first', async () => {
    await using small = await smallGithub();
    const second = await small.github.openPullRequest(small.repository, {
      author: 'bob',
      title: 'Second',
      files: { 'b.tf': '' },
    });
    small.pull.issue.updatedAt = new Date(Date.now() + 5_000);
    const numbers = async (query: string) =>
      (await small.api('GET', `${REPO}/pulls${query}`)).list.map((one) => one['number']);
    expect(await numbers('?sort=updated')).toEqual([second.issue.number, 1]);
    expect(await numbers('?sort=updated&direction=desc')).toEqual([1, second.issue.number]);
    expect(await numbers('')).toEqual([second.issue.number, 1]);
    await small.github.closePullRequest(second, 'bob');
    expect(await numbers('')).toEqual([1]);
    expect(await numbers('?state=all')).toHaveLength(2);
    expect((await small.api('GET', `${REPO}/pulls`)).list[0]).not.toHaveProperty('mergeable');
  });

  test('comments since a time are those updated then or later', async () => {
    await using small = await smallGithub();
    const old = small.github.comment(small.pull, 'ann', 'old');
    const fresh = small.github.comment(small.pull, 'ann', 'fresh');
    old.updatedAt = new Date(Date.now() - 60_000);
    const since = new Date(Date.now() - 30_000).toISOString();
    const { list } = await small.api('GET', `${REPO}/issues/comments?since=${since}&sort=updated&direction=asc`);
    expect(list.map((one) => one['id'])).toEqual([fresh.id]);
  });
});

describe('conditional requests', () => {
  test('the same answer again is a 304 that is not counted', async () => {
    await using small = await smallGithub();
    const first = await small.api('GET', `${REPO}/pulls`);
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\/"/);
    const again = await small.api('GET', `${REPO}/pulls`, undefined, { 'if-none-match': etag });
    expect(again.status).toBe(304);
    expect(again.headers.get('x-ratelimit-remaining')).toBe(first.headers.get('x-ratelimit-remaining'));
    await small.github.pushToPullRequest(small.pull, { 'main.tf': 'c\n' });
    expect((await small.api('GET', `${REPO}/pulls`, undefined, { 'if-none-match': etag })).status).toBe(200);
  });
});

describe('renamed', () => {
  test('the former name leads to the id: 301 for reads, 307 for writes, until somebody takes the name', async () => {
    await using small = await smallGithub();
    small.github.renameRepository(small.repository, 'platform');
    const moved = await small.api('GET', `${REPO}/pulls/1?x=1`);
    expect(moved.status).toBe(301);
    const location = `/repositories/${small.repository.id}/pulls/1`;
    expect(moved.headers.get('location')).toBe(`${small.github.apiUrl}${location}?x=1`);
    expect((await small.api('GET', location)).body['number']).toBe(1);
    expect((await small.api('POST', `${REPO}/issues/1/comments`, { body: 'x' })).status).toBe(307);
    const enterprise = clientOf(small.github.enterpriseApiUrl, small.token);
    expect((await enterprise('GET', REPO)).headers.get('location')).toContain('/api/v3/repositories/');
    await small.github.createRepository({ owner: 'acme', name: 'infra', files: { a: '' }, roles: { bot: 'read' } });
    expect((await small.api('GET', REPO)).body['id']).not.toBe(small.repository.id);
  });
});

describe('merging', () => {
  test('mergeable is null at first, then known, and unknown again after a push', async () => {
    await using small = await smallGithub();
    const ask = async () => {
      const { body } = await small.api('GET', `${REPO}/pulls/1`);
      return [body['mergeable'], body['mergeable_state']];
    };
    expect(await ask()).toEqual([null, 'unknown']);
    expect(await ask()).toEqual([true, 'clean']);
    await small.github.commitFile(small.repository, { 'main.tf': 'conflict\n' });
    expect(await ask()).toEqual([null, 'unknown']);
    expect(await ask()).toEqual([false, 'dirty']);
  });

  test('protection blocks, a failing check that nobody requires does not', async () => {
    await using small = await smallGithub({ mergeableDelay: 0 });
    const state = async () => (await small.api('GET', `${REPO}/pulls/1`)).body['mergeable_state'];
    const status = (context: string, word: string) =>
      small.api('POST', `${REPO}/statuses/${small.pull.headSha}`, { state: word, context });
    await status('lint', 'failure');
    expect(await state()).toBe('unstable');
    small.github.protectBranch(small.repository, 'main', { checks: ['ci'], approvals: 1, strict: true });
    expect(await state()).toBe('blocked');
    await status('ci', 'success');
    small.github.review(small.pull, 'eve', 'APPROVED');
    expect(await state()).toBe('blocked');
    small.github.review(small.pull, 'bob', 'APPROVED');
    expect(await state()).toBe('unstable');
    await small.github.commitFile(small.repository, { 'other.tf': '' });
    expect(await state()).toBe('behind');
  });

  test('409 for another head, 405 for a draft, a block, a conflict or a closed one', async () => {
    await using small = await smallGithub();
    const merge = (sha = small.pull.headSha) =>
      small.api('PUT', `${REPO}/pulls/1/merge`, { sha, merge_method: 'merge' });
    expect((await merge('1'.repeat(40))).status).toBe(409);
    await small.github.setDraft(small.pull, true, 'ann');
    expect((await merge()).status).toBe(405);
    await small.github.setDraft(small.pull, false, 'ann');
    small.github.protectBranch(small.repository, 'main', { checks: ['ci'] });
    expect((await merge()).body['message']).toMatch(/"ci" is expected/);
    small.repository.protections.clear();
    const merged = await merge();
    expect(merged.status).toBe(200);
    expect(small.pull.merged?.sha).toBe(merged.body['sha']);
    expect(await small.github.tip(small.repository, 'main')).toBe(merged.body['sha']);
    expect((await merge()).status).toBe(405);
    const { list } = await small.api('GET', `${REPO}/commits/${merged.body['sha']}/pulls`);
    expect(list.map((one) => one['number'])).toEqual([1]);
  });

  test.each(['squash', 'rebase'] as const)('%s makes a commit with one parent', async (method) => {
    await using small = await smallGithub();
    const { body } = await small.api('PUT', `${REPO}/pulls/1/merge`, { merge_method: method });
    const commit = await small.api('GET', `${REPO}/commits/${body['sha']}`);
    expect(commit.body['parents']).toHaveLength(1);
  });
});

describe('reviews and reactions', () => {
  test('nobody approves his own pull request', async () => {
    await using small = await smallGithub();
    const ann = clientOf(small.github.apiUrl, small.github.createToken('ann'));
    expect((await ann('POST', `${REPO}/pulls/1/reviews`, { event: 'APPROVE' })).status).toBe(422);
    const made = await small.api('POST', `${REPO}/pulls/1/reviews`, { event: 'APPROVE' });
    expect(made.body).toMatchObject({ state: 'APPROVED', commit_id: small.pull.headSha });
    expect((await small.api('GET', `${REPO}/pulls/1/reviews`)).list).toHaveLength(1);
  });

  test('a reaction is made once: 201, then 200', async () => {
    await using small = await smallGithub();
    const { id } = small.github.comment(small.pull, 'ann', 'x');
    const react = async () =>
      (await small.api('POST', `${REPO}/issues/comments/${id}/reactions`, { content: 'eyes' })).status;
    expect([await react(), await react()]).toEqual([201, 200]);
    expect((await small.api('GET', `${REPO}/issues/comments/${id}/reactions`)).list).toHaveLength(1);
  });
});

describe('files and commits', () => {
  test('the files of a pull request, with renames', async () => {
    await using small = await smallGithub();
    const long = `${'line\n'.repeat(20)}`;
    await small.github.commitFile(small.repository, { 'old/main.tf': long });
    const pull = await small.github.openPullRequest(small.repository, {
      author: 'ann',
      title: 'Move',
      files: { 'old/main.tf': null, 'new/main.tf': long, 'added.tf': 'quite new\n', 'modules/x/main.tf': null },
    });
    const { list } = await small.api('GET', `${REPO}/pulls/${pull.issue.number}/files`);
    expect(list.map(({ filename, status, previous_filename: from }) => [filename, status, from])).toEqual([
      ['added.tf', 'added', undefined],
      ['modules/x/main.tf', 'removed', undefined],
      ['new/main.tf', 'renamed', 'old/main.tf'],
    ]);
  });

  test('compare, refs, branches and activity', async () => {
    await using small = await smallGithub();
    const compared = await small.api('GET', `${REPO}/compare/main...${small.pull.headRef}`);
    expect(compared.body).toMatchObject({ status: 'ahead', ahead_by: 1, behind_by: 0 });
    const ref = await small.api('GET', `${REPO}/git/ref/heads/main`);
    expect(ref.body['object']).toMatchObject({ sha: small.pull.baseSha });
    expect((await small.api('GET', `${REPO}/git/ref/heads/mai`)).status).toBe(404);
    expect((await small.api('GET', `${REPO}/branches/main`)).body['protected']).toBe(false);
    const { list } = await small.api('GET', `${REPO}/activity?ref=${small.pull.headRef}`);
    expect(list[0]).toMatchObject({ activity_type: 'branch_creation', actor: { login: 'ann' } });
    small.github.assertClean();
  });

  test('the combined status takes the newest of each context', async () => {
    await using small = await smallGithub();
    const post = (context: string, state: string) =>
      small.api('POST', `${REPO}/statuses/${small.pull.headSha}`, { context, state });
    await post('ci', 'failure');
    await post('CI', 'success');
    await post('lint', 'pending');
    const { body } = await small.api('GET', `${REPO}/commits/${small.pull.headSha}/status`);
    expect([body['state'], body['total_count']]).toEqual(['pending', 2]);
    expect((await small.api('GET', `${REPO}/commits/${small.pull.headSha}/statuses`)).list).toHaveLength(3);
  });
});
