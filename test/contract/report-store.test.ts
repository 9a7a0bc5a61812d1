import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BranchProject } from '../../src/core/drift/drift-project.ts';
import type { DriftState } from '../../src/core/drift/lifecycle.ts';
import type { DriftReply } from '../../src/core/drift/drift-reply.ts';
import type { IssueAnswer, ReportIssue, ReportState } from '../../src/ports/report-store.ts';
import { buildRepository, HEAD, keyOf, MERGE } from '../support/builders.ts';
import { buildBranchProject, drifting, FIRST_SEEN } from '../support/drift-builders.ts';
import { APPLIED, createRecordStage, planned, type RecordStage } from '../support/record-stage.ts';
import { until } from '../support/until.ts';

const REPOSITORY = buildRepository();
const ID = 'github.com/42';
const KEY = keyOf('prod');
const NOW = new Date('2026-11-21T12:00:00Z');

let stage: RecordStage;
beforeAll(async () => {
  stage = await createRecordStage();
});
beforeEach(async () => {
  await stage.forget();
  await stage.pulls.saveRepository(REPOSITORY);
  await stage.drift.track(REPOSITORY, 'main');
});

const take = (worker = 'p1', leaseMs = 60_000) => stage.reports.open(ID, { id: worker, leaseMs });
const taken = async (worker?: string): Promise<ReportState> => {
  await stage.reports.want(ID);
  const state = await take(worker);
  if (state === undefined) throw new Error('another has them, or nothing is wanted');
  return state;
};
const reopen = async (before: ReportState): Promise<ReportState> => {
  await stage.reports.close(before.lease, undefined);
  return taken();
};
const begin = (some: Partial<Pick<ReportIssue, 'kind' | 'projectKey'>> = {}): Promise<ReportIssue> =>
  stage.reports.begin({ repositoryId: ID, kind: 'project', projectKey: KEY, ...some });
const OPEN = {
  number: 7,
  url: 'https://github.com/acme/infra/issues/7',
  state: 'open',
  hash: 'h',
  fingerprint: 'f',
} as const;
const opened = async (): Promise<ReportIssue> => {
  const issue = await begin();
  await stage.reports.saved(issue.id, OPEN, undefined);
  return issue;
};

describe('what is wanted', () => {
  test('nothing to do is nothing to take', async () => {
    expect(await take()).toBeUndefined();
    await stage.reports.want(ID);
    expect(await take()).toMatchObject({ wanted: 1, repository: REPOSITORY, branch: 'main', issues: [], replies: [] });
  });

  test('what was wanted while it was being published is still wanted afterwards', async () => {
    const first = await taken();
    await stage.reports.want(ID);
    await stage.reports.close(first.lease, first.wanted);
    expect(await stage.reports.isWantedSince(ID, first.wanted)).toBe(true);
    const second = await take();
    if (second === undefined) throw new Error('not taken');
    await stage.reports.close(second.lease, second.wanted);
    expect(await take()).toBeUndefined();
  });

  test('the sweep finds repositories that nobody has reported, until somebody has', async () => {
    await stage.reports.want(ID);
    expect((await stage.runs.findNeglected()).repositoryIds).toEqual([ID]);
    const state = await take();
    if (state === undefined) throw new Error('not taken');
    await stage.reports.close(state.lease, state.wanted);
    expect((await stage.runs.findNeglected()).repositoryIds).toEqual([]);
  });
});

test('what has to wait is left alone by the sweep until then, unless it is due', async () => {
  const first = await taken();
  await stage.reports.putOff(first.lease, first.wanted, 60_000);
  expect((await stage.runs.findNeglected()).repositoryIds).toEqual([]);
  const second = await take();
  if (second === undefined) throw new Error('not taken');
  await stage.reports.putOff(second.lease, second.wanted, 0);
  expect((await stage.runs.findNeglected()).repositoryIds).toEqual([ID]);
});

describe('one publisher at a time', () => {
  test('exactly one of many gets them', async () => {
    await stage.reports.want(ID);
    const all = await Promise.all(['p1', 'p2', 'p3', 'p4'].map((worker) => take(worker)));
    expect(all.filter((state) => state !== undefined)).toHaveLength(1);
  });

  test('one whose lease ran out is replaced; it can neither prolong it nor close for the other', async () => {
    await stage.reports.want(ID);
    const stale = await take('p1', 50);
    if (stale === undefined) throw new Error('not taken');
    const fresh = await until(() => take('p2'));
    expect(await stage.reports.renew(stale.lease, 60_000)).toBe(false);
    await stage.reports.close(stale.lease, stale.wanted);
    expect(await stage.reports.isWantedSince(ID, 0)).toBe(true);
    expect(await take('p3')).toBeUndefined();
    expect(await stage.reports.renew(fresh.lease, 60_000)).toBe(true);
  });

  test('one that is dead for certain is replaced at once, and pull requests are none of its business', async () => {
    const pull = await stage.open(1);
    await stage.publications.want(pull.id);
    await stage.publications.open(pull.id, { id: 'dead', leaseMs: 60_000 });
    await taken('dead');
    expect(await stage.reports.recover((owner) => owner === 'somebody else')).toEqual([]);
    expect(await stage.reports.recover((owner) => owner === 'dead')).toEqual([ID]);
    expect(await stage.publications.recover((owner) => owner === 'dead')).toEqual([pull.id]);
    expect(await take('p2')).toBeDefined();
  });
});

