import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { BatchNotes } from '../../src/core/batch.ts';
import type { PullRequestRecord } from '../../src/core/record.ts';
import type { PublicationState } from '../../src/ports/publication-store.ts';
import { buildNotes, buildProject, HEAD, OLD_HEAD } from '../support/builders.ts';
import { APPLIED, createRecordStage, failedRun, planned, type RecordStage } from '../support/record-stage.ts';
import { until } from '../support/until.ts';

let stage: RecordStage;
let pull: PullRequestRecord;
beforeAll(async () => {
  stage = await createRecordStage();
});
beforeEach(async () => {
  await stage.forget();
  pull = await stage.open(1);
});

const take = (worker = 'p1', leaseMs = 60_000) => stage.publications.open(pull.id, { id: worker, leaseMs });
const taken = async (worker?: string): Promise<PublicationState> => {
  const state = await take(worker);
  if (state === undefined) throw new Error('another has it, or nothing is wanted');
  return state;
};
const reopen = async (before: PublicationState): Promise<PublicationState> => {
  await stage.publications.close(before.lease, undefined);
  return taken();
};
const isWanted = async (): Promise<boolean> => {
  const { wanted, done } = await stage.counters(pull.id);
  return wanted > done;
};
const view = { kind: 'nothing_done', command: 'apply', reason: 'x', next: undefined } as const;

describe('what is wanted', () => {
  test('nothing to do is nothing to take', async () => {
    expect(await take()).toBeUndefined();
    await stage.publications.want(pull.id);
    expect(await isWanted()).toBe(true);
    expect(await take()).toMatchObject({ wanted: 1, done: 0 });
  });

  test('what was wanted while it was being published is still wanted afterwards', async () => {
    await stage.publications.want(pull.id);
    const first = await taken();
    await stage.publications.want(pull.id);
    await stage.publications.close(first.lease, first.wanted);
    expect(await isWanted()).toBe(true);
    const second = await taken();
    await stage.publications.close(second.lease, second.wanted);
    expect(await isWanted()).toBe(false);
    expect(await take()).toBeUndefined();
  });

  test('what is put off is left alone by the sweep until it is due, or more is wanted', async () => {
    const neglected = async () => (await stage.runs.findNeglected()).pullRequestIds;
    await stage.publications.want(pull.id);
    expect(await neglected()).toEqual([pull.id]);
    const first = await taken();
    await stage.publications.putOff(first.lease, first.wanted, 60_000);
    expect(await isWanted()).toBe(true);
    expect(await stage.publications.isWantedSince(pull.id, first.wanted)).toBe(false);
    expect(await neglected()).toEqual([]);
    await stage.publications.want(pull.id);
    expect(await stage.publications.isWantedSince(pull.id, first.wanted)).toBe(true);
    expect(await neglected()).toEqual([pull.id]);
    const second = await taken();
    await stage.publications.putOff(second.lease, second.wanted, 0);
    expect(await neglected()).toEqual([pull.id]);
  });

  test('what was wanted while the rest was put off is not put off with it', async () => {
    await stage.publications.want(pull.id);
    const first = await taken();
    await stage.publications.want(pull.id);
    await stage.publications.putOff(first.lease, first.wanted, 60_000);
    expect((await stage.runs.findNeglected()).pullRequestIds).toEqual([pull.id]);
  });

  test('a publisher that gives up leaves everything wanted', async () => {
    await stage.publications.want(pull.id);
    const first = await taken();
    await stage.publications.close(first.lease, undefined);
    expect((await taken()).wanted).toBe(1);
  });
});

