import { describe, expect, test } from 'vitest';
import { GITHUB_WRITE_LIMITS, scaledWriteLimits, WriteBudget } from '../../../../src/adapters/github/write-budget.ts';
import { systemClock } from '../../../../src/adapters/github/clock.ts';
import { HostUnavailableError } from '../../../../src/core/host-error.ts';
import { fakeClock } from './fixtures.ts';

const patient = { ...GITHUB_WRITE_LIMITS, maxWaitMs: 4 * 3_600_000 };

async function timesOf(budget: WriteBudget, clock: { now(): number }, count: number): Promise<number[]> {
  const start = clock.now();
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) {
    await budget.take();
    times.push(clock.now() - start);
  }
  return times;
}

describe('the write budget', () => {
  test('lets ten go at once, then one a second', async () => {
    const clock = fakeClock();
    const times = await timesOf(new WriteBudget(patient, clock), clock, 13);
    expect(times.slice(0, 10)).toEqual(Array(10).fill(0));
    expect(times.slice(10)).toEqual([1_000, 2_000, 3_000]);
  });

  test('is never above 80 in any minute or 500 in any hour', async () => {
    const clock = fakeClock();
    const times = await timesOf(new WriteBudget({ ...patient, perSecond: 100, burst: 100 }, clock), clock, 1_200);
    const most = (windowMs: number) =>
      Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length));
    expect(most(60_000)).toBe(80);
    expect(most(3_600_000)).toBe(500);
  });

  test('fills up again in quiet times, up to the burst', async () => {
    const clock = fakeClock();
    const budget = new WriteBudget(patient, clock);
    await timesOf(budget, clock, 10);
    clock.advance(60_000);
    expect(await timesOf(budget, clock, 11)).toEqual([...Array(10).fill(0), 1_000]);
  });

  test('serves the final comment first and progress last', async () => {
    const clock = fakeClock();
    const budget = new WriteBudget({ ...patient, burst: 1 }, clock);
    const order: string[] = [];
    const take = (name: string, priority?: 'final' | 'normal' | 'progress') =>
      budget.take(priority ? { priority } : {}).then(() => order.push(name));
    await Promise.all([
      take('first'),
      take('progress', 'progress'),
      take('a'),
      take('b', 'normal'),
      take('final', 'final'),
    ]);
    expect(order).toEqual(['first', 'final', 'a', 'b', 'progress']);
  });

  test('ends a call that would wait long, with the moment to try again', async () => {
    const clock = fakeClock();
    const budget = new WriteBudget({ ...patient, perHour: 2, maxWaitMs: 30_000 }, clock);
    await budget.take();
    await budget.take();
    const retryAt = new Date(clock.now() + 3_600_000);
    await expect(budget.take()).rejects.toMatchObject({ retryAt });
    await expect(budget.take({ priority: 'final' })).rejects.toBeInstanceOf(HostUnavailableError);
  });

  test('gives reports half of a minute and an hour, and only what others left of it', async () => {
    const clock = fakeClock();
    const budget = new WriteBudget({ ...patient, perSecond: 100, burst: 100, perHour: 10, maxWaitMs: 0 }, clock);
    const report = () => budget.take({ priority: 'report' });
    for (let n = 0; n < 3; n += 1) await report();
    for (let n = 0; n < 2; n += 1) await budget.take();
    const retryAt = new Date(clock.now() + 3_600_000);
    await expect(report()).rejects.toMatchObject({ retryAt });
    for (let n = 0; n < 5; n += 1) await budget.take({ priority: 'progress' });
    await expect(budget.take({ priority: 'final' })).rejects.toBeInstanceOf(HostUnavailableError);
    clock.advance(3_600_000);
    await report();
  });

  test('lets nobody wait for a report that waits', async () => {
    const budget = new WriteBudget({ ...patient, perMinute: 4, maxWaitMs: 120_000 }, systemClock);
    const order: string[] = [];
    const take = (name: 'final' | 'report') => budget.take({ priority: name }).then(() => order.push(name));
    await take('report');
    await take('report');
    const giveUp = new AbortController();
    const waiting = budget.take({ priority: 'report', signal: giveUp.signal });
    await new Promise((resolve) => setImmediate(resolve));
    await take('final');
    expect(order).toEqual(['report', 'report', 'final']);
    giveUp.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  }, 10_000);

  test('forgets a waiter that gave up', async () => {
    const clock = fakeClock();
    const budget = new WriteBudget({ ...patient, burst: 1 }, clock);
    const giveUp = new AbortController();
    await budget.take();
    const waiting = budget.take({ signal: giveUp.signal });
    const next = budget.take();
    giveUp.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    await expect(budget.take({ signal: giveUp.signal })).rejects.toThrow('stopped');
    await next;
    expect(clock.slept).toEqual([1_000]);
  });
});

test('scales bursts and pace with what a minute allows', () => {
  expect(scaledWriteLimits(80, 500)).toEqual(GITHUB_WRITE_LIMITS);
  expect(scaledWriteLimits(800, 9_000)).toMatchObject({ burst: 100, perSecond: 10, perMinute: 800, perHour: 9_000 });
  expect(scaledWriteLimits(1, 500)).toMatchObject({ burst: 1, perSecond: 1 / 80 });
});
