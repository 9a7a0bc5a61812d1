import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { advanceBatch, type BatchRun, type BatchStep } from '../../../src/core/batch.ts';
import type { PullRequestOperation, RunState } from '../../../src/core/run.ts';

const PARALLEL = { parallel: true, abortOnFailure: false };
const ONE_BY_ONE = { parallel: false, abortOnFailure: false };
const ABORTING = { parallel: true, abortOnFailure: true };
const ENDED: readonly RunState[] = ['succeeded', 'failed', 'cancelled', 'interrupted'];
const BAD: readonly RunState[] = ['failed', 'cancelled', 'interrupted'];

/** A queued run that is its project's name, in group 0, and not ready. */
function run(name: string, some: Partial<BatchRun> & { group?: number; needs?: readonly string[] } = {}): BatchRun {
  const { group = 0, needs = [], ...rest } = some;
  const project = { name, dir: `dir-${name}`, executionOrderGroup: group, dependsOn: needs };
  return { id: name, state: 'queued', ready: false, project, ...rest };
}

const WAIT: BatchStep = { ready: [], cancel: [], finished: false };
const DONE: BatchStep = { ready: [], cancel: [], finished: true };
const start = (...ready: readonly string[]): BatchStep => ({ ...WAIT, ready });

describe('what starts', () => {
  test('everything at once when nothing waits for anything', () => {
    expect(advanceBatch('plan', PARALLEL, [run('a'), run('b')])).toEqual(start('a', 'b'));
  });

  test('nothing twice', () => {
    expect(advanceBatch('plan', PARALLEL, [run('a', { ready: true }), run('b')])).toEqual(start('b'));
    expect(advanceBatch('plan', PARALLEL, [run('a', { ready: true })])).toEqual(WAIT);
  });

  test.each(['claimed', 'running'] as const)('nothing that is %s', (state) => {
    expect(advanceBatch('plan', PARALLEL, [run('a', { state })])).toEqual(WAIT);
  });

  test('a batch of no runs is over', () => expect(advanceBatch('plan', PARALLEL, [])).toEqual(DONE));

  test.each(ENDED)('a run that has %s is over', (state) => {
    expect(advanceBatch('plan', PARALLEL, [run('a', { state })])).toEqual(DONE);
  });
});

describe('execution order groups', () => {
  const later = run('b', { group: 1 });

  test.each(['queued', 'claimed', 'running'] as const)('a later one waits while an earlier is %s', (state) => {
    expect(advanceBatch('plan', PARALLEL, [later, run('a', { state, ready: true })])).toEqual(WAIT);
  });

  test.each(ENDED)('a later one starts when the earlier has %s', (state) => {
    expect(advanceBatch('plan', PARALLEL, [later, run('a', { state })])).toEqual(start('b'));
  });

  test('a later one waits for all of the earlier', () => {
    expect(advanceBatch('plan', PARALLEL, [later, run('a', { state: 'succeeded' }), run('c')])).toEqual(start('c'));
    expect(advanceBatch('plan', PARALLEL, [run('x', { group: 2 }), later, run('a')])).toEqual(start('a'));
  });

  test('a failure is passed over', () => {
    const runs = [run('a', { state: 'failed' }), later];
    expect(advanceBatch('apply', PARALLEL, runs)).toEqual(start('b'));
  });

  test.each(BAD)('a run that has %s stops the later groups, where the config says so', (state) => {
    const runs = [run('a', { state }), run('c'), later, run('d', { group: 2 })];
    const reason = '`a` in an earlier execution order group did not succeed';
    for (const operation of ['plan', 'apply'] as const) {
      expect(advanceBatch(operation, ABORTING, runs)).toEqual({
        ready: ['c'],
        cancel: [
          { id: 'b', reason },
          { id: 'd', reason },
        ],
        finished: false,
      });
    }
  });

  test('nothing that has begun is stopped', () => {
    const runs = [run('a', { state: 'failed' }), run('b', { group: 1, state: 'running' })];
    expect(advanceBatch('apply', ABORTING, runs)).toEqual(WAIT);
  });
});

describe('depends_on', () => {
  const needs = run('b', { needs: ['a'] });

  test.each(['queued', 'claimed', 'running'] as const)('waits while the other is %s', (state) => {
    expect(advanceBatch('apply', PARALLEL, [needs, run('a', { state, ready: true })])).toEqual(WAIT);
  });

  test('starts when the other has succeeded, in its own group or a later one', () => {
    const a = run('a', { state: 'succeeded' });
    expect(advanceBatch('apply', PARALLEL, [needs, a])).toEqual(start('b'));
    expect(advanceBatch('apply', PARALLEL, [run('b', { group: 3, needs: ['a'] }), a])).toEqual(start('b'));
  });

  test('projects that are not in the batch, without a name, or itself hold nothing up', () => {
    const unnamed = { ...run('x'), project: { ...run('x').project, name: undefined } };
    expect(advanceBatch('apply', PARALLEL, [run('b', { needs: ['gone', 'b', 'undefined'] }), unnamed])).toEqual(
      start('b', 'x'),
    );
  });

  test.each(BAD)('an apply is not started when the other has %s, nor what depends on it', (state) => {
    const runs = [run('c', { needs: ['b'] }), needs, run('a', { state })];
    expect(advanceBatch('apply', PARALLEL, runs)).toEqual({
      ready: [],
      cancel: [
        { id: 'b', reason: '`a`, which it depends on, was not applied' },
        { id: 'c', reason: '`b`, which it depends on, was not applied' },
      ],
      finished: true,
    });
  });

  test('a plan is, so that people see it', () => {
    expect(advanceBatch('plan', PARALLEL, [needs, run('a', { state: 'failed' })])).toEqual(start('b'));
  });

  test('people are told the directory of a project without a name', () => {
    const bare = run('a', { state: 'failed' });
    const unnamed = { ...bare, project: { ...bare.project, name: undefined } };
    const { cancel } = advanceBatch('apply', ABORTING, [unnamed, run('b', { group: 1 })]);
    expect(cancel.map(({ reason }) => reason)).toEqual(['`dir-a` in an earlier execution order group did not succeed']);
  });
});