describe('one publisher at a time', () => {
  test('exactly one of many gets it', async () => {
    await stage.publications.want(pull.id);
    const all = await Promise.all(['p1', 'p2', 'p3', 'p4', 'p5'].map((worker) => take(worker)));
    expect(all.filter((state) => state !== undefined)).toHaveLength(1);
  });

  test('one whose lease ran out is replaced; it can neither prolong it nor close for the other', async () => {
    await stage.publications.want(pull.id);
    const stale = await take('p1', 50);
    if (stale === undefined) throw new Error('not taken');
    const fresh = await until(() => take('p2'));
    expect(await stage.publications.renew(stale.lease, 60_000)).toBe(false);
    await stage.publications.close(stale.lease, stale.wanted);
    expect(await isWanted()).toBe(true);
    expect(await take('p3')).toBeUndefined();
    expect(await stage.publications.renew(fresh.lease, 60_000)).toBe(true);
    await stage.publications.close(fresh.lease, fresh.wanted);
    expect(await isWanted()).toBe(false);
  });

  test('who cannot be told what to publish does not have it', async () => {
    await stage.publications.want(pull.id);
    await stage.db.schema.alterTable('merges').renameTo('elsewhere').execute();
    const failed = await take('p1').catch((error: unknown) => error);
    await stage.db.schema.alterTable('elsewhere').renameTo('merges').execute();
    expect(failed).toBeInstanceOf(Error);
    expect(await take('p2')).toBeDefined();
  });

  test('prolonging keeps it', async () => {
    await stage.publications.want(pull.id);
    const state = await take('p1', 300);
    if (state === undefined) throw new Error('not taken');
    expect(await stage.publications.renew(state.lease, 60_000)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await take('p2')).toBeUndefined();
  });

  test('one that is dead for certain is replaced at once, others are left alone', async () => {
    await stage.publications.want(pull.id);
    await taken('dead');
    expect(await stage.publications.recover((owner) => owner === 'somebody else')).toEqual([]);
    expect(await stage.publications.recover((owner) => owner === 'dead')).toEqual([pull.id]);
    expect(await take('p2')).toBeDefined();
  });

  test('one whose session is gone and that says nothing is replaced long before its lease runs out', async () => {
    await stage.publications.want(pull.id);
    await taken('gone');
    expect(await until(async () => (await stage.publications.recover())[0], 30_000, 100)).toBe(pull.id);
  });
});

describe('what was published', () => {
  test('comment, check run and statuses are remembered', async () => {
    await stage.publications.want(pull.id);
    const first = await taken();
    expect(first).toMatchObject({ comment: undefined, checkRun: undefined });
    await stage.publications.saveComment(pull.id, { id: '5', nodeId: 'N5', hash: 'h' });
    await stage.publications.beginCheckRun(pull.id, { sha: HEAD, externalId: 'b' });
    const begun = await reopen(first);
    expect(begun.checkRun).toEqual({ id: undefined, sha: HEAD, externalId: 'b' });
    await stage.publications.saveCheckRun(pull.id, { id: '7', sha: HEAD, hash: 'h' });
    await stage.publications.saveStatus(pull.id, HEAD, 'holdfast/plan', 'pending');
    await stage.publications.saveStatus(pull.id, HEAD, 'holdfast/plan', 'success');
    const second = await reopen(begun);
    expect(second.comment).toMatchObject({ id: '5', nodeId: 'N5', hash: 'h' });
    expect(second.checkRun).toEqual({ id: '7', sha: HEAD, hash: 'h' });
    expect(second.statuses).toEqual(new Map([['holdfast/plan', 'success']]));
    await stage.publications.saveComment(pull.id, undefined);
    expect((await reopen(second)).comment).toBeUndefined();
  });

  test('statuses of another commit do not count for this one', async () => {
    await stage.publications.saveStatus(pull.id, OLD_HEAD, 'holdfast/plan', 'success');
    await stage.publications.want(pull.id);
    expect((await taken()).statuses).toEqual(new Map());
  });
});

