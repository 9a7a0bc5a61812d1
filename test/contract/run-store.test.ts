import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createRunStore } from '../../src/adapters/postgres/run-store.ts';
import { announceWorker } from '../../src/adapters/postgres/worker-presence.ts';
import type { Decision } from '../../src/core/record.ts';
import { type ClaimedRun, LeaseLostError } from '../../src/ports/run-store.ts';
import { buildNotes, buildProject, OLD_HEAD } from '../support/builders.ts';
import { connectPostgres } from '../../src/adapters/postgres/connection.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { APPLIED, createRecordStage, dirKey, failedRun, planned, type RecordStage } from '../support/record-stage.ts';
import { until } from '../support/until.ts';

let stage: RecordStage;
beforeAll(async () => {
  stage = await createRecordStage();
});
beforeEach(() => stage.forget());

const stateOf = async (id: string) => (await stage.runs.findRun(id))?.state;

describe('deciding', () => {
  test('a decision is written whole: batch, runs, locks, answer, reaction, audit, and what is to be published', async () => {
    const pull = await stage.open(1);
    const batch = stage.batch('plan', [buildProject({ dir: 'a' }), buildProject({ dir: 'b' })]);
    const decision: Partial<Decision> = {
      batch,
      locks: [{ projectKey: dirKey('a'), project: buildProject({ dir: 'a' }) }],
      reactions: [{ commentId: '9', reaction: 'eyes' }],
    };
    const wakeups = await stage.decide(pull, decision);
    expect(wakeups.runIds).toHaveLength(2);
    expect(wakeups.pullRequestIds).toEqual([pull.id]);
    const state = await stage.runs.readState(pull.id);
    expect(state?.open.map((run) => run.state)).toEqual(['queued', 'queued']);
    expect(state?.locks.map((lock) => lock.projectKey)).toEqual([dirKey('a')]);
    expect(await stage.auditOf(`run:${wakeups.runIds[0]}`)).toEqual(['queued']);
    expect(await stage.auditOf(`lock:${dirKey('a')}`)).toEqual(['taken']);
    expect(await stage.counters(pull.id)).toEqual({ wanted: 1, done: 0 });
    expect((await stage.publications.open(pull.id, { id: 'p', leaseMs: 1000 }))?.reactions).toHaveLength(1);
  });

  test('facts that changed since they were gathered decide nothing', async () => {
    const pull = await stage.open(1);
    await stage.open(1, { headSha: OLD_HEAD });
    let asked = false;
    const outcome = await stage.runs.decide(pull.id, pull.version, () => {
      asked = true;
      return { actor: 'ann', event: 'x' };
    });
    expect(outcome).toEqual({ kind: 'stale' });
    expect(asked).toBe(false);
    expect(await stage.auditOf(`pull:${pull.id}`)).toEqual([]);
  });

  test('a pull request that is not known decides nothing', async () => {
    const pull = await stage.open(1);
    const unknown = `${pull.id}9` as typeof pull.id;
    expect(await stage.runs.decide(unknown, 1, () => ({ actor: 'ann', event: 'x' }))).toEqual({ kind: 'stale' });
  });

  test('a trigger that led to a batch leads to no answer afterwards; one that led to nothing leads to a batch', async () => {
    const pull = await stage.open(1);
    const view = { kind: 'nothing_done', command: 'apply', reason: 'x', next: undefined } as const;
    const nothing = { triggerKey: 'press', replies: [{ key: 'press:nothing', kind: 'command', view }] } as const;
    const batch = stage.batch('plan', [buildProject()], { triggerKey: 'press' });
    const answers = async () => (await stage.db.selectFrom('replies').select('key').execute()).length;
    await stage.decide(pull, nothing);
    await stage.decide(pull, nothing);
    expect(await answers()).toBe(1);
    expect((await stage.decide(pull, { batch })).runIds).toHaveLength(1);
    await stage.decide(pull, { ...nothing, replies: [{ key: 'press:something else', kind: 'command', view }] });
    expect(await answers()).toBe(1);
  });

  test('a close that was decided before gives back what is held by now, and says so once', async () => {
    const pull = await stage.open(1);
    const view = { kind: 'closed', merged: false, unlocked: [], unapplied: [] } as const;
    const close = { close: true, replies: [{ key: 'closed', kind: 'command', view }] } as const;
    await stage.decide(pull, close);
    await stage.takeLocks(pull, ['a']);
    await stage.decide(pull, close);
    expect((await stage.runs.readState(pull.id))?.locks).toEqual([]);
    expect(await stage.db.selectFrom('replies').select('key').execute()).toHaveLength(1);
  });

  test('the same trigger twice makes one batch, and answers with the runs that still have to be woken', async () => {
    const pull = await stage.open(1);
    const batch = stage.batch('plan', [buildProject({ dir: 'a' })]);
    const first = await stage.decide(pull, { batch });
    const again = await stage.decide(pull, { batch, cancel: first.runIds.map((runId) => ({ runId, reason: 'x' })) });
    expect(again.runIds).toEqual(first.runIds);
    expect(await stateOf(first.runIds[0] ?? '')).toBe('queued');
    expect(await stage.runs.listRuns({ pullRequestId: pull.id, limit: 10 })).toHaveLength(1);
  });

  test('the same trigger at once on two connections makes one batch', async () => {
    const pull = await stage.open(1);
    const batch = stage.batch('plan', [buildProject({ dir: 'a' })]);
    await Promise.all([1, 2, 3, 4].map(() => stage.decide(pull, { batch })));
    expect(await stage.runs.listRuns({ pullRequestId: pull.id, limit: 10 })).toHaveLength(1);
  });

  test('an unlock that is handled again after a crash leaves alone what was planned and locked since', async () => {
    const pull = await stage.open(1);
    await stage.takeLocks(pull, ['a']);
    const view = { kind: 'nothing_done', command: 'unlock', reason: 'x', next: undefined } as const;
    const unlock: Partial<Decision> = { release: 'all', replies: [{ key: 'comment:1:0', kind: 'command', view }] };
    await stage.decide(pull, unlock);
    await stage.takeLocks(pull, ['a']);
    await stage.queue(pull, 'plan', ['a']);
    await stage.runs.finish((await stage.start()).lease, planned());
    await stage.decide(pull, unlock);
    expect((await stage.runs.readState(pull.id))?.locks).toHaveLength(1);
    expect((await stage.runs.readState(pull.id))?.plans).toHaveLength(1);
  });

  test('a command that was answered does not become a batch when it is handled again, nor a batch an answer', async () => {
    const pull = await stage.open(1);
    const view = { kind: 'nothing_done', command: 'apply', reason: 'x', next: undefined } as const;
    await stage.decide(pull, { replies: [{ key: 'k1', kind: 'command', view }] });
    const late = stage.batch('apply', [buildProject({ dir: 'a' })], { triggerKey: 'k1' });
    expect((await stage.decide(pull, { batch: late })).runIds).toEqual([]);
    const batch = stage.batch('plan', [buildProject({ dir: 'a' })], { triggerKey: 'k2' });
    await stage.decide(pull, { batch });
    await stage.decide(pull, { replies: [{ key: 'k2', kind: 'command', view }] });
    const replies = await stage.db.selectFrom('replies').select('key').execute();
    expect(replies.map((reply) => reply.key)).toEqual(['k1']);
  });

  test('superseding cancels what is queued at once and asks what runs to stop', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a', 'b']);
    const running = await stage.start();
    const [queued] = (await stage.runs.readState(pull.id))?.open.filter((run) => run.state === 'queued') ?? [];
    await stage.decide(pull, {
      cancel: [running.id, queued?.id ?? ''].map((runId) => ({ runId, reason: 'Superseded.' })),
      batch: stage.batch('plan', [buildProject({ dir: 'a' }), buildProject({ dir: 'b' })]),
    });
    expect(await stateOf(queued?.id ?? '')).toBe('cancelled');
    expect((await stage.runs.findRun(queued?.id ?? ''))?.result).toEqual({ kind: 'cancelled', reason: 'Superseded.' });
    expect(await stateOf(running.id)).toBe('running');
    expect(await stage.runs.renew(running.lease, 1000)).toEqual({ cancel: 'Superseded.' });
    const next = await stage.claim('w2');
    expect(next?.projectKey).toBe(queued?.projectKey);
    expect(await stage.claim('w3')).toBeUndefined();
  });
});

