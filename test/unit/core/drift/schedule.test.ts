import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  describeSchedule,
  dueAfterCheck,
  keepDue,
  meanStartsPerMinute,
  nextDue,
  startsPerMinute,
} from '../../../../src/core/drift/schedule.ts';
import type { DriftSchedule } from '../../../../src/core/drift/settings.ts';
import { keyOf } from '../../../support/builders.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = new Date('2026-11-21T12:00:00Z');
const every = (everyMs: number): DriftSchedule => ({ kind: 'every', everyMs });
const cron = (expression: string, timezone = 'UTC'): DriftSchedule => ({ kind: 'cron', cron: expression, timezone });

function due(schedule: DriftSchedule, after: Date | number, key = keyOf('prod')): number {
  const found = nextDue(schedule, key, new Date(after));
  if (found === undefined) throw new Error('never');
  return found.getTime();
}

const anyKey = fc.string().map(keyOf);
const anyPeriod = fc.integer({ min: 5, max: 60 * 24 * 30 }).map((minutes) => minutes * MINUTE);
const anyTime = fc.date({ min: new Date('2020-01-01'), max: new Date('2035-01-01'), noInvalidDate: true });

describe('a period', () => {
  test('the next slot is after the instant, within a period of it, and a period before the one after', () =>
    fc.assert(
      fc.property(anyKey, anyPeriod, anyTime, (key, period, at) => {
        const first = due(every(period), at, key);
        expect(first).toBeGreaterThan(at.getTime());
        expect(first - at.getTime()).toBeLessThanOrEqual(period);
        expect(due(every(period), first, key)).toBe(first + period);
        expect(due(every(period), first - 1, key)).toBe(first);
      }),
    ));

  test('projects are spread over it, each always at its own place', () => {
    const places = Array.from(
      { length: 1_000 },
      (_, index) => due(every(HOUR), NOW, keyOf(`p${index}`)) - NOW.getTime(),
    );
    const tenths = Map.groupBy(places, (place) => Math.min(9, Math.floor(place / (HOUR / 10))));
    for (let tenth = 0; tenth < 10; tenth += 1) expect(tenths.get(tenth)?.length).toBeGreaterThan(60);
    expect(due(every(HOUR), NOW, keyOf('p1'))).toBe(due(every(HOUR), NOW, keyOf('p1')));
  });
});

describe('a cron expression', () => {
  test('projects begin within ten minutes, each at its own moment', () => {
    const three = Date.parse('2026-11-22T03:00:00Z');
    const starts = Array.from({ length: 200 }, (_, index) => due(cron('0 3 * * *'), NOW, keyOf(`p${index}`)) - three);
    expect(Math.min(...starts)).toBeGreaterThanOrEqual(0);
    expect(Math.min(...starts)).toBeLessThan(MINUTE);
    expect(Math.max(...starts)).toBeLessThan(10 * MINUTE);
    expect(Math.max(...starts)).toBeGreaterThan(9 * MINUTE);
  });

  test('close times are spread by a tenth of what is between them', () => {
    const starts = Array.from({ length: 100 }, (_, index) => due(cron('*/10 * * * *'), NOW, keyOf(`p${index}`)));
    expect(Math.max(...starts) - NOW.getTime()).toBeLessThan(MINUTE);
    expect(Math.max(...starts) - NOW.getTime()).toBeGreaterThan(0.9 * MINUTE);
  });

  test('none is left out between a time and its spread', () =>
    fc.assert(
      fc.property(anyKey, fc.integer({ min: -30, max: 30 }), (key, minutes) => {
        const at = Date.parse('2026-11-22T03:00:00Z') + minutes * MINUTE;
        const first = due(cron('0 3 * * *'), at, key);
        expect(first).toBeGreaterThan(at);
        expect(first - at).toBeLessThanOrEqual(24 * HOUR);
        expect(due(cron('0 3 * * *'), first - 1, key)).toBe(first);
        expect(due(cron('0 3 * * *'), first, key)).toBe(first + 24 * HOUR);
      }),
    ));

  test('follows the clock of its zone', () => {
    const berlin = (day: string) =>
      due(cron('30 2 * * *', 'Europe/Berlin'), Date.parse(`${day}T00:00:00Z`)) - Date.parse(`${day}T00:00:00Z`);
    const place = due(cron('0 0 * * *'), NOW) - Date.parse('2026-11-22T00:00:00Z');
    expect(berlin('2026-03-28')).toBe(1.5 * HOUR + place);
    expect(berlin('2026-03-29')).toBe(HOUR + place);
    expect(berlin('2026-03-30')).toBe(0.5 * HOUR + place);
  });

  test('one that never comes is never due, nor is one that cannot be read', () => {
    expect(nextDue(cron('0 0 30 2 *'), keyOf('a'), NOW)).toBeUndefined();
    expect(nextDue(cron('nonsense'), keyOf('a'), NOW)).toBeUndefined();
  });
});

