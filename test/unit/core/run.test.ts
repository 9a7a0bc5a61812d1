import { describe, expect, test } from 'vitest';
import {
  afterWorkerDied,
  type DeadRun,
  isFinal,
  MAX_ATTEMPTS,
  mayBecome,
  type RunState,
  statesBefore,
} from '../../../src/core/run.ts';

/** The drawing of DESIGN.md once more, so that a line struck out of either is seen. */
const ALLOWED: readonly (readonly [RunState, RunState])[] = [
  ['queued', 'claimed'],
  ['queued', 'cancelled'],
  ['claimed', 'running'],
  ['claimed', 'queued'],
  ['claimed', 'failed'],
  ['claimed', 'cancelled'],
  ['running', 'succeeded'],
  ['running', 'failed'],
  ['running', 'cancelled'],
  ['running', 'queued'],
  ['running', 'interrupted'],
];
const FINAL: readonly RunState[] = ['succeeded', 'failed', 'cancelled', 'interrupted'];
const STATES: readonly RunState[] = ['queued', 'claimed', 'running', ...FINAL];
const isAllowed = (from: RunState, to: RunState) => ALLOWED.some(([a, b]) => a === from && b === to);

describe('transitions', () => {
  test.each(STATES.flatMap((from) => STATES.map((to) => [from, to, isAllowed(from, to)] as const)))(
    '%s -> %s: %s',
    (from, to, allowed) => expect(mayBecome(from, to)).toBe(allowed),
  );

  test.each(STATES)('what comes before %s', (to) => {
    expect(statesBefore(to)).toEqual(STATES.filter((from) => isAllowed(from, to)));
  });

  test('nothing leads out of a final state, and something out of every other', () => {
    expect(STATES.filter(isFinal)).toEqual(FINAL);
  });
});

describe('a run whose worker died', () => {
  const plan: DeadRun = { operation: 'plan', attempts: 1, applyBegun: false, cancelRequested: false };
  const apply: DeadRun = { ...plan, operation: 'apply' };

  test.each([
    ['a plan is run again', plan, 'queued', 'planned again'],
    ['for the last time', { ...plan, attempts: MAX_ATTEMPTS - 1 }, 'queued', 'planned again'],
    ['then it has failed', { ...plan, attempts: MAX_ATTEMPTS }, 'failed', '3 times in a row'],
    ['a plan that was to stop is not', { ...plan, cancelRequested: true }, 'cancelled', 'Cancelled.'],
    ['an apply that had not begun has failed', apply, 'failed', 'Nothing was applied'],
    ['or stopped', { ...apply, cancelRequested: true }, 'cancelled', 'Cancelled.'],
    ['one that had begun is never run again', { ...apply, applyBegun: true }, 'interrupted', 'unknown'],
    ['stopped or not', { ...apply, applyBegun: true, cancelRequested: true }, 'interrupted', 'unknown'],
  ] as const)('%s', (_what, run, state, reason) => {
    expect(afterWorkerDied(run)).toEqual({ state, reason: expect.stringContaining(reason) });
  });
});