describe('claiming', () => {
  test('one run goes to exactly one of many claimers, and the claim is on record', async () => {
    const pull = await stage.open(1);
    const [id = ''] = await stage.queue(pull, 'plan', ['a']);
    const claimed = await Promise.all(['w1', 'w2', 'w3', 'w4', 'w5'].map((worker) => stage.claim(worker)));
    expect(claimed.filter((run) => run !== undefined)).toHaveLength(1);
    expect(await stage.auditOf(`run:${id}`)).toEqual(['queued', 'claimed']);
    expect(claimed.find((run) => run !== undefined)?.attempts).toBe(1);
  });

  test('one project is worked on once at a time, whichever pull request and operation', async () => {
    const [one, two] = [await stage.open(1), await stage.open(2)];
    await stage.queue(one, 'plan', ['a']);
    await stage.queue(two, 'apply', ['a']);
    const claimed = await Promise.all([1, 2, 3].map((n) => stage.claim(`w${n}`)));
    const [first, ...others] = claimed.filter((run) => run !== undefined);
    expect(others).toEqual([]);
    if (first === undefined) throw new Error('nothing was claimed');
    await stage.runs.start(first.lease);
    expect(await stage.claim('w9')).toBeUndefined();
    await stage.runs.finish(first.lease, failedRun());
    expect((await stage.claim('w9'))?.projectKey).toBe(dirKey('a'));
  });

  test('the limits of worker and repository are exact when many claim at once', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a', 'b', 'c', 'd', 'e', 'f']);
    const limits = { perWorker: 2, perRepository: 3 };
    const workers = ['w1', 'w1', 'w1', 'w1', 'w2', 'w2', 'w2', 'w2'];
    const claimed = (await Promise.all(workers.map((worker) => stage.claim(worker, limits)))).filter(Boolean);
    expect(claimed).toHaveLength(3);
    const owners = await stage.db.selectFrom('runs').select('lease_owner').where('state', '=', 'claimed').execute();
    expect(owners.filter((row) => row.lease_owner === 'w1').length).toBeLessThanOrEqual(2);
    expect(owners.filter((row) => row.lease_owner === 'w2').length).toBeLessThanOrEqual(2);
  });

  test('an apply goes before plans that waited longer, and among equals the oldest is first', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['old']);
    await stage.queue(pull, 'plan', ['new']);
    await stage.queue(pull, 'apply', ['urgent']);
    const order = [await stage.claim(), await stage.claim(), await stage.claim()];
    expect(order.map((run) => run?.projectKey)).toEqual([dirKey('urgent'), dirKey('old'), dirKey('new')]);
  });

  test('what waits for another is not claimed, and its place in the queue comes after those that may start', async () => {
    const pull = await stage.open(1);
    const ready = await stage.queue(pull, 'plan', [
      { dir: 'base', name: 'base' },
      { dir: 'app', name: 'app', dependsOn: ['base'] },
    ]);
    expect(ready).toHaveLength(1);
    const first = await stage.start();
    expect(await stage.claim()).toBeUndefined();
    const waiting = (await stage.runs.readState(pull.id))?.open.find((run) => run.state === 'queued');
    expect(await stage.runs.queuePositions([waiting?.id ?? '', first.id])).toEqual(new Map([[waiting?.id, 1]]));
    expect(await stage.runs.queuePositions([])).toEqual(new Map());
    const both = await stage.runs.findRuns([waiting?.id ?? '', first.id, 'unknown']);
    expect(new Set(both.map((run) => run.id))).toEqual(new Set([waiting?.id, first.id]));
    const { runIds } = await stage.runs.finish(first.lease, planned());
    expect(runIds).toEqual([waiting?.id]);
    expect((await stage.claim())?.id).toBe(waiting?.id);
  });
});

