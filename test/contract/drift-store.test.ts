import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCounterStore } from '../../src/adapters/postgres/counter-store.ts';
import { NO_DRIFT } from '../../src/core/drift/lifecycle.ts';
import type { BranchProject } from '../../src/core/drift/drift-project.ts';
import { commitSha } from '../../src/core/repository.ts';
import type { ScheduleFacts } from '../../src/ports/drift-store.ts';
import { LeaseLostError, type RunEnd } from '../../src/ports/run-store.ts';
import { buildAccount, buildRepository, HEAD, keyOf, OLD_HEAD } from '../support/builders.ts';
import { buildBranchProject, drifting } from '../support/drift-builders.ts';
import { APPLIED, createRecordStage, planned, type RecordStage } from '../support/record-stage.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const REPOSITORY = buildRepository();
const REPOSITORY_ID = `${REPOSITORY.host}/${REPOSITORY.id}`;
const CHECKED: RunEnd = {
  state: 'succeeded',
  result: { kind: 'checked', sync: 'in_sync', drifting: 0, differing: 0 },
  phases: [],
};
const NOTHING = { changes: {}, report: false };

let stage: RecordStage;
beforeAll(async () => {
  stage = await createRecordStage();
});
beforeEach(() => stage.forget());

async function sync(projects: readonly BranchProject[], tip = HEAD): Promise<void> {
  await stage.pulls.saveRepository(REPOSITORY);
  await stage.drift.track(REPOSITORY, 'main');
  await stage.drift.syncProjects(REPOSITORY_ID, { tip: commitSha(tip), settingsDigest: 's', projects }, NOW);
}

const LATER = new Date(NOW.getTime() + 7 * 3_600_000);
const all = (facts: ScheduleFacts) => ({ start: facts.due.map(({ project }) => project.key), skip: new Map() });
const startAll = () => stage.drift.schedule(all, LATER);
const projectOf = async (dir: string) => (await stage.drift.find(keyOf(dir)))?.project;

describe('tracked branches', () => {
  test('one of a new name is read anew; one that is let go of is not checked any more', async () => {
    await sync([buildBranchProject('a')]);
    const [before] = await stage.drift.listBranches();
    expect(before).toMatchObject({ branch: 'main', syncedTip: HEAD, settingsDigest: 's', problem: undefined });
    await stage.drift.track(REPOSITORY, 'main');
    expect((await stage.drift.listBranches())[0]?.syncedTip).toBe(HEAD);
    await stage.drift.track(REPOSITORY, 'trunk');
    expect((await stage.drift.listBranches())[0]).toMatchObject({ branch: 'trunk', syncedTip: undefined });
    await stage.drift.untrack(REPOSITORY_ID);
    expect(await projectOf('a')).toMatchObject({ listed: false, due: { dueAt: undefined } });
  });

  test('a poll is one machine’s alone, and comes at once when somebody says that the branch moved', async () => {
    await sync([]);
    const before = new Date(Date.now() - 60_000);
    const claims = await Promise.all([1, 2, 3].map(() => stage.drift.claimPolls(before, 10)));
    expect(claims.flat()).toHaveLength(1);
    expect(await stage.drift.claimPolls(before, 10)).toHaveLength(0);
    await stage.drift.pollSoon(REPOSITORY_ID);
    expect(await stage.drift.claimPolls(before, 10)).toHaveLength(1);
  });

  test('a problem keeps the time since when it is there, and goes with the next reading', async () => {
    await sync([]);
    await stage.drift.saveProblem(REPOSITORY_ID, 'no');
    const since = (await stage.drift.listBranches())[0]?.problem?.since;
    await stage.drift.saveProblem(REPOSITORY_ID, 'still no');
    expect((await stage.drift.listBranches())[0]?.problem).toEqual({ sentence: 'still no', since });
    await sync([]);
    expect((await stage.drift.listBranches())[0]?.problem).toBeUndefined();
  });
});

