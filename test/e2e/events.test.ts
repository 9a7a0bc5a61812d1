import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Stage, startStage } from '../support/e2e-stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage[Symbol.asyncDispose]());
afterEach((context) => stage.check(context));

const PLAN_OK = 'success 1 project planned, 1 with changes';

test('opened, pushed to, closed, reopened and merged', async () => {
  const app = (content: string) => ({ 'app/main.tf': stage.root('life', 'app', { a: content }) });
  const repository = await stage.repository('life', app('one'));
  const pull = await stage.open(repository, app('two'));
  expect(stage.planComment(pull)).toContain('1 project: 1 to apply');
  expect(stage.planComment(pull)).toContain('content = "two"');
  expect(stage.statuses(pull)).toEqual([
    'holdfast/apply: pending 0 of 1 applied',
    'holdfast/plan: app: success +1 ~0 -0',
    `holdfast/plan: ${PLAN_OK}`,
  ]);
  expect(await stage.locks(repository)).toEqual([{ dir: 'app', workspace: 'default', name: null, pull: 1 }]);

  const first = pull.headSha;
  await stage.push(pull, app('three'));
  expect(pull.headSha).not.toBe(first);
  expect(stage.statuses(pull, first)).toEqual([
    `holdfast/apply: error superseded by ${pull.headSha.slice(0, 7)}`,
    'holdfast/plan: app: success +1 ~0 -0',
    `holdfast/plan: ${PLAN_OK}`,
  ]);
  expect(stage.planComment(pull)).toContain('content = "three"');
  expect(stage.planComment(pull)).toContain(pull.headSha.slice(0, 7));
  expect(stage.comments(pull)).toHaveLength(1);
  expect(stage.status(pull, 'holdfast/plan')).toBe(PLAN_OK);

  await stage.github.closePullRequest(pull, 'ann');
  await stage.settle();
  expect(await stage.locks(repository)).toEqual([]);
  expect(stage.lastReply(pull)).toContain('The pull request is closed; its plans and locks are gone: `app`.');
  expect(stage.lastReply(pull)).toContain('Never applied: `app`');

  await stage.github.reopenPullRequest(pull, 'ann');
  await stage.settle();
  expect(await stage.runs(pull)).toEqual(['plan app succeeded', 'plan app succeeded', 'plan app succeeded']);
  expect(await stage.locks(repository)).toHaveLength(1);
  expect(stage.planComment(pull)).toContain('1 project: 1 to apply');

  await stage.github.merge(pull, 'ann');
  await stage.settle();
  expect(stage.lastReply(pull)).toContain('The pull request is merged; its plans and locks are gone: `app`.');
  expect(stage.lastReply(pull)).toContain('Merged, but **not applied**: `app`');
  expect(await stage.locks(repository)).toEqual([]);
});

test('signed deliveries that are sent again under other ids make nothing happen twice', async () => {
  const app = (content: string) => ({ 'app/main.tf': stage.root('again', 'app', { a: content }) });
  const repository = await stage.repository('again', app('one'));
  const pull = await stage.open(repository, app('two'));
  await stage.say(pull, 'ann', 'holdfast plan');
  await stage.say(pull, 'ann', 'holdfast apply');
  await stage.push(pull, app('three'));
  await stage.github.closePullRequest(pull, 'ann');
  await stage.settle();
  await stage.github.reopenPullRequest(pull, 'ann');
  await stage.settle();
  await stage.say(pull, 'ann', 'holdfast unlock');
  await stage.say(pull, 'ann', 'holdfast plan');
  const seen = async () => ({
    runs: await stage.runs(pull),
    comments: stage.comments(pull).map(({ body }) => body),
    locks: await stage.locks(repository),
    statuses: repository.statuses.length,
  });
  const before = await seen();
  expect(before.runs).toHaveLength(6);
  const sent = stage.github.deliveries.filter(({ repositoryId }) => repositoryId === repository.id);
  for (const delivery of sent) stage.github.hub.hooks.redeliver({ ...delivery, guid: randomUUID() });
  await stage.settle();
  expect(stage.github.deliveries.slice(-sent.length).map(({ statusCode }) => statusCode)).toEqual(sent.map(() => 202));
  expect(await seen()).toEqual(before);
});