describe('fencing', () => {
  const steps: readonly [string, (lease: ClaimedRun['lease']) => Promise<unknown>][] = [
    ['start', (lease) => stage.runs.start(lease)],
    ['takeLock', (lease) => stage.runs.takeLock(lease)],
    ['beginApply', (lease) => stage.runs.beginApply(lease)],
    ['renew', (lease) => stage.runs.renew(lease, 1000)],
    ['saveProgress', (lease) => stage.runs.saveProgress(lease, { phase: 'plan', done: 1, total: 2 })],
    ['appendOutput', (lease) => stage.runs.appendOutput(lease, 0, Buffer.from('x'))],
    ['finish', (lease) => stage.runs.finish(lease, planned())],
    ['handBack', (lease) => stage.runs.handBack(lease)],
  ];

  test.each(steps)('%s of a worker that was given up on throws and writes nothing', async (_name, step) => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    const stale = await stage.start('dead');
    await stage.runs.recover((owner) => owner === 'dead');
    const fresh = await stage.claim('alive');
    expect(fresh?.id).toBe(stale.id);
    expect(Number(fresh?.lease.token)).toBeGreaterThan(Number(stale.lease.token));
    const before = await stage.db.selectFrom('runs').selectAll().execute();
    const audited = await stage.auditOf(`run:${stale.id}`);
    await expect(step(stale.lease)).rejects.toThrow(LeaseLostError);
    expect(await stage.db.selectFrom('runs').selectAll().execute()).toEqual(before);
    expect(await stage.auditOf(`run:${stale.id}`)).toEqual(audited);
    expect(await stage.runs.readOutput(stale.id, 0)).toEqual([]);
    expect(await stage.db.selectFrom('plans').selectAll().execute()).toEqual([]);
    expect(await stage.db.selectFrom('project_locks').selectAll().execute()).toEqual([]);
  });

  test.each(steps)('%s of a run that is over throws', async (_name, step) => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    const run = await stage.start();
    await stage.runs.finish(run.lease, failedRun());
    await expect(step(run.lease)).rejects.toThrow(LeaseLostError);
    expect(await stateOf(run.id)).toBe('failed');
  });

  test('a run is not finished before it was started, except by failing or being cancelled', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a', 'b']);
    const [one, two] = [await stage.claim(), await stage.claim()];
    if (one === undefined || two === undefined) throw new Error('nothing was claimed');
    await expect(stage.runs.finish(one.lease, planned())).rejects.toThrow(LeaseLostError);
    await stage.runs.finish(one.lease, failedRun());
    await stage.runs.finish(two.lease, {
      ...failedRun(),
      state: 'cancelled',
      result: { kind: 'cancelled', reason: 'x' },
    });
    expect([await stateOf(one.id), await stateOf(two.id)]).toEqual(['failed', 'cancelled']);
  });
});