describe('one after the other', () => {
  test('groups first, then what may start in the order written', () => {
    const runs = [run('d', { group: 1 }), run('c', { needs: ['b'] }), run('b'), run('e')];
    const order: string[] = [];
    let now: readonly BatchRun[] = runs;
    for (
      let step = advanceBatch('plan', ONE_BY_ONE, now);
      !step.finished;
      step = advanceBatch('plan', ONE_BY_ONE, now)
    ) {
      expect(step.ready).toHaveLength(1);
      order.push(...step.ready);
      now = now.map((one) => (step.ready.includes(one.id) ? { ...one, state: 'succeeded' } : one));
    }
    expect(order).toEqual(['b', 'c', 'e', 'd']);
  });

  test.each([{ ready: true }, { state: 'claimed' }, { state: 'running' }] as const)('nothing beside %j', (some) => {
    expect(advanceBatch('plan', ONE_BY_ONE, [run('a', some), run('b')])).toEqual(WAIT);
  });
});

describe('runs that wait for each other', () => {
  const reason = (names: string) =>
    `it can never start: by \`depends_on\` and their execution order groups ${names} wait for each other`;

  test.each([
    ['by name', run('a', { needs: ['b'] }), run('b', { needs: ['a'] })],
    ['over groups', run('a', { needs: ['b'] }), run('b', { group: 1 })],
  ])('are cancelled: %s', (_what, a, b) => {
    const why = reason('`a`, `b`');
    expect(advanceBatch('plan', PARALLEL, [a, b])).toEqual({
      ready: [],
      cancel: [
        { id: 'a', reason: why },
        { id: 'b', reason: why },
      ],
      finished: true,
    });
  });

  test('only when nothing else goes on', () => {
    const circle = [run('a', { needs: ['b'] }), run('b', { needs: ['a'] })];
    expect(advanceBatch('apply', PARALLEL, [...circle, run('c')])).toEqual(start('c'));
    expect(advanceBatch('apply', PARALLEL, [...circle, run('c', { state: 'running' })])).toEqual(WAIT);
  });
});

describe('any batch', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const anyRun = (name: string) =>
    fc
      .record({ group: fc.integer({ min: 0, max: 2 }), needs: fc.subarray(names) })
      .map(({ group, needs }) => run(name, { group, needs }));
  const batch = fc.record({
    operation: fc.constantFrom<PullRequestOperation>('plan', 'apply'),
    order: fc.record({ parallel: fc.boolean(), abortOnFailure: fc.boolean() }),
    runs: fc.subarray(names).chain((chosen) => fc.tuple(...chosen.map(anyRun))),
    /** What happens next, to which of the runs that something can happen to. */
    fate: fc.infiniteStream(
      fc.tuple(fc.nat(), fc.constantFrom<RunState>('succeeded', 'succeeded', 'failed', 'queued')),
    ),
  });
  const NEXT: Partial<Record<RunState, RunState>> = { queued: 'claimed', claimed: 'running' };

  const before = (one: BatchRun, runs: readonly BatchRun[]) =>
    runs.filter(
      (other) =>
        other.project.executionOrderGroup < one.project.executionOrderGroup ||
        (other !== one && one.project.dependsOn.includes(other.project.name ?? '')),
    );

  test('starts nothing too early, ends, and says so exactly then', () => {
    fc.assert(
      fc.property(batch, ({ operation, order, runs: initial, fate }) => {
        const runs = initial.map((one) => ({ ...one }));
        for (let round = 0; round < 400; round++) {
          const step = advanceBatch(operation, order, runs);
          for (const { id } of step.cancel) {
            const one = runs.find((other) => other.id === id);
            expect(one?.state).toBe('queued');
            if (one) one.state = 'cancelled';
          }
          for (const id of step.ready) {
            const one = runs.find((other) => other.id === id);
            expect(one).toMatchObject({ state: 'queued', ready: false });
            if (!one) continue;
            const earlier = before(one, runs);
            expect(earlier.filter((other) => !ENDED.includes(other.state))).toEqual([]);
            const needed = earlier.filter((other) => one.project.dependsOn.includes(other.project.name ?? ''));
            if (operation === 'apply') expect(needed.filter((other) => other.state !== 'succeeded')).toEqual([]);
            one.ready = true;
          }
          const going = runs.filter((one) => one.ready && !ENDED.includes(one.state));
          if (!order.parallel) expect(going.length).toBeLessThanOrEqual(1);
          expect(step.finished).toBe(runs.every((one) => ENDED.includes(one.state)));
          if (step.finished) return;
          expect(going).not.toEqual([]);
          const [which, end] = fate.next().value;
          const one = going[which % going.length];
          if (one) one.state = NEXT[one.state] ?? end;
        }
        throw new Error('the batch did not end');
      }),
      { numRuns: 300 },
    );
  });
});
