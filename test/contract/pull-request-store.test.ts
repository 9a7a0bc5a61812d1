import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PullRequestRecord } from '../../src/core/record.ts';
import { buildProject, buildPullRequest, buildRepository, OLD_HEAD } from '../support/builders.ts';
import { createRecordStage, dirKey, planned, type RecordStage } from '../support/record-stage.ts';

let stage: RecordStage;
beforeAll(async () => {
  stage = await createRecordStage();
});
beforeEach(() => stage.forget());

const holders = async () =>
  Object.fromEntries((await stage.pulls.listLocks()).map((lock) => [lock.dir, [lock.number, ...lock.waiting]]));
const handOvers = async (): Promise<readonly { pullRequestId: string; projectKeys: readonly string[] }[]> => {
  const rows = await stage.db.selectFrom('deliveries').select('payload').where('host', '=', 'holdfast').execute();
  return rows.map((row) => JSON.parse(row.payload) as { pullRequestId: string; projectKeys: readonly string[] });
};
const close = async (pull: PullRequestRecord, state: 'closed' | 'merged' = 'closed') => {
  const now = await stage.open(pull.number, { state });
  return stage.decide(now, { close: true, event: state });
};

describe('facts', () => {
  test('what is saved is found again, with its repository', async () => {
    const pull = await stage.open(1);
    expect(pull).toMatchObject({ ...buildPullRequest({ number: 1, url: pull.url }), version: 1 });
    expect(await stage.pulls.find(pull.id)).toEqual(pull);
    expect(await stage.pulls.findRepository('github.com/42')).toEqual(buildRepository());
    expect(await stage.pulls.findRepository('github.com/43')).toBeUndefined();
  });

  test('the version grows with every change and stays when nothing changed', async () => {
    const pull = await stage.open(1);
    expect((await stage.open(1)).version).toBe(1);
    expect((await stage.open(1, { headSha: OLD_HEAD })).version).toBe(2);
    expect((await stage.open(1, { headSha: OLD_HEAD, draft: true })).version).toBe(3);
    expect(await stage.pulls.readVersion(pull.id)).toBe(3);
    expect(await stage.pulls.readVersion(`${pull.id}9` as typeof pull.id)).toBe(0);
  });

  test('facts that are older than what is recorded are not written', async () => {
    const pull = await stage.open(1);
    const seen = await stage.pulls.readVersion(pull.id);
    const newer = await stage.open(1, { title: 'newer' });
    const older = { ...buildPullRequest({ number: 1, url: pull.url, title: 'older' }) };
    expect(await stage.pulls.saveSeen(older, seen)).toBeUndefined();
    expect(await stage.pulls.find(pull.id)).toEqual(newer);
    expect((await stage.pulls.saveSeen(older, newer.version))?.title).toBe('older');
    expect((await stage.pulls.saveSeen({ ...older, number: 2 }, 0))?.number).toBe(2);
  });

  test('what is planned anew for is counted, also when it is as it was before; title, address and base commit are not', async () => {
    const versions: number[] = [];
    const see = async (some: Parameters<typeof stage.open>[1]) =>
      void versions.push((await stage.open(1, some)).planVersion);
    for (const some of [{}, { title: 'other' }, { url: 'https://x' }, { baseSha: OLD_HEAD }, {}]) await see(some);
    expect(versions).toEqual([1, 1, 1, 1, 1]);
    versions.length = 0;
    const changes = [{ headSha: OLD_HEAD }, { baseRef: 'staging' }, { draft: true }, { state: 'closed' }] as const;
    for (const some of changes) for (const seen of [some, {}]) await see(seen);
    expect(versions).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('the same facts saved by many at once are one pull request of version one', async () => {
    await Promise.all(Array.from({ length: 6 }, () => stage.open(1)));
    expect((await stage.open(1)).version).toBe(1);
  });

  test('a renamed repository is the same one', async () => {
    await stage.open(1);
    const renamed = buildRepository({ owner: 'other', name: 'renamed' });
    await stage.pulls.saveRepository(renamed);
    expect((await stage.pulls.listOpen(renamed)).map((pull) => pull.repository.name)).toEqual(['renamed']);
  });

  test('open ones are listed by number and base', async () => {
    await stage.open(2);
    await stage.open(1);
    await stage.open(3, { baseRef: 'release' });
    await stage.open(4, { state: 'closed' });
    expect((await stage.pulls.listOpen(buildRepository())).map((pull) => pull.number)).toEqual([1, 2, 3]);
    expect((await stage.pulls.listOpen(buildRepository(), 'main')).map((pull) => pull.number)).toEqual([1, 2]);
  });

  test('those not compared with the host for long are listed, the longest first', async () => {
    await stage.open(2);
    await stage.open(1);
    await stage.open(3, { state: 'merged' });
    const soon = new Date(Date.now() + 60_000);
    expect((await stage.pulls.listSeenBefore(soon, 10)).map((pull) => pull.number)).toEqual([2, 1]);
    expect(await stage.pulls.listSeenBefore(soon, 1)).toHaveLength(1);
    expect(await stage.pulls.listSeenBefore(new Date(Date.now() - 60_000), 10)).toEqual([]);
  });

  test('one whose end was seen though nothing was given back is listed, and goes to the end of the list when it is looked at', async () => {
    const one = await stage.open(1);
    await stage.takeLocks(one, ['a']);
    await stage.open(1, { state: 'merged' });
    await stage.open(2);
    const soon = new Date(Date.now() + 60_000);
    expect((await stage.pulls.listSeenBefore(soon, 10)).map((pull) => pull.number)).toEqual([1, 2]);
    await stage.pulls.markSeen(one.id);
    expect((await stage.pulls.listSeenBefore(soon, 10)).map((pull) => pull.number)).toEqual([2, 1]);
  });
});

describe('locks', () => {
  test('the first takes it, the others wait in the order they came', async () => {
    const pulls = [await stage.open(1), await stage.open(2), await stage.open(3)];
    for (const pull of pulls) await stage.takeLocks(pull, ['a']);
    expect(await holders()).toEqual({ a: [1, 2, 3] });
  });

  test('many that want it at once: exactly one has it and all others wait', async () => {
    const pulls = await Promise.all([1, 2, 3, 4, 5].map((number) => stage.open(number)));
    await Promise.all(pulls.map((pull) => stage.takeLocks(pull, ['a', 'b'])));
    const found = await holders();
    expect(found['a']?.toSorted()).toEqual([1, 2, 3, 4, 5]);
    expect(found['b']?.toSorted()).toEqual([1, 2, 3, 4, 5]);
  });

  test('taking it again changes neither holder nor order', async () => {
    const [one, two] = [await stage.open(1), await stage.open(2)];
    for (const pull of [one, two, one, two]) await stage.takeLocks(pull, ['a']);
    expect(await holders()).toEqual({ a: [1, 2] });
  });

  test('when the holder closes, the open one that waited longest gets it and the only re-plan; closed ones are passed over', async () => {
    const [one, two, three, four] = [
      await stage.open(1),
      await stage.open(2),
      await stage.open(3),
      await stage.open(4),
    ];
    for (const pull of [one, two, three, four]) await stage.takeLocks(pull, ['a', 'b']);
    await stage.open(2, { state: 'closed' });
    const wakeups = await close(one);
    expect(await holders()).toEqual({ a: [3, 4], b: [3, 4] });
    const written = await handOvers();
    expect(written).toHaveLength(1);
    expect(written[0]).toMatchObject({ pullRequestId: three.id, projectKeys: [dirKey('a'), dirKey('b')] });
    expect(wakeups.deliveries).toHaveLength(1);
    expect(wakeups.pullRequestIds).toEqual(expect.arrayContaining([three.id, four.id]));
    expect((await stage.counters(four.id)).wanted).toBe(2);
    expect(await stage.auditOf(`lock:${dirKey('a')}`)).toEqual(['taken', 'released', 'handed_over']);
  });

  test('handing over to and fro at the same moment loses no lock and leaves none behind', async () => {
    const [one, two] = [await stage.open(1), await stage.open(2)];
    await stage.takeLocks(one, ['a']);
    await stage.takeLocks(two, ['b']);
    await stage.takeLocks(one, ['b']);
    await stage.takeLocks(two, ['a']);
    await Promise.all([stage.decide(one, { release: 'all' }), stage.decide(two, { release: 'all' })]);
    const left = await holders();
    for (const [holder] of Object.values(left)) expect([1, 2]).toContain(holder);
    await close(one);
    await close(two);
    expect(await holders()).toEqual({});
  });

  test('the new holder is known by its author, whoever gave the lock up', async () => {
    const [one, two] = [await stage.open(1), await stage.open(2, { author: { id: '2', login: 'bea' } })];
    await stage.takeLocks(one, ['a']);
    await stage.takeLocks(two, ['a']);
    await stage.decide(one, { actor: 'page', release: [dirKey('a')] });
    expect((await stage.runs.readState(two.id))?.locks.map(({ number, who }) => [number, who])).toEqual([[2, 'bea']]);
  });

  test('giving up one project leaves the others, and its plan goes with its lock', async () => {
    const [one, two] = [await stage.open(1), await stage.open(2)];
    await stage.takeLocks(one, ['a', 'b']);
    await stage.takeLocks(two, ['a']);
    await stage.queue(one, 'plan', ['a']);
    await stage.runs.finish((await stage.start()).lease, planned());
    await stage.decide(one, { release: [dirKey('a')] });
    expect(await holders()).toEqual({ a: [2], b: [1] });
    expect(await stage.pulls.findCurrentPlan(one.id, dirKey('a'))).toBeUndefined();
  });

  test('an apply takes the lock, or learns who has it and waits', async () => {
    const [one, two] = [await stage.open(1), await stage.open(2)];
    await stage.queue(one, 'apply', [{ dir: 'a', repoLocks: 'on_apply' }]);
    const first = await stage.start();
    expect(await stage.runs.takeLock(first.lease)).toBeUndefined();
    await stage.runs.handBack(first.lease);
    await stage.decide(one, { cancel: [{ runId: first.id, reason: 'x' }] });
    await stage.queue(two, 'apply', [{ dir: 'a', repoLocks: 'on_apply' }]);
    const second = await stage.start();
    expect(await stage.runs.takeLock(second.lease)).toEqual({ number: 1, who: 'ann' });
    expect(await holders()).toEqual({ a: [1, 2] });
  });

  test('a project whose locks are disabled takes none', async () => {
    const one = await stage.open(1);
    await stage.queue(one, 'apply', [{ dir: 'a', repoLocks: 'disabled' }]);
    expect(await stage.runs.takeLock((await stage.start()).lease)).toBeUndefined();
    expect(await holders()).toEqual({});
  });
});

describe('closing', () => {
  test('gives everything back at once when nothing runs', async () => {
    const pull = await stage.open(1);
    await stage.takeLocks(pull, ['a']);
    await stage.queue(pull, 'plan', ['a']);
    const end = planned();
    await stage.runs.finish((await stage.start()).lease, end);
    await close(pull, 'merged');
    expect(await holders()).toEqual({});
    expect(await stage.pulls.readPlanArtifact(end.plan.id)).toBeUndefined();
  });

  test('waits for an apply that runs, and then gives everything back and hands it over', async () => {
    const [one, two] = [await stage.open(1), await stage.open(2)];
    await stage.takeLocks(one, ['a']);
    await stage.takeLocks(two, ['a']);
    await stage.queue(one, 'apply', ['a']);
    const run = await stage.start();
    await stage.runs.beginApply(run.lease);
    await close(one);
    expect(await holders()).toEqual({ a: [1, 2] });
    expect(await handOvers()).toEqual([]);
    const wakeups = await stage.runs.finish(run.lease, planned());
    expect(await holders()).toEqual({ a: [2] });
    expect(wakeups.deliveries).toHaveLength(1);
    expect(wakeups.pullRequestIds).toContain(two.id);
  });

  test('waits for a worker that died in an apply, too', async () => {
    const one = await stage.open(1);
    await stage.takeLocks(one, ['a']);
    await stage.queue(one, 'apply', ['a']);
    const run = await stage.start('dead');
    await stage.runs.beginApply(run.lease);
    await close(one);
    expect(await holders()).toEqual({ a: [1] });
    await stage.runs.recover((owner) => owner === 'dead');
    expect(await holders()).toEqual({});
  });

  test('one that was opened again while its apply ran keeps its lock', async () => {
    const one = await stage.open(1);
    await stage.takeLocks(one, ['a']);
    await stage.queue(one, 'apply', ['a']);
    const run = await stage.start();
    await close(one);
    await stage.open(1, { state: 'open' });
    await stage.runs.finish(run.lease, planned());
    expect(await holders()).toEqual({ a: [1] });
  });

  test('one that went to a branch that is not served gives back what it has once nothing of it runs', async () => {
    const one = await stage.open(1);
    await stage.takeLocks(one, ['a']);
    await stage.queue(one, 'plan', ['a']);
    const run = await stage.start();
    const moved = await stage.open(1, { baseRef: 'elsewhere' });
    await stage.decide(moved, { close: true });
    expect(await holders()).toEqual({ a: [1] });
    await stage.runs.finish(run.lease, planned());
    expect(await holders()).toEqual({});
  });

  test('one that came back from there and is planned again keeps what it has', async () => {
    const one = await stage.open(1);
    await stage.takeLocks(one, ['a']);
    await stage.queue(one, 'plan', ['a']);
    const run = await stage.start();
    await stage.decide(one, { close: true });
    await stage.queue(one, 'plan', ['b']);
    await stage.runs.finish(run.lease, planned());
    await stage.runs.finish((await stage.start()).lease, planned());
    expect(await holders()).toEqual({ a: [1] });
  });

  test('a plan that ends after the close is not kept', async () => {
    const pull = await stage.open(1);
    await stage.queue(pull, 'plan', ['a']);
    const run = await stage.start();
    await close(pull);
    const end = planned();
    await stage.runs.finish(run.lease, end);
    expect(await stage.pulls.findCurrentPlan(pull.id, dirKey('a'))).toBeUndefined();
    expect(await stage.pulls.readPlanArtifact(end.plan.id)).toBeUndefined();
  });
});

test('plans: the text is found by its run, and retention takes only those that are not current', async () => {
  const pull = await stage.open(1);
  await stage.queue(pull, 'plan', ['a']);
  const run = await stage.start();
  const end = planned();
  await stage.runs.finish(run.lease, end);
  expect(await stage.pulls.readPlanTexts([run.id, 'unknown'])).toEqual(new Map([[run.id, Buffer.from('text')]]));
  const soon = new Date(Date.now() + 60_000);
  expect(await stage.retention.prune('plans', soon)).toBe(0);
  await stage.queue(pull, 'apply', ['a']);
  const apply = await stage.start();
  await stage.runs.beginApply(apply.lease);
  const spent = {
    kind: 'failed',
    explanation: 'x',
    diagnostics: [],
    output: '',
    applyBegun: true,
    erroredState: false,
  };
  await stage.runs.finish(apply.lease, { state: 'failed', result: spent as never, phases: [] });
  expect(await stage.pulls.readPlanArtifact(end.plan.id)).toBeUndefined();
  expect(await stage.pulls.readPlanTexts([run.id, 'unknown'])).toEqual(new Map([[run.id, Buffer.from('text')]]));
  expect(await stage.retention.prune('plans', soon)).toBe(1);
  expect(await stage.pulls.readPlanTexts([run.id])).toEqual(new Map());
  expect(buildProject().dir).toBe('prod');
});