describe('ending', () => {
  test('a plan becomes the current one of its project and retires the one before, whose sealed files go', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    const first = planned();
    await stage.runs.finish((await stage.start()).lease, first);
    expect(await stage.pulls.readPlanArtifact(first.plan.id)).toEqual(Buffer.from('artifact'));
    await stage.queue(pull, 'plan', ['a']);
    const second = planned();
    await stage.runs.finish((await stage.start()).lease, second);
    expect((await stage.pulls.findCurrentPlan(pull.id, dirKey('a')))?.id).toBe(second.plan.id);
    expect(await stage.pulls.readPlanArtifact(first.plan.id)).toBeUndefined();
  });

  test('the base branch is kept as it was when the plan was decided on, wherever the pull request goes by now', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    const run = await stage.start();
    await stage.open(1, { baseRef: 'elsewhere' });
    expect((await stage.runs.findRun(run.id))?.batch.baseRef).toBe('main');
    await stage.runs.finish(run.lease, planned({ baseRef: run.batch.baseRef }));
    const state = await stage.runs.readState(pull.id);
    expect(state?.pull.baseRef).toBe('elsewhere');
    expect(state?.planBatch?.baseRef).toBe('main');
    expect(state?.plans.map((plan) => plan.baseRef)).toEqual(['main']);
  });

  test('a plan that was superseded while it ended is cancelled and does not become the current one', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    const run = await stage.start();
    await stage.decide(pull, { cancel: [{ runId: run.id, reason: 'Superseded by commit abc.' }] });
    await stage.runs.finish(run.lease, planned());
    const state = await stage.runs.readState(pull.id);
    expect(state?.plans).toEqual([]);
    expect(state?.latest.map((one) => one.result)).toEqual([
      { kind: 'cancelled', reason: 'Superseded by commit abc.' },
    ]);
  });

  test('what PostgreSQL does not take in JSON does not keep an end from being written', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    const run = await stage.start();
    const result = {
      kind: 'failed',
      explanation: 'nul \u0000 and half \ud800 a letter',
      diagnostics: [],
      output: '',
      applyBegun: false,
      erroredState: false,
    } as const;
    await stage.runs.finish(run.lease, { ...failedRun(), result });
    expect((await stage.runs.findRun(run.id))?.result).toMatchObject({
      explanation: 'nul \ufffd and half \ufffd a letter',
    });
  });

  test('an apply is kept, spends its plan, and is answered once for the whole batch', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a', 'b']);
    for (const _ of [1, 2]) await stage.runs.finish((await stage.start()).lease, planned());
    await stage.queue(pull, 'apply', ['a', 'b']);
    const [one, two] = [await stage.start(), await stage.start()];
    await stage.runs.beginApply(one.lease);
    await stage.runs.finish(one.lease, APPLIED);
    expect(await stage.db.selectFrom('replies').selectAll().execute()).toEqual([]);
    await stage.runs.finish(two.lease, APPLIED);
    const replies = await stage.db.selectFrom('replies').select(['key', 'state']).execute();
    expect(replies).toEqual([{ key: `apply:${one.batchId}`, state: 'wanted' }]);
    expect((await stage.runs.readState(pull.id))?.plans).toEqual([]);
    expect((await stage.runs.readState(pull.id))?.applied).toHaveLength(2);
    const applied = { id: pull.id, number: 1, url: pull.url, state: 'open' };
    expect(await stage.runs.findLastApplies(['a', 'b', 'never'].map(dirKey))).toEqual(
      new Map(['a', 'b'].map((dir) => [dirKey(dir), applied])),
    );
  });

  test('an apply that failed after it began spends its plan, one that was only refused does not', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a', 'b']);
    for (const _ of [1, 2]) await stage.runs.finish((await stage.start()).lease, planned());
    await stage.queue(pull, 'apply', ['a', 'b']);
    const [one, two] = [await stage.start(), await stage.start()];
    await stage.runs.beginApply(one.lease);
    await stage.runs.finish(one.lease, failedRun(true));
    await stage.runs.finish(two.lease, { state: 'failed', result: { kind: 'refused', unmet: [] }, phases: [] });
    const left = (await stage.runs.readState(pull.id))?.plans ?? [];
    expect(left.map((plan) => plan.projectKey)).toEqual([two.projectKey]);
  });

  test('files that must outlive the checkout are kept', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'apply', ['a']);
    const run = await stage.start();
    const artifacts = [{ name: 'errored.tfstate', content: Buffer.from('sealed') }];
    await stage.runs.finish(run.lease, { ...failedRun(true), artifacts });
    expect(await stage.runs.readArtifact(run.id, 'errored.tfstate')).toEqual(Buffer.from('sealed'));
    expect(await stage.runs.readArtifact(run.id, 'other')).toBeUndefined();
  });

  test('an apply that depends on one that failed is cancelled and says why; a plan is made all the same', async () => {
    const pull = await stage.open(1);
    const projects = [
      { dir: 'base', name: 'base' },
      { dir: 'app', name: 'app', dependsOn: ['base'] },
    ];
    await stage.queue(pull, 'apply', projects);
    await stage.runs.finish((await stage.start()).lease, failedRun());
    const applies = await stage.runs.listRuns({ pullRequestId: pull.id, limit: 9 });
    expect(applies.find((run) => run.project.dir === 'app')).toMatchObject({ state: 'cancelled' });
    expect(applies.find((run) => run.project.dir === 'app')?.result).toMatchObject({
      reason: expect.stringContaining('base'),
    });
    await stage.queue(pull, 'plan', projects);
    await stage.runs.finish((await stage.start()).lease, failedRun());
    expect((await stage.claim())?.project.dir).toBe('app');
  });

  test('a failed group stops the later groups when the repository says so', async () => {
    const pull = await stage.open(1);
    const groups = [
      { dir: 'first', executionOrderGroup: 0 },
      { dir: 'second', executionOrderGroup: 1 },
    ];
    await stage.queue(pull, 'plan', groups, buildNotes({ abortOnFailure: true }));
    await stage.runs.finish((await stage.start()).lease, failedRun());
    expect(await stage.claim()).toBeUndefined();
    expect((await stage.runs.readState(pull.id))?.open).toEqual([]);
  });

  test('runs that are not to be parallel follow one another', async () => {
    const pull = await stage.open(1);
    const ready = await stage.queue(pull, 'plan', ['a', 'b', 'c'], buildNotes({ parallel: false }));
    expect(ready).toHaveLength(1);
    const first = await stage.start();
    expect(await stage.claim()).toBeUndefined();
    expect((await stage.runs.finish(first.lease, failedRun())).runIds).toHaveLength(1);
  });

  test('and do so in the order in which they were decided on, which is also how they are told', async () => {
    const dirs = ['m', 'c', 'x', 'a', 't', 'b', 'k', 'd'];
    await stage.queue(await stage.open(1), 'apply', dirs, { parallel: false });
    const order = [];
    let batchId = '';
    for (const _ of dirs) {
      const run = await stage.start();
      order.push(run.project.dir);
      batchId = run.batchId;
      await stage.runs.finish(run.lease, APPLIED);
    }
    expect(order).toEqual(dirs);
    const told = await stage.runs.listRuns({ batchId, limit: 100 });
    expect(told.map((run) => run.project.dir).toReversed()).toEqual(dirs);
  });

  test('output is kept in order, and may be sent twice', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    const run = await stage.start();
    await stage.runs.appendOutput(run.lease, 0, Buffer.from('one'));
    await stage.runs.appendOutput(run.lease, 1, Buffer.from('two'));
    await stage.runs.appendOutput(run.lease, 1, Buffer.from('two'));
    expect((await stage.runs.readOutput(run.id, 0)).map(({ chunk }) => chunk.toString())).toEqual(['one', 'two']);
    await stage.runs.finish(run.lease, failedRun());
    expect(await stage.runs.countByState()).toEqual({ failed: 1 });
  });
});