describe('after a check', () => {
  test('a slot within a quarter of the period is left out', () => {
    const slot = due(every(4 * HOUR), NOW);
    const after = (ms: number) => dueAfterCheck(every(4 * HOUR), keyOf('prod'), new Date(slot + ms))?.getTime();
    expect(after(0)).toBe(slot + 4 * HOUR);
    expect(after(3 * HOUR - 1)).toBe(slot + 4 * HOUR);
    expect(after(3 * HOUR)).toBe(slot + 8 * HOUR);
    expect(after(4 * HOUR - 1)).toBe(slot + 8 * HOUR);
  });

  test('five minutes at least', () => {
    const slot = due(every(6 * MINUTE), NOW);
    const after = dueAfterCheck(every(6 * MINUTE), keyOf('prod'), new Date(slot + 2 * MINUTE));
    expect(after?.getTime()).toBe(slot + 12 * MINUTE);
    const daily = due(cron('0 3 * * *'), NOW);
    const then = (ms: number) => dueAfterCheck(cron('0 3 * * *'), keyOf('prod'), new Date(daily - ms))?.getTime();
    expect(then(5 * MINUTE + 1)).toBe(daily);
    expect(then(5 * MINUTE)).toBe(daily + 24 * HOUR);
  });

  test('from one check to the next slot it is one and a quarter periods at most', () =>
    fc.assert(
      fc.property(anyKey, anyPeriod, anyTime, (key, period, at) => {
        const wait = (dueAfterCheck(every(period), key, at)?.getTime() ?? 0) - at.getTime();
        expect(wait).toBeGreaterThan(Math.min(period / 4, 5 * MINUTE) - 1);
        expect(wait).toBeLessThanOrEqual(Math.max(1.25 * period, period + 5 * MINUTE));
      }),
    ));
});

describe('what is written down', () => {
  test('stands, however long ago it is due', () => {
    const known = { schedule: 'every 6 hours', dueAt: new Date('2020-01-01T00:00:00Z') };
    expect(keepDue(known, every(6 * HOUR), keyOf('prod'), NOW)).toBe(known);
  });

  test('is worked out anew for a project that is new, or whose schedule is', () => {
    const fresh = { schedule: 'every 1 hour', dueAt: new Date(due(every(HOUR), NOW)) };
    expect(keepDue(undefined, every(HOUR), keyOf('prod'), NOW)).toEqual(fresh);
    expect(keepDue({ schedule: 'every 6 hours', dueAt: NOW }, every(HOUR), keyOf('prod'), NOW)).toEqual(fresh);
  });

  test('in words', () => {
    expect(describeSchedule(every(90 * MINUTE))).toBe('every 90 minutes');
    expect(describeSchedule(cron('0 3 * * *', 'Europe/Berlin'))).toBe('0 3 * * * (Europe/Berlin)');
  });
});

describe('the pace', () => {
  const project = (schedule: DriftSchedule, windows = 0) => ({
    schedule,
    windows: Array.from({ length: windows }, () => []),
  });
  const many = (count: number, one: ReturnType<typeof project>) => Array.from({ length: count }, () => one);

  test.each([
    ['none', [], 1],
    ['few', many(3, project(every(24 * HOUR))), 1],
    ['six hours', many(10_000, project(every(6 * HOUR))), 55],
    ['a window', many(300, project(every(6 * HOUR), 1)), 20],
    ['a window that is longer than the period', many(100, project(every(10 * MINUTE), 1)), 20],
    ['cron', many(500, project(cron('0 3 * * *'))), 100],
    ['mixed', [...many(360, project(every(6 * HOUR))), ...many(10, project(cron('0 3 * * *')))], 4],
  ])('%s', (_, projects, pace) => {
    expect(startsPerMinute(projects.reduce((sum, one) => sum + meanStartsPerMinute(one), 0))).toBe(pace);
  });
});
