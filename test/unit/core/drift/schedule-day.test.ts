import { beforeAll, describe, expect, test } from 'vitest';
import { chooseStarts, type DueCheck } from '../../../../src/core/drift/budget.ts';
import { dueAfterCheck, meanStartsPerMinute, nextDue, startsPerMinute } from '../../../../src/core/drift/schedule.ts';
import type { DriftSchedule } from '../../../../src/core/drift/settings.ts';
import { keyOf } from '../../../support/builders.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const PROJECTS = 10_000;
const START = Date.parse('2026-11-21T00:00:00Z');

interface Observed {
  readonly key: DueCheck['key'];
  readonly everyMs: number;
  dueAt: number;
  lastCheckAt: number | undefined;
  readonly checks: number[];
}

interface Day {
  readonly projects: readonly Observed[];
  /** Begun, by minute of the day. */
  readonly starts: Map<number, number>;
  /** Of those begun after the restart, how many were not due. */
  early: number;
}

/** Ten thousand projects, a tick a minute, checks of two minutes; between `stop` and `restart` nothing lives but what is written down. */
function simulate(everyMs: number, days: number, stop = 0, restart = 0): Day {
  const schedule: DriftSchedule = { kind: 'every', everyMs };
  const projects = Array.from({ length: PROJECTS }, (_, index): Observed => {
    const key = keyOf(`p${index}`);
    const dueAt = nextDue(schedule, key, new Date(START))?.getTime() ?? Number.NaN;
    return { key, everyMs, dueAt, lastCheckAt: undefined, checks: [] };
  });
  const limits = {
    maxConcurrent: undefined,
    perRepository: undefined,
    perCredential: undefined,
    startsPerMinute: startsPerMinute(PROJECTS * meanStartsPerMinute({ schedule, windows: [] })),
  };
  const byKey = new Map(projects.map((project) => [project.key, project]));
  const day: Day = { projects, starts: new Map(), early: 0 };
  let lastMinute: readonly DueCheck[] = [];
  for (let now = START; now < START + days * DAY; now += MINUTE) {
    if (now >= START + stop && now < START + restart) {
      lastMinute = [];
      continue;
    }
    const due = projects.filter((project) => project.dueAt <= now).map(toDue);
    const running = lastMinute.map(({ repositoryId, credentials }) => ({ repositoryId, credentials }));
    const begun = chooseStarts({ due, running, startedLastMinute: 0, slots: 400, pullRequestRuns: 20, limits });
    for (const { key } of begun) begin(byKey.get(key), schedule, now, day);
    day.starts.set((now - START) / MINUTE, begun.length);
    lastMinute = begun;
  }
  return day;
}

function toDue(project: Observed): DueCheck {
  return {
    key: project.key,
    repositoryId: 'r',
    credentials: [],
    dueAt: new Date(project.dueAt),
    lastCheckAt: project.lastCheckAt === undefined ? undefined : new Date(project.lastCheckAt),
    requested: false,
  };
}

function begin(project: Observed | undefined, schedule: DriftSchedule, now: number, day: Day): void {
  if (project === undefined) return;
  if (project.dueAt > now) day.early += 1;
  project.checks.push(now);
  project.lastCheckAt = now;
  project.dueAt = dueAfterCheck(schedule, project.key, new Date(now))?.getTime() ?? Number.NaN;
}

function longestGap({ checks }: Observed): number {
  return Math.max(...checks.map((check, index) => check - (checks[index - 1] ?? START)));
}

describe('ten thousand projects every six hours, for a day', () => {
  let day: Day;
  beforeAll(() => {
    day = simulate(6 * HOUR, 1);
  });

  test('every project is seen within one and a half of its intervals', () => {
    const late = day.projects.filter(
      (project) => longestGap(project) > 9 * HOUR || START + DAY - (project.checks.at(-1) ?? 0) > 9 * HOUR,
    );
    expect(late).toEqual([]);
    expect(Math.max(...day.projects.map((project) => project.checks.length))).toBe(4);
  });

  test('no minute has more than twice the mean of starts', () => {
    const mean = (PROJECTS * 4) / (24 * 60);
    expect(Math.max(...day.starts.values())).toBeLessThanOrEqual(2 * mean);
  });
});

test('once a day, where chance alone would bunch some together, no minute has more than twice the mean either', () => {
  const day = simulate(DAY, 1);
  expect(Math.max(...day.starts.values())).toBeLessThanOrEqual((2 * PROJECTS) / (24 * 60));
  expect(day.projects.filter((project) => project.checks.length === 0).length).toBeLessThan(PROJECTS / 500);
});

describe('a stop of three hours in the middle of the day', () => {
  let day: Day;
  beforeAll(() => {
    day = simulate(6 * HOUR, 1, 9 * HOUR, 12 * HOUR);
  });

  test('starts what is overdue and nothing else, and no storm', () => {
    const mean = (PROJECTS * 4) / (24 * 60);
    expect(day.early).toBe(0);
    expect(day.starts.get(12 * 60)).toBeGreaterThan(mean);
    expect(Math.max(...day.starts.values())).toBeLessThanOrEqual(2 * mean);
  });

  test('everything is seen again within one and a half intervals and the stop', () => {
    expect(Math.max(...day.projects.map(longestGap))).toBeLessThanOrEqual((9 + 3) * HOUR);
    expect(day.projects.every((project) => START + DAY - (project.checks.at(-1) ?? 0) <= 9 * HOUR)).toBe(true);
  });
});