describe('an issue', () => {
  test('is written down before the host is asked, once, and found by its number afterwards', async () => {
    const first = await begin();
    expect(first).toMatchObject({ state: 'posting', number: undefined, hash: undefined, projectKey: KEY });
    expect(await begin()).toEqual(first);
    expect(await stage.reports.findIssue(ID, 7)).toBeUndefined();
    await stage.reports.saved(first.id, OPEN, undefined);
    expect(await stage.reports.findIssue(ID, 7)).toMatchObject({ ...OPEN, id: first.id });
    expect((await taken()).issues).toMatchObject([{ ...OPEN, id: first.id }]);
    expect(await stage.reports.findIssue(ID, 8)).toBeUndefined();
    expect(await stage.reports.findIssue('github.com/43', 7)).toBeUndefined();
  });

  test('there is one of each kind, and one per project', async () => {
    const ids = [
      await begin(),
      await begin({ projectKey: keyOf('dev') }),
      await begin({ kind: 'summary', projectKey: undefined }),
      await begin({ kind: 'summary', projectKey: undefined }),
      await begin({ kind: 'dashboard', projectKey: undefined }),
    ].map(({ id }) => id);
    expect(new Set(ids).size).toBe(4);
  });

  test('one that is gone is forgotten, and the next gets an id of its own', async () => {
    const first = await opened();
    await stage.reports.gone(first.id);
    expect(await stage.reports.findIssue(ID, 7)).toBeUndefined();
    expect((await taken()).issues).toEqual([]);
    const second = await begin();
    expect(second).toMatchObject({ state: 'posting', number: undefined, url: undefined, hash: undefined });
    expect(second.id).not.toBe(first.id);
    expect(second.begunAt.getTime()).toBeGreaterThan(first.begunAt.getTime());
    await stage.reports.saved(first.id, OPEN, 'too late');
    expect(await stage.reports.findIssue(ID, 7)).toBeUndefined();
  });

  test('remembers when people closed or reopened it, until we do', async () => {
    const issue = await opened();
    await stage.reports.changedByPeople(issue.id, 'open', NOW);
    expect(await stage.reports.findIssue(ID, 7)).toMatchObject({ state: 'open', byPeopleAt: undefined });
    await stage.reports.changedByPeople(issue.id, 'closed', NOW);
    expect(await stage.reports.findIssue(ID, 7)).toMatchObject({ state: 'closed', byPeopleAt: NOW, hash: 'h' });
    await stage.reports.saved(issue.id, { ...OPEN, hash: 'i' }, undefined);
    expect(await stage.reports.findIssue(ID, 7)).toMatchObject({ state: 'open', byPeopleAt: undefined, hash: 'i' });
  });

  test('is saved together with the comment that goes with it', async () => {
    const issue = await opened();
    const reply = await stage.reports.saved(issue.id, { ...OPEN, state: 'closed' }, 'The drift is gone.');
    expect(reply).toMatchObject({ number: 7, view: { kind: 'notice', sentence: 'The drift is gone.' } });
    expect((await taken()).replies).toEqual([{ ...reply, mayExist: false }]);
  });
});