describe('handing back', () => {
  test('gives the run to the next worker as if nothing had been', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    const run = await stage.start('w1');
    await stage.runs.appendOutput(run.lease, 0, Buffer.from('half'));
    expect((await stage.runs.handBack(run.lease)).runIds).toEqual([run.id]);
    expect(await stage.runs.readOutput(run.id, 0)).toEqual([]);
    const again = await stage.claim('w2');
    expect(again).toMatchObject({ id: run.id, attempts: 1 });
  });

  test('a run that was to be cancelled is cancelled instead', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    const run = await stage.start();
    await stage.decide(pull, { cancel: [{ runId: run.id, reason: 'Cancelled by ann.' }] });
    await stage.runs.handBack(run.lease);
    expect((await stage.runs.findRun(run.id))?.result).toEqual({ kind: 'cancelled', reason: 'Cancelled by ann.' });
    expect(await stage.claim()).toBeUndefined();
  });

  test('an apply that has begun is not handed back', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'apply', ['a']);
    const run = await stage.start();
    await stage.runs.beginApply(run.lease);
    await expect(stage.runs.handBack(run.lease)).rejects.toThrow(/begun/);
    expect(await stateOf(run.id)).toBe('running');
  });
});

describe('recovering', () => {
  const dead = (owner: string): boolean => owner === 'dead';

  test('a plan goes back to the queue, and its project is free', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    const run = await stage.start('dead');
    expect((await stage.runs.recover(dead)).runIds).toEqual([run.id]);
    expect(await stage.auditOf(`run:${run.id}`)).toEqual(['queued', 'claimed', 'running', 'worker_died:queued']);
    expect((await stage.claim())?.attempts).toBe(2);
  });

  test('a plan that killed three workers fails and says so', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    for (const _ of [1, 2, 3]) {
      await stage.start('dead');
      await stage.runs.recover(dead);
    }
    const [run] = await stage.runs.listRuns({ pullRequestId: pull.id, limit: 1 });
    expect(run).toMatchObject({ state: 'failed', result: { explanation: expect.stringContaining('3 times') } });
    expect(await stage.claim()).toBeUndefined();
  });

  test('an apply that had not begun fails; nothing was applied, and its plan stays', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    await stage.runs.finish((await stage.start()).lease, planned());
    await stage.queue(pull, 'apply', ['a']);
    const run = await stage.start('dead');
    expect((await stage.runs.recover(dead)).pullRequestIds).toEqual([pull.id]);
    expect(await stage.runs.findRun(run.id)).toMatchObject({
      state: 'failed',
      result: { explanation: expect.stringContaining('Nothing was applied') },
    });
    expect((await stage.runs.readState(pull.id))?.plans).toHaveLength(1);
    expect(await stage.db.selectFrom('replies').select('kind').execute()).toEqual([{ kind: 'apply' }]);
  });

  test('an apply that had begun is interrupted: never run again, plan spent, lock kept, people told', async () => {
    const pull = await stage.open(1);
    await stage.takeLocks(pull, ['a']);
    await stage.queue(pull, 'plan', ['a']);
    await stage.runs.finish((await stage.start()).lease, planned());
    await stage.queue(pull, 'apply', ['a']);
    const run = await stage.start('dead');
    await stage.runs.beginApply(run.lease);
    await stage.runs.recover(dead);
    expect(await stateOf(run.id)).toBe('interrupted');
    const state = await stage.runs.readState(pull.id);
    expect(state?.plans).toEqual([]);
    expect(state?.locks).toHaveLength(1);
    expect(await stage.claim()).toBeUndefined();
    expect(await stage.db.selectFrom('replies').select('kind').execute()).toEqual([{ kind: 'apply' }]);
    expect((await stage.counters(pull.id)).wanted).toBeGreaterThan((await stage.counters(pull.id)).done);
  });

  test.each(['plan', 'apply'] as const)(
    'a %s that was to be cancelled is cancelled with the reason given',
    async (operation) => {
      const pull = await stage.open(1);
      await stage.queue(pull, operation, ['a']);
      const run = await stage.start('dead');
      await stage.decide(pull, { cancel: [{ runId: run.id, reason: 'Cancelled by ann.' }] });
      await stage.runs.recover(dead);
      expect((await stage.runs.findRun(run.id))?.result).toEqual({ kind: 'cancelled', reason: 'Cancelled by ann.' });
    },
  );

  test('an apply that was to be cancelled after it began is of unknown outcome', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'apply', ['a']);
    const run = await stage.start('dead');
    await stage.runs.beginApply(run.lease);
    await stage.decide(pull, { cancel: [{ runId: run.id, reason: 'Cancelled by ann.' }] });
    await stage.runs.recover(dead);
    expect(await stateOf(run.id)).toBe('interrupted');
  });

  test('a run that was only claimed is recovered like one that runs', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    const run = await stage.claim('dead');
    await stage.runs.recover(dead);
    expect(await stateOf(run?.id ?? '')).toBe('queued');
  });

  test('many that recover at once recover once, and nothing is taken from the worker that has it by then', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a', 'b', 'c']);
    for (const _ of [1, 2, 3]) await stage.start('dead');
    const other = createRunStore(stage.db);
    const claims: (ClaimedRun | undefined)[] = [];
    const race = await Promise.all([
      stage.runs.recover(dead),
      other.recover(dead),
      stage.runs.recover(dead),
      ...[1, 2, 3].map(async (n) => {
        claims.push(await until(() => stage.claim(`w${n}`)));
        return { runIds: [], pullRequestIds: [], deliveries: [] };
      }),
    ]);
    expect(race.flatMap((one) => one.runIds).toSorted()).toEqual(claims.map((run) => run?.id ?? '').toSorted());
    for (const run of claims) if (run !== undefined) await stage.runs.renew(run.lease, 1000);
    const attempts = await stage.db.selectFrom('runs').select('attempts').execute();
    expect(attempts.map((row) => row.attempts)).toEqual([2, 2, 2]);
  });

  test('a lease that ran out is recovered, one that is renewed is not', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a', 'b']);
    const lost = await stage.start('w1', 200);
    const kept = await stage.start('w2', 200);
    await until(async () => {
      await stage.runs.renew(kept.lease, 60_000);
      return (await stage.runs.recover()).runIds[0];
    }, 30_000);
    expect([await stateOf(lost.id), await stateOf(kept.id)]).toEqual(['queued', 'running']);
  });

  test('a worker whose session is gone and that says nothing is dead long before its lease runs out; one with a session lives', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a', 'b']);
    const logger = recordingLogger();
    const presence = await announceWorker({ url: stage.database.url, workerId: 'present', logger });
    const gone = await stage.start('gone', 600_000);
    const here = await stage.start('present', 600_000);
    const startedAt = performance.now();
    await until(async () => (await stage.runs.recover()).runIds[0], 30_000, 100);
    expect(performance.now() - startedAt).toBeGreaterThan(3_000);
    expect([await stateOf(gone.id), await stateOf(here.id)]).toEqual(['queued', 'running']);
    await presence.close();
    expect((await until(async () => (await stage.runs.recover()).runIds[0], 30_000, 50)) satisfies string).toBe(
      here.id,
    );
  });

  test('a session that breaks is opened again', async () => {
    const logger = recordingLogger();
    const presence = await announceWorker({ url: stage.database.url, workerId: 'back', logger });
    const backends = async (): Promise<readonly number[]> => {
      const { rows } = await stage.database.pool.query<{ pid: number }>(
        `select l.pid from pg_locks l join pg_stat_activity a on a.pid = l.pid
         where l.locktype = 'advisory' and a.application_name = 'holdfast-presence' and a.datname = current_database()`,
      );
      return rows.map((row) => row.pid);
    };
    const [before] = await backends();
    await stage.database.pool.query('select pg_terminate_backend($1)', [before]);
    const after = await until(async () => (await backends()).find((pid) => pid !== before), 20_000);
    expect(after).toBeDefined();
    await presence.close();
    expect(await until(async () => (await backends()).length === 0 || undefined, 10_000)).toBe(true);
  });

  test('what could be claimed and what is unpublished is found again by the sweep', async () => {
    const pull = await stage.open(1);
    const [id] = await stage.queue(pull, 'plan', ['a']);
    expect(await stage.runs.findNeglected()).toEqual({
      runIds: [id],
      pullRequestIds: [pull.id],
      deliveries: [],
      repositoryIds: [],
    });
    await stage.start();
    expect((await stage.runs.findNeglected()).runIds).toEqual([]);
  });
});

test('nothing of a transaction stays when it breaks off in the middle', async () => {
  const pull = await stage.open(1);
  const narrow = connectPostgres({ url: stage.database.url, logger: recordingLogger() });
  const runs = createRunStore(narrow.db);
  const bad = stage.batch('plan', [buildProject({ dir: 'a' })], { headSha: 'nul\0' });
  const decision: Decision = {
    actor: 'ann',
    event: 'x',
    locks: [{ projectKey: dirKey('a'), project: buildProject() }],
    batch: bad,
  };
  await expect(runs.decide(pull.id, pull.version, () => decision)).rejects.toThrow();
  expect(await stage.db.selectFrom('project_locks').selectAll().execute()).toEqual([]);
  expect(await stage.db.selectFrom('audit_log').selectAll().execute()).toEqual([]);
  expect(await stage.counters(pull.id)).toEqual({ wanted: 0, done: 0 });
  await narrow.close();
});