test('drafts wait until they are ready for review; forks are left alone and told why', async () => {
  const app = (content: string) => ({ 'app/main.tf': stage.root('quiet', 'app', { a: content }) });
  const repository = await stage.repository('quiet', app('one'), { roles: { dave: 'read' } });
  const draft = await stage.open(repository, app('two'), { draft: true });
  const fork = await stage.open(repository, app('three'), { author: 'dave', fork: true });
  for (const pull of [draft, fork]) {
    expect(stage.comments(pull)).toEqual([]);
    expect(stage.statuses(pull)).toEqual([]);
  }
  await stage.say(fork, 'ann', 'holdfast plan');
  expect(stage.lastReply(fork)).toContain('this server does not plan forks');
  expect(await stage.runs(fork)).toEqual([]);
  await stage.github.setDraft(draft, false, 'ann');
  await stage.settle();
  expect(stage.planComment(draft)).toContain('1 to apply');
  const planned = draft.headSha;
  await stage.github.setDraft(draft, true, 'ann');
  await stage.push(draft, app('four'));
  expect(stage.statuses(draft)).toEqual([]);
  expect(stage.statuses(draft, planned)).toContain(`holdfast/apply: error superseded by ${draft.headSha.slice(0, 7)}`);
});

test('retargeted while planning: the plan against the old base is stopped, the new one counts', async () => {
  const files = (app: string, net = 'n') => ({
    'app/main.tf': stage.root('target', 'app', { a: app }),
    'net/main.tf': stage.root('target', 'net', { n: net }),
  });
  const repository = await stage.repository('target', files('one'));
  await stage.github.commitFile(repository, files('two'), { branch: 'release', author: 'ann' });
  await stage.settle();
  await stage.slow('plan', 'target-a', 5_000);
  const pull = await stage.github.openPullRequest(repository, {
    author: 'ann',
    title: 'Both',
    branch: 'both',
    files: files('two', 'new'),
  });
  await until(async () => (await stage.runs(pull)).includes('plan app running') || undefined);
  await stage.github.retarget(pull, 'release', 'ann');
  await stage.settle();
  expect((await stage.runs(pull)).toSorted()).toEqual([
    'plan app cancelled',
    'plan app succeeded',
    'plan net cancelled',
    'plan net succeeded',
  ]);
  expect(stage.planComment(pull)).toContain('into `release`');
  expect(stage.planComment(pull)).toContain('Planned as merged with release');
  expect(stage.planComment(pull)).toContain('2 projects: 2 to apply');
  expect((await stage.locks(repository)).map(({ dir }) => dir)).toEqual(['app', 'net']);
  expect(stage.status(pull, 'holdfast/plan')).toBe('success 2 projects planned, 2 with changes');
});

test('force-pushed during an apply: the apply ends, and the new commit is planned after it', async () => {
  const app = (content: string) => ({ 'app/main.tf': stage.root('force', 'app', { a: content }) });
  const repository = await stage.repository('force', app('one'));
  const pull = await stage.open(repository, app('two'));
  await stage.slow('create', 'force-a', 4_000);
  stage.github.comment(pull, 'ann', 'holdfast apply');
  await until(() => stage.applying(pull));
  await stage.push(pull, app('three'), { force: true });
  expect(await stage.runs(pull)).toEqual(['plan app succeeded', 'apply app succeeded', 'plan app succeeded']);
  expect((await stage.object('force-a'))?.content).toBe('two');
  expect(stage.planComment(pull)).toContain('+0 ~1 -0');
  expect(stage.planComment(pull)).toContain(pull.headSha.slice(0, 7));
  expect(stage.lastReply(pull)).toContain('1 applied');
  expect(stage.status(pull, 'holdfast/apply')).toBe('pending 0 of 1 applied');
});

test('closed during an apply: the lock stays until the apply has ended', async () => {
  const app = (content: string) => ({ 'app/main.tf': stage.root('slam', 'app', { a: content }) });
  const repository = await stage.repository('slam', app('one'));
  const pull = await stage.open(repository, app('two'));
  await stage.slow('create', 'slam-a', 3_000);
  stage.github.comment(pull, 'ann', 'holdfast apply');
  await until(() => stage.applying(pull));
  await stage.github.closePullRequest(pull, 'ann');
  await until(() => stage.replies(pull).find((reply) => reply.includes('The pull request is closed')));
  expect(await stage.locks(repository)).toHaveLength(1);
  await stage.settle();
  expect(await stage.runs(pull)).toEqual(['plan app succeeded', 'apply app succeeded']);
  expect(await stage.locks(repository)).toEqual([]);
  expect((await stage.object('slam-a'))?.content).toBe('two');
  expect(stage.statuses(pull).filter((status) => status.includes(': pending'))).toEqual([]);
});