describe('projects', () => {
  test('what is known of one stays when the branch moves; one that is gone is not listed, and back again begins anew', async () => {
    await sync([buildBranchProject('a'), buildBranchProject('b')]);
    await stage.drift.change(keyOf('a'), () => ({ changes: { state: drifting(), sync: 'drift' }, report: false }));
    const due = (await projectOf('a'))?.due;
    await sync([buildBranchProject('a')], OLD_HEAD);
    expect(await projectOf('a')).toMatchObject({ listed: true, tip: OLD_HEAD, sync: 'drift', due });
    expect(await projectOf('b')).toMatchObject({ listed: false, due: { dueAt: undefined } });
    await sync([buildBranchProject('a'), buildBranchProject('b')]);
    expect((await projectOf('b'))?.due.dueAt).toEqual(expect.any(Date));
  });

  test('one whose checks are turned off is never due', async () => {
    await sync([buildBranchProject('a', { settings: { enabled: false } })]);
    expect((await startAll()).runIds).toHaveLength(0);
  });

  test('everything that is changed comes back as it was written, times as times', async () => {
    await sync([buildBranchProject('a')]);
    const ann = buildAccount('ann');
    const changes = {
      skip: { code: 'locked', sentence: 'It is locked.', since: NOW },
      suspension: { reason: 'since: 2026-01-01T00:00:00Z', by: 'ann', since: NOW, until: undefined },
      silences: [
        { kind: 'snooze', id: '1', by: 'ann', reason: undefined, fingerprint: undefined, until: NOW },
        { kind: 'ignore', id: '2', address: '*', attribute: 'tags', reason: 'r', owner: 'ann', expires: NOW },
      ],
      approvals: [{ by: ann, fingerprint: 'f', at: NOW }],
      request: { kind: 'command', actor: ann, at: NOW },
      state: drifting(),
      findings: Buffer.from('sealed'),
      lastSuccessAt: NOW,
      baselineDigest: 'b',
    } as const;
    expect(await stage.drift.change(keyOf('a'), () => ({ changes, report: false }))).toMatchObject({
      ...changes,
      state: { drift: { fingerprint: drifting().drift?.fingerprint, confirmed: true }, episode: 1 },
      suspension: { reason: 'since: 2026-01-01T00:00:00Z', by: 'ann', since: NOW },
      silences: [
        { kind: 'snooze', until: NOW },
        { kind: 'ignore', expires: NOW },
      ],
    });
    const cleared = { skip: undefined, suspension: undefined, request: undefined, findings: undefined };
    expect(await stage.drift.change(keyOf('a'), () => ({ changes: cleared, report: false }))).toMatchObject(cleared);
  });

  test('who is not known is told so', async () => {
    expect(await stage.drift.change(keyOf('nowhere'), () => NOTHING)).toBeUndefined();
    expect(await stage.drift.find(keyOf('nowhere'))).toBeUndefined();
  });
});

describe('scheduling', () => {
  test('whatever the number of schedulers, what is due is started once', async () => {
    await sync([buildBranchProject('a'), buildBranchProject('b')]);
    const started = await Promise.all([1, 2, 3, 4].map(() => startAll()));
    expect(started.flatMap(({ runIds }) => runIds)).toHaveLength(2);
    const project = await projectOf('a');
    expect(project).toMatchObject({ lastCheckAt: LATER, runId: expect.any(String) });
    expect(project?.due.dueAt?.getTime()).toBeGreaterThan(LATER.getTime());
    expect((await stage.runs.findRun(project?.runId ?? ''))?.batch).toMatchObject({
      trigger: 'schedule',
      headSha: HEAD,
    });
  });

  test('what is not due is left alone, unless somebody asks', async () => {
    await sync([buildBranchProject('a')]);
    await stage.drift.schedule(all, NOW);
    expect((await projectOf('a'))?.runId).toBeUndefined();
    expect(await stage.drift.request(keyOf('a'), { kind: 'command', actor: buildAccount('ann'), at: NOW })).toBe(true);
    const [runId = ''] = (await stage.drift.schedule(all, NOW)).runIds;
    expect((await stage.runs.findRun(runId))?.batch).toMatchObject({
      trigger: 'drift_command',
      actor: { login: 'ann' },
    });
    expect((await projectOf('a'))?.request).toBeUndefined();
  });

  test('a reason for a skip is kept with the time since when it holds', async () => {
    await sync([buildBranchProject('a')]);
    const skip =
      (sentence: string, code = 'locked' as const) =>
      () => ({
        start: [],
        skip: new Map([[keyOf('a'), { code, sentence }]]),
      });
    await stage.drift.schedule(skip('by #1'), LATER);
    await stage.drift.schedule(skip('by #2'), new Date(LATER.getTime() + 60_000));
    expect((await projectOf('a'))?.skip).toEqual({ code: 'locked', sentence: 'by #2', since: LATER });
  });

  test('the facts tell of locks, open pull requests that have a plan, applies and workers', async () => {
    await sync([buildBranchProject('a')]);
    const pull = await stage.open(7);
    await stage.takeLocks(pull, ['a']);
    await stage.queue(pull, 'plan', ['a']);
    let facts: ScheduleFacts | undefined;
    const look = (seen: ScheduleFacts) => {
      facts = seen;
      return { start: [], skip: new Map() };
    };
    await stage.drift.schedule(look, LATER);
    expect(facts).toMatchObject({ pullRequestRuns: 1, workers: 1, startedLastMinute: 0, running: [] });
    await stage.runs.finish((await stage.start()).lease, planned());
    await stage.drift.schedule(look, LATER);
    expect(facts?.due[0]?.facts).toEqual({
      applying: false,
      lock: { number: 7, who: 'ann' },
      openPullRequests: [7],
      lastAppliedAt: undefined,
    });
  });
});