describe('what waits on earlier commits', () => {
  const left = [{ sha: OLD_HEAD, context: 'holdfast/apply' }];
  const waits = async (id: PullRequestRecord['id']): Promise<void> => {
    await stage.publications.saveStatus(id, OLD_HEAD, 'holdfast/apply', 'pending|0 of 1 applied');
    await stage.publications.saveStatus(id, OLD_HEAD, 'holdfast/plan', 'success|no changes');
  };

  test('is known until it has ended, and so is what may have been published before a crash', async () => {
    await waits(pull.id);
    await stage.publications.want(pull.id);
    const first = await taken();
    expect(first.leftPending).toEqual(left);
    await stage.publications.saveStatus(pull.id, OLD_HEAD, 'holdfast/apply', 'error|superseded');
    await stage.publications.saveStatus(pull.id, OLD_HEAD, 'holdfast/plan', 'pending');
    expect((await reopen(first)).leftPending).toEqual([{ sha: OLD_HEAD, context: 'holdfast/plan' }]);
  });

  test('is left alone while the commit is the head of another open pull request that published the same', async () => {
    const other = await stage.open(2, { headSha: OLD_HEAD });
    await waits(pull.id);
    await stage.publications.want(pull.id);
    const first = await taken();
    expect(first.leftPending).toEqual(left);
    await waits(other.id);
    const second = await reopen(first);
    expect(second.leftPending).toEqual([]);
    await stage.open(2, { headSha: OLD_HEAD, state: 'closed' });
    expect((await reopen(second)).leftPending).toEqual(left);
  });

  test('of a closed pull request is not its own while another open one with that head published the same', async () => {
    const other = await stage.open(2, { headSha: OLD_HEAD });
    const closed = await stage.open(1, { headSha: OLD_HEAD, state: 'closed' });
    await waits(closed.id);
    await stage.publications.want(pull.id);
    const first = await taken();
    expect([...first.statuses.keys()].toSorted()).toEqual(['holdfast/apply', 'holdfast/plan']);
    await waits(other.id);
    expect([...(await reopen(first)).statuses.keys()]).toEqual(['holdfast/plan']);
  });

  test('what another open pull request has published on the head is known as shared, whatever was published here', async () => {
    const other = await stage.open(2, { headSha: OLD_HEAD });
    await stage.open(1, { headSha: OLD_HEAD, state: 'merged' });
    await waits(other.id);
    await stage.publications.want(pull.id);
    const first = await taken();
    expect([...first.shared].toSorted()).toEqual(['holdfast/apply', 'holdfast/plan']);
    await stage.open(2, { headSha: OLD_HEAD, state: 'closed' });
    expect([...(await reopen(first)).shared]).toEqual([]);
  });
});

describe('answers', () => {
  test('an answer that may have been posted already says so until the host has confirmed it', async () => {
    await stage.decide(pull, { replies: [{ key: 'k', kind: 'command', view }] });
    const first = await taken();
    const [reply] = first.replies;
    expect(reply).toMatchObject({ reply: { key: 'k', kind: 'command', view: { reason: 'x' } }, mayExist: false });
    await stage.publications.beginReply(reply?.id ?? '');
    const second = await reopen(first);
    expect(second.replies).toMatchObject([{ id: reply?.id, mayExist: true }]);
    await stage.publications.endReply(reply?.id ?? '', { id: '8', nodeId: 'N8' });
    expect((await reopen(second)).replies).toEqual([]);
  });

  test('an answer that cannot be given is not tried again', async () => {
    await stage.decide(pull, { replies: [{ key: 'k', kind: 'command', view }] });
    const first = await taken();
    await stage.publications.endReply(first.replies[0]?.id ?? '', undefined);
    expect((await reopen(first)).replies).toEqual([]);
  });

  test('answers come in the order they were decided in', async () => {
    for (const key of ['k1', 'k2', 'k3']) await stage.decide(pull, { replies: [{ key, kind: 'command', view }] });
    expect((await taken()).replies.map((one) => one.reply.key)).toEqual(['k1', 'k2', 'k3']);
  });

  test('earlier answers to applies are outdated, the newest is not', async () => {
    for (const node of ['N1', 'N2', 'N3']) {
      await stage.queue(pull, 'apply', ['a']);
      await stage.runs.finish((await stage.start()).lease, failedRun());
      const state = await taken();
      await stage.publications.endReply(state.replies[0]?.id ?? '', { id: node, nodeId: node });
      await stage.publications.close(state.lease, undefined);
    }
    const state = await taken();
    expect(state.outdated.toSorted()).toEqual(['N1', 'N2']);
    await stage.publications.endMinimize(['N1']);
    expect((await reopen(state)).outdated).toEqual(['N2']);
  });

  test('each reaction is given once', async () => {
    const reactions = [
      { commentId: '1', reaction: 'eyes' },
      { commentId: '1', reaction: 'rocket' },
    ] as const;
    await stage.decide(pull, { reactions });
    await stage.decide(pull, { reactions });
    const state = await taken();
    expect(state.reactions).toHaveLength(2);
    await stage.publications.endReaction(pull.id, '1', 'eyes');
    expect((await reopen(state)).reactions).toEqual([{ commentId: '1', reaction: 'rocket' }]);
  });
});

