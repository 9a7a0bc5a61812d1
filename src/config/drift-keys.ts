import { MINIMUM_EVERY_MS, type ProjectDriftKeys, type RepositoryDriftKeys } from '../core/drift/settings.ts';
import { compileCron, problemOfTimezone, shortestGap } from '../lib/cron.ts';
import type { RawProjectDrift, RawRepositoryDrift } from './drift-schema.ts';
import type { Path } from './yaml-file.ts';

export function toProjectDrift(raw: RawProjectDrift): ProjectDriftKeys {
  return {
    enabled: raw.enabled,
    schedule: toSchedule(raw),
    timezone: raw.timezone,
    windows: raw.windows?.map(({ kind, schedule, duration, timezone }) => ({
      kind,
      cron: schedule,
      durationMs: duration,
      timezone,
    })),
    mode: raw.mode,
    confirmations: raw.confirmations,
    errorGraceMs: raw.error_grace,
    labels: raw.labels,
    assignees: raw.assignees,
    ignore: raw.ignore,
  };
}

export function toRepositoryDrift(raw: RawRepositoryDrift): RepositoryDriftKeys {
  return { ...toProjectDrift(raw), report: raw.report, maxOpenIssues: raw.max_open_issues };
}

function toSchedule({ every, schedule }: RawProjectDrift): ProjectDriftKeys['schedule'] {
  if (schedule !== undefined) return { kind: 'cron', cron: schedule };
  return every === undefined ? undefined : { kind: 'every', everyMs: every };
}

export interface DriftProblem {
  /** Below the `drift:` that was looked at. */
  readonly path: Path;
  readonly message: string;
}

/** Each costs a millisecond or two, and a file may come from anybody. */
const MAX_EXPRESSIONS = 200;

/** Makes a check of cron expressions and time zones that looks at each only once, however many places of one file have it. */
export function makeDriftCheck(): (raw: RawProjectDrift) => readonly DriftProblem[] {
  const known = new Map<string, string | undefined>();
  const once = (find: (written: string) => string | undefined, written: string) => {
    const key = `${find.name} ${written}`;
    if (known.has(key)) return known.get(key);
    const full = `there are more than ${MAX_EXPRESSIONS} different cron expressions and time zones in this file`;
    const problem = known.size < MAX_EXPRESSIONS ? find(written) : full;
    known.set(key, problem);
    return problem;
  };
  return ({ schedule, timezone, windows = [] }) => {
    const problems: DriftProblem[] = [];
    const look = (path: Path, written: string | undefined, find: (written: string) => string | undefined) => {
      const message = written === undefined ? undefined : once(find, written);
      if (message !== undefined) problems.push({ path, message });
    };
    look(['schedule'], schedule, problemOfSchedule);
    look(['timezone'], timezone, problemOfTimezone);
    for (const [index, window] of windows.entries()) {
      look(['windows', index, 'schedule'], window.schedule, problemOfWindow);
      look(['windows', index, 'timezone'], window.timezone, problemOfTimezone);
    }
    return problems;
  };
}

/** Any instant does; a fixed one tells the same of the same file every day. */
const FROM = new Date('2026-01-01T00:00:00Z');

function problemOfWindow(expression: string): string | undefined {
  const cron = compileCron(expression, 'UTC');
  if ('problem' in cron) return cron.problem;
  return cron.next(FROM) === undefined ? `${JSON.stringify(expression)} never comes` : undefined;
}

function problemOfSchedule(expression: string): string | undefined {
  const problem = problemOfWindow(expression);
  const cron = compileCron(expression, 'UTC');
  if (problem !== undefined || 'problem' in cron) return problem;
  return (shortestGap(cron, FROM) ?? Number.POSITIVE_INFINITY) < MINIMUM_EVERY_MS
    ? `${JSON.stringify(expression)} comes more often than every 5 minutes: a plan asks the cloud for every resource`
    : undefined;
}