describe('runs on the tracked branch', () => {
  test('drift checks have half of a worker at most, and come after pull requests', async () => {
    await sync(['a', 'b', 'c'].map((dir) => buildBranchProject(dir)));
    await startAll();
    await stage.queue(await stage.open(1), 'plan', ['x']);
    const operations = [];
    for (let run = await stage.claim('w', { perWorker: 4 }); run; run = await stage.claim('w', { perWorker: 4 }))
      operations.push(run.operation);
    expect(operations).toEqual(['plan', 'drift_check', 'drift_check']);
    expect((await stage.claim('another', { perWorker: 1 }))?.operation).toBe('drift_check');
  });

  test('a pull request that works on the project stops its check, which is then told as ended', async () => {
    await sync([buildBranchProject('a'), buildBranchProject('b')]);
    await startAll();
    const running = await stage.start();
    await stage.queue(await stage.open(1), 'plan', ['a', 'b']);
    expect((await stage.runs.renew(running.lease, 1000)).cancel).toContain('A pull request works on this project');
    const [ended] = await stage.drift.listEnded(10);
    expect(ended).toMatchObject({ operation: 'drift_check', state: 'cancelled', actor: { login: 'holdfast' } });
    expect(ended?.project.runId).not.toBe(running.id);
  });

  test('an end is recorded with what follows, once, and only by whoever has the lease', async () => {
    await sync([buildBranchProject('a')]);
    await startAll();
    const { lease } = await stage.start();
    const wakeups = await stage.drift.finish(lease, CHECKED, () => ({
      changes: { sync: 'in_sync', state: { ...NO_DRIFT, episode: 3 } },
      report: true,
      audit: { actor: 'holdfast', event: 'checked' },
    }));
    expect(wakeups.repositoryIds).toEqual([REPOSITORY_ID]);
    expect(await projectOf('a')).toMatchObject({ sync: 'in_sync', runId: undefined, state: { episode: 3 } });
    expect(await stage.auditOf(`drift:${keyOf('a')}`)).toEqual(['checked']);
    expect(await stage.drift.listEnded(10)).toEqual([]);
    await expect(stage.drift.finish(lease, CHECKED, () => NOTHING)).rejects.toThrow(LeaseLostError);
    const counted = await createCounterStore(stage.db).read();
    expect(counted).toEqual([{ name: 'drift_checks', label: 'in_sync', value: 1 }]);
  });

  test('an apply from any pull request makes the baseline', async () => {
    await sync([buildBranchProject('a')]);
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    await stage.runs.finish((await stage.start()).lease, planned());
    await stage.queue(pull, 'apply', ['a']);
    await stage.runs.finish((await stage.start()).lease, APPLIED);
    expect((await projectOf('a'))?.baselineDigest).toBe(APPLIED.apply?.inputsDigest);
  });

  test('one whose worker died is planned again, and at last told as failed', async () => {
    await sync([buildBranchProject('a')]);
    await startAll();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await stage.start('dead');
      await stage.runs.recover((owner) => owner === 'dead');
    }
    expect(await stage.drift.listEnded(10)).toMatchObject([{ state: 'failed', operation: 'drift_check' }]);
  });

  test('a remediation is started once per comment, and not beside another run of the project', async () => {
    await sync([buildBranchProject('a')]);
    const order = {
      triggerKey: 'comment:1',
      actor: buildAccount('ann'),
      commentId: '1',
      order: { fingerprint: 'f', destroys: ['a.b'] },
    };
    const started = await stage.drift.startRemediation(keyOf('a'), order);
    expect(started).toMatchObject({ kind: 'started', wakeups: { repositoryIds: [REPOSITORY_ID] } });
    expect(await stage.drift.startRemediation(keyOf('a'), order)).toMatchObject({ kind: 'repeated' });
    expect(await stage.drift.startRemediation(keyOf('a'), { ...order, triggerKey: 'comment:2' })).toEqual({
      kind: 'busy',
    });
    const run = await stage.start();
    expect(run).toMatchObject({ operation: 'remediation', pullRequestId: undefined });
    expect(run.batch.notes.remediation).toEqual(order.order);
  });

  test('a remediation that may have begun is never run again: it is told as interrupted', async () => {
    await sync([buildBranchProject('a')]);
    await stage.drift.startRemediation(keyOf('a'), {
      triggerKey: 'k',
      actor: buildAccount('ann'),
      commentId: undefined,
      order: { fingerprint: 'f', destroys: [] },
    });
    const { lease } = await stage.start('dead');
    await stage.runs.beginApply(lease);
    await stage.runs.recover((owner) => owner === 'dead');
    expect(await stage.drift.listEnded(10)).toMatchObject([
      { state: 'interrupted', operation: 'remediation', fingerprint: 'f', actor: { login: 'ann' } },
    ]);
  });
});