describe('automerge', () => {
  const automerge = { automerge: { method: 'squash' } } as const;

  test('is wanted when the last project was applied, pinned to the commit, and ends once', async () => {
    await stage.queue(pull, 'plan', ['a', 'b']);
    for (const _ of [1, 2]) await stage.runs.finish((await stage.start()).lease, planned());
    await stage.queue(pull, 'apply', ['a'], automerge);
    await stage.runs.finish((await stage.start()).lease, APPLIED);
    const first = await taken();
    expect(first.merge).toBeUndefined();
    await stage.queue(pull, 'apply', ['b'], automerge);
    await stage.runs.finish((await stage.start()).lease, APPLIED);
    const second = await reopen(first);
    expect(second.merge).toEqual({ headSha: HEAD, method: 'squash' });
    expect(await stage.publications.findMerge(pull.id)).toEqual({ state: 'wanted', reason: undefined });
    await stage.publications.endMerge(pull.id, 'refused', 'new commits');
    expect((await reopen(second)).merge).toBeUndefined();
    expect(await stage.publications.findMerge(pull.id)).toEqual({ state: 'refused', reason: 'new commits' });
  });

  test('is not wanted when the apply left something out that has to be seen to, which the reaction tells, too', async () => {
    const finishApply = async (leftOut: BatchNotes['leftOut'], sourceCommentId: string) => {
      const notes = buildNotes({ ...automerge, ...(leftOut && { leftOut }) });
      await stage.decide(pull, { batch: stage.batch('apply', [buildProject()], { notes, sourceCommentId }) });
      await stage.runs.finish((await stage.start()).lease, APPLIED);
    };
    const settled = { applied: ['b'], unchanged: ['c'] };
    await finishApply({ ...settled, unmet: [{ project: 'd', what: 'its plan failed', next: 'Plan.' }] }, '1');
    expect(await stage.publications.findMerge(pull.id)).toBeUndefined();
    await finishApply({ ...settled, unmet: [] }, '2');
    expect(await stage.publications.findMerge(pull.id)).toBeDefined();
    expect((await taken()).reactions).toEqual([
      { commentId: '1', reaction: 'confused' },
      { commentId: '2', reaction: 'rocket' },
    ]);
  });

  test('is not wanted when an apply failed or nobody asked', async () => {
    await stage.queue(pull, 'apply', ['a'], automerge);
    await stage.runs.finish((await stage.start()).lease, failedRun());
    await stage.queue(pull, 'apply', ['a'], buildNotes());
    await stage.runs.finish((await stage.start()).lease, APPLIED);
    expect(await stage.publications.findMerge(pull.id)).toBeUndefined();
  });
});

test('the pull request of a batch is found for its buttons', async () => {
  const batch = stage.batch('plan', [buildProject()]);
  await stage.decide(pull, { batch });
  const [run] = await stage.runs.listRuns({ limit: 1 });
  expect(await stage.publications.findPullRequestOfBatch(run?.batchId ?? '')).toBe(pull.id);
  expect(await stage.publications.findPullRequestOfBatch('none')).toBeUndefined();
});