test('renamed, transferred to another owner, default branch renamed: the same pull request goes on', async () => {
  const app = (content: string) => ({ 'app/main.tf': stage.root('moves', 'app', { a: content }) });
  const repository = await stage.repository('moves', app('one'));
  const pull = await stage.open(repository, app('two'));
  stage.github.renameRepository(repository, 'moved');
  await stage.push(pull, app('three'));
  expect(stage.planComment(pull)).toContain('content = "three"');
  expect(stage.comments(pull)).toHaveLength(1);
  expect(await stage.locks(repository)).toHaveLength(1);

  await stage.github.renameDefaultBranch(repository, 'trunk');
  await stage.push(pull, app('four'));
  expect(stage.planComment(pull)).toContain('into `trunk`');
  expect(stage.planComment(pull)).toContain('content = "four"');

  // Its new owner is not on the operator's list.
  stage.github.transferRepository(repository, 'elsewhere');
  await stage.settle();
  const before = await stage.runs(pull);
  await stage.push(pull, app('five'));
  expect(await stage.runs(pull)).toEqual(before);
});

test('an archived repository is left alone', async () => {
  const app = (content: string) => ({ 'app/main.tf': stage.root('archive', 'app', { a: content }) });
  const repository = await stage.repository('archive', app('one'));
  const pull = await stage.open(repository, app('two'));
  stage.github.archiveRepository(repository);
  await stage.settle();
  const comments = stage.comments(pull).length;
  await stage.say(pull, 'ann', 'holdfast apply');
  expect(stage.comments(pull)).toHaveLength(comments);
  expect(await stage.runs(pull)).toEqual(['plan app succeeded']);
  stage.github.archiveRepository(repository, false);
  await stage.say(pull, 'ann', 'holdfast apply');
  expect(stage.lastReply(pull)).toContain('1 applied');
});

test('a pull request that touches no project gets its final green statuses and no comment', async () => {
  const repository = await stage.repository('docs', {
    'app/main.tf': stage.root('docs', 'app', { a: 'one' }),
    'README.md': 'one\n',
  });
  const pull = await stage.open(repository, { 'README.md': 'two\n' });
  expect(stage.statuses(pull)).toEqual([
    'holdfast/apply: success nothing to apply',
    'holdfast/plan: success no project is touched',
  ]);
  expect(stage.comments(pull)).toEqual([]);
  expect(await stage.locks(repository)).toEqual([]);
});

test('a conflict with the base is explained, with the files, and goes away with the next commit', async () => {
  const app = (content: string) => ({ 'app/main.tf': stage.root('clash', 'app', { a: content }) });
  const repository = await stage.repository('clash', { ...app('one'), 'README.md': 'one\n' });
  const pull = await stage.github.openPullRequest(repository, {
    author: 'ann',
    title: 'Mine',
    branch: 'mine',
    files: app('mine'),
  });
  const docs = await stage.github.openPullRequest(repository, {
    author: 'ann',
    title: 'Words',
    branch: 'words',
    files: { 'README.md': 'words\n' },
  });
  await stage.settle();
  await stage.github.commitFile(repository, { ...app('theirs'), 'README.md': 'theirs\n' }, { author: 'bob' });
  await stage.settle();
  await stage.push(pull, { 'app/other.txt': 'x' });
  expect(stage.planComment(pull)).toContain('Not planned: it conflicts with main');
  expect(stage.planComment(pull)).toContain('app/main.tf');
  expect(stage.status(pull, 'holdfast/plan')).toBe('failure conflicts with the base branch');
  await stage.say(pull, 'ann', 'holdfast plan');
  expect(stage.lastReply(pull)).toContain('Merge main into the branch and resolve the conflicts');
  await stage.say(pull, 'ann', 'holdfast apply');
  expect(stage.lastReply(pull)).toContain('conflicts with the base branch');

  await stage.push(docs, { 'other.md': 'x' });
  expect(stage.statuses(docs)).toEqual([
    'holdfast/apply: success nothing to apply',
    'holdfast/plan: success no project is touched',
  ]);
  expect(stage.comments(docs)).toEqual([]);
});

test('a conflict from the first commit on is explained as well', async () => {
  const app = (content: string) => ({ 'app/main.tf': stage.root('late', 'app', { a: content }) });
  const repository = await stage.repository('late', app('one'));
  const base = await stage.github.tip(repository, 'main');
  await stage.github.commitFile(repository, app('theirs'), { author: 'bob' });
  await stage.github.commitFile(repository, app('mine'), { branch: 'old', from: base, author: 'ann' });
  const pull = await stage.open(repository, {}, { branch: 'old', title: 'From an old base' });
  expect(stage.planComment(pull)).toContain('Not planned: it conflicts with main');
  expect(stage.statuses(pull)).toEqual([
    'holdfast/apply: failure nothing can be planned, so nothing can be applied',
    'holdfast/plan: failure conflicts with the base branch',
  ]);
});