describe('answers', () => {
  const view: DriftReply = { kind: 'done', command: 'holdfast drift run', sentence: 'It is checked.' };
  const answer = (some: Partial<IssueAnswer> = {}): IssueAnswer => ({
    key: 'comment:1:0',
    repositoryId: ID,
    number: 7,
    view,
    reactions: [{ commentId: '5', reaction: 'rocket' }],
    ...some,
  });

  test('are recorded once, and wanted', async () => {
    expect(await stage.reports.isAnswered('comment:1:0')).toBe(false);
    for (let time = 0; time < 2; time += 1) await stage.reports.answer(answer());
    expect(await stage.reports.isAnswered('comment:1:0')).toBe(true);
    const state = await take();
    expect(state).toMatchObject({ replies: [{ number: 7, view, mayExist: false }] });
    expect(state?.reactions).toEqual([{ commentId: '5', reaction: 'rocket' }]);
  });

  test('one that may have been posted already says so until the host has confirmed it', async () => {
    await stage.reports.answer(answer());
    const first = await taken();
    const id = first.replies[0]?.id ?? '';
    await stage.reports.beginReply(id);
    const second = await reopen(first);
    expect(second.replies).toMatchObject([{ id, mayExist: true }]);
    await stage.reports.endReply(id, '99');
    expect((await reopen(second)).replies).toEqual([]);
  });

  test('one that cannot be posted is not tried again, and each reaction is given once', async () => {
    await stage.reports.answer(answer());
    const first = await taken();
    await stage.reports.endReply(first.replies[0]?.id ?? '', undefined);
    await stage.reports.endReaction(ID, { commentId: '5', reaction: 'rocket' });
    expect(await reopen(first)).toMatchObject({ replies: [], reactions: [] });
  });

  test('come in the order they were made in, the reactions alone as well', async () => {
    for (const key of ['k1', 'k2']) await stage.reports.answer(answer({ key, view: { ...view, sentence: key } }));
    await stage.reports.answer(
      answer({ key: 'k3', view: undefined, reactions: [{ commentId: '6', reaction: 'eyes' }] }),
    );
    const state = await taken();
    expect(state.replies.map((reply) => reply.view)).toMatchObject([{ sentence: 'k1' }, { sentence: 'k2' }]);
    expect(state.reactions).toHaveLength(2);
  });

  test('strangers are answered once an hour on each issue, however many times they ask at once', async () => {
    await opened();
    const by = (stranger: string, key: string, some: Partial<IssueAnswer> = {}) =>
      stage.reports.answer(answer({ key, stranger, ...some }));
    await Promise.all(['a', 'b', 'c'].map((key) => by('eve', key)));
    await by('eve', 'other issue', { number: 8 });
    await by('eve', 'of another kind', { view: { kind: 'notice', sentence: 'x' } });
    await by('mallory', 'somebody else');
    await stage.reports.answer(answer({ key: 'no stranger' }));
    expect((await taken()).replies).toHaveLength(5);
    await sql`update issue_replies set created_at = now() - interval '2 hours'`.execute(stage.db);
    await by('eve', 'later');
    const row = await stage.db.selectFrom('issue_replies').select('id').where('key', '=', 'later').executeTakeFirst();
    expect(row).toBeDefined();
  });

  test('many strangers are not answered more often than a few', async () => {
    await opened();
    for (let at = 0; at < 25; at += 1) await stage.reports.answer(answer({ key: `k${at}`, stranger: `s${at}` }));
    expect((await taken()).replies).toHaveLength(20);
  });

  test('answers go with age, but never before they are posted', async () => {
    await stage.reports.answer(answer());
    const soon = new Date(Date.now() + 60_000);
    expect(await stage.retention.prune('runs', soon)).toBe(0);
    const state = await taken();
    await stage.reports.endReply(state.replies[0]?.id ?? '', '99');
    expect(await stage.retention.prune('runs', new Date(Date.now() - 60_000))).toBe(0);
    expect(await stage.retention.prune('runs', soon)).toBe(1);
  });
});

describe('what a report tells beside the drift', () => {
  test('the newest apply, with its pull request', async () => {
    expect(await stage.reports.findLastApply(KEY)).toBeUndefined();
    const pull = await stage.open(3);
    await stage.queue(pull, 'plan', ['prod']);
    await stage.runs.finish((await stage.start()).lease, planned());
    await stage.queue(pull, 'apply', ['prod']);
    const { lease } = await stage.start();
    await stage.runs.beginApply(lease);
    await stage.runs.finish(lease, APPLIED);
    const last = await stage.reports.findLastApply(KEY);
    expect(last).toMatchObject({ sha: MERGE, pull: { number: 3, url: pull.url } });
    expect(Math.abs(Date.now() - (last?.at.getTime() ?? 0))).toBeLessThan(60_000);
  });

  const sync = (projects: readonly BranchProject[]) =>
    stage.drift.syncProjects(ID, { tip: HEAD, settingsDigest: 's', projects }, NOW);
  const set = (dir: string, state: DriftState) =>
    stage.drift.change(keyOf(dir), () => ({ changes: { state }, report: true }));

  test('which of some projects drift, and where that is reported', async () => {
    await sync(['prod', 'dev', 'new', 'quiet', 'other'].map((dir) => buildBranchProject(dir)));
    for (const dir of ['prod', 'dev', 'other']) await set(dir, drifting());
    await set('new', drifting({ confirmed: false }));
    await set('quiet', drifting({ quiet: 'Acknowledged by @ann.' }));
    await opened();
    const found = await stage.reports.findDrifting(['prod', 'dev', 'new', 'quiet'].map(keyOf));
    expect(found.toSorted((a, b) => (a.projectKey > b.projectKey ? -1 : 1))).toEqual([
      { projectKey: KEY, firstSeenAt: new Date(FIRST_SEEN), issue: { number: OPEN.number, url: OPEN.url } },
      { projectKey: keyOf('dev'), firstSeenAt: new Date(FIRST_SEEN), issue: undefined },
    ]);
    expect(await stage.reports.findDrifting([])).toEqual([]);
  });

  test('a repository that is tracked no more is reported once more, so that its issues are closed', async () => {
    await sync([buildBranchProject()]);
    const state = await taken();
    await stage.reports.close(state.lease, state.wanted);
    await stage.drift.untrack(ID);
    expect(await take()).toBeDefined();
  });
});
