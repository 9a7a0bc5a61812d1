import { createHash } from 'node:crypto';
import { compileCron, type Cron } from '../../lib/cron.ts';
import { exactDuration } from '../../lib/duration.ts';
import type { ProjectKey } from '../project.ts';
import { MINIMUM_EVERY_MS, type DriftSchedule, type DriftSettings } from './settings.ts';

/** What is kept of a project's schedule between two looks at it. */
export interface DueState {
  /** `describeSchedule` of the schedule that `dueAt` was worked out from. */
  readonly schedule: string;
  /** undefined: never again. */
  readonly dueAt: Date | undefined;
}

/** Checks that one cron expression wants of many projects at once begin within this time of it, so that they are no stampede. */
const CRON_SPREAD_MS = 10 * 60_000;
/** Time within which those that had to wait for a window are all begun, where their period is longer. */
const WINDOW_SPREAD_MS = 30 * 60_000;

/**
 * The first time strictly after the instant at which a project is due. A period is cut into slots that begin at the project's
 * own moment, always the same one, so that neither restarts nor late checks bunch projects up. undefined: it never is.
 */
export function nextDue(schedule: DriftSchedule, key: ProjectKey, after: Date): Date | undefined {
  return schedule.kind === 'every' ? nextSlot(schedule.everyMs, key, after) : nextCron(schedule, key, after);
}

/** When it is due after a check; a slot that comes right after a check that was late is left out. */
export function dueAfterCheck(schedule: DriftSchedule, key: ProjectKey, checkedAt: Date): Date | undefined {
  const pause = schedule.kind === 'every' ? Math.max(MINIMUM_EVERY_MS, schedule.everyMs / 4) : MINIMUM_EVERY_MS;
  return nextDue(schedule, key, new Date(checkedAt.getTime() + pause));
}

/** When it is due according to what is written down, which stands however long ago that is, until the schedule is another one. */
export function keepDue(known: DueState | undefined, schedule: DriftSchedule, key: ProjectKey, now: Date): DueState {
  const written = describeSchedule(schedule);
  return known?.schedule === written ? known : { schedule: written, dueAt: nextDue(schedule, key, now) };
}

/** `every 6 hours`, or `0 3 * * * (Europe/Berlin)`; equal texts mean equal schedules. */
export function describeSchedule(schedule: DriftSchedule): string {
  return schedule.kind === 'cron'
    ? `${schedule.cron} (${schedule.timezone})`
    : `every ${exactDuration(schedule.everyMs)}`;
}

/**
 * What a project asks for on average. Projects that all wait for the same hour or window need their checks in less than their period.
 */
export function meanStartsPerMinute({ schedule, windows }: Pick<DriftSettings, 'schedule' | 'windows'>): number {
  if (schedule.kind === 'cron') return 60_000 / CRON_SPREAD_MS;
  return 60_000 / (windows.length === 0 ? schedule.everyMs : Math.min(schedule.everyMs, WINDOW_SPREAD_MS));
}

/**
 * How many checks may begin within any minute: twice what all projects ask for on average, one at least. What a stop of some hours
 * has left overdue gets its check again, and there is no storm.
 */
export function startsPerMinute(mean: number): number {
  return Math.max(1, Math.floor(2 * mean + ROUNDING));
}

/** Sums of thousands of fractions fall short of the whole numbers that they are. */
const ROUNDING = 1e-6;

function nextSlot(everyMs: number, key: ProjectKey, after: Date): Date {
  const phase = Math.floor(placeOf(key) * everyMs);
  const slot = Math.floor((after.getTime() - phase) / everyMs) + 1;
  return new Date(phase + slot * everyMs);
}

function nextCron(
  { cron: expression, timezone }: Extract<DriftSchedule, { kind: 'cron' }>,
  key: ProjectKey,
  after: Date,
): Date | undefined {
  const cron = compileCron(expression, timezone);
  if ('problem' in cron) return undefined;
  let time = cron.next(new Date(after.getTime() - CRON_SPREAD_MS));
  while (time !== undefined) {
    const due = spread(cron, time, key);
    if (due > after) return due;
    time = cron.next(time);
  }
  return undefined;
}

/** At most a tenth of the time until the next, so that close ones stay apart. */
function spread(cron: Cron, time: Date, key: ProjectKey): Date {
  const gap = (cron.next(time)?.getTime() ?? Number.POSITIVE_INFINITY) - time.getTime();
  return new Date(time.getTime() + Math.floor(placeOf(key) * Math.min(CRON_SPREAD_MS, gap / 10)));
}

/** From 0 to under 1, the same for a project wherever and whenever it is asked. */
function placeOf(key: ProjectKey): number {
  return createHash('sha256').update(key).digest().readUIntBE(0, 6) / 2 ** 48;
}
