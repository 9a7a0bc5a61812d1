import { describeDuration } from '../../lib/duration.ts';
import type { ProjectKey } from '../project.ts';
import { isReportable } from './issue-action.ts';
import { isFlapping, type DriftState } from './lifecycle.ts';
import { dueAfterCheck, nextDue } from './schedule.ts';
import type { DriftSchedule } from './settings.ts';
import { isSuspended, type SkipCode, type Suspension } from './skip.ts';
import { whoText } from './who.ts';

export const DRIFT_EVENTS = [
  'drift_opened',
  'drift_changed',
  'drift_resolved',
  'remediation_done',
  'remediation_failed',
  'check_overdue',
  'suspended_too_long',
] as const;
export type DriftEvent = (typeof DRIFT_EVENTS)[number];

/** Something to be told once, whoever decides it how often. */
export interface DriftNotification {
  readonly event: DriftEvent;
  /** Equal keys mean the same thing to tell. */
  readonly key: string;
  readonly fingerprint: string | undefined;
  /** What happened; may hold what people wrote. */
  readonly sentence: string;
}

/** Drift that looks different at every check is told of twice more, and then no more until it keeps still. */
const MOST_CHANGES = 2;

/** What a step of the lifecycle is told of. Drift that comes and goes, or is silenced, is not told again. */
export function notifyOfState(
  project: ProjectKey,
  before: DriftState,
  after: DriftState,
): readonly DriftNotification[] {
  const was = isReportable(before) ? before.drift?.fingerprint : undefined;
  const is = isReportable(after) ? after.drift?.fingerprint : undefined;
  const tell = (event: DriftEvent, { episode }: DriftState, fingerprint: string, sentence: string) => [
    { event, key: keyOf(event, project, String(episode), fingerprint), fingerprint, sentence },
  ];
  if (is !== undefined && was === undefined) return tell('drift_opened', after, is, 'Drift was found.');
  if (was !== undefined && after.drift === undefined) {
    const sentence = after.ended?.sentence ?? 'The drift is gone.';
    return tell('drift_resolved', before, was, sentence);
  }
  if (is === undefined || is === was || isFlapping(after) || (after.drift?.changes ?? 0) > MOST_CHANGES) return [];
  return tell('drift_changed', after, is, 'The drift is another one now.');
}

/** A drift that was put right, or was not. */
export interface RemediationOutcome {
  readonly project: ProjectKey;
  readonly runId: string;
  readonly fingerprint: string;
  /** Login. */
  readonly by: string;
  /** Why it failed; undefined: it is done. */
  readonly failure: string | undefined;
}

export function notifyOfRemediation({
  project,
  runId,
  fingerprint,
  by,
  failure,
}: RemediationOutcome): DriftNotification {
  const event = failure === undefined ? 'remediation_done' : 'remediation_failed';
  const sentence =
    failure === undefined
      ? `${whoText(by)} put the drift right.`
      : `${whoText(by)} wanted to put the drift right, and it failed: ${failure}`;
  return { event, key: keyOf(event, project, runId), fingerprint, sentence };
}

/** What time alone makes worth telling. */
export interface WaitingProject {
  readonly project: ProjectKey;
  readonly schedule: DriftSchedule;
  /** Since when it is known. */
  readonly foundAt: Date;
  readonly lastSuccessAt: Date | undefined;
  readonly skip: SkipCode | undefined;
  readonly suspension: Suspension | undefined;
}

/** Reasons for which nobody expects a check. */
const EXPECTED: readonly (SkipCode | undefined)[] = ['disabled', 'missing', 'archived', 'suspended', 'window_closed'];
const LEAST_GRACE_MS = 30 * 60_000;
const WEEK_MS = 7 * 86_400_000;

export function notifyOfWaiting(waiting: WaitingProject, now: Date): readonly DriftNotification[] {
  return [...overdue(waiting, now), ...suspendedLong(waiting, now)];
}

/** From when on a project's check is overdue: half a period after it should have been there. undefined: it is never due. */
export function overdueAt({
  schedule,
  project,
  lastSuccessAt,
  foundAt,
}: Pick<WaitingProject, 'schedule' | 'project' | 'lastSuccessAt' | 'foundAt'>): Date | undefined {
  const since = lastSuccessAt ?? foundAt;
  if (schedule.kind === 'every') {
    return new Date(since.getTime() + schedule.everyMs + Math.max(LEAST_GRACE_MS, schedule.everyMs / 2));
  }
  const due = dueAfterCheck(schedule, project, since);
  const next = due && nextDue(schedule, project, due);
  if (due === undefined) return undefined;
  const gap = next === undefined ? 0 : next.getTime() - due.getTime();
  return new Date(due.getTime() + Math.max(LEAST_GRACE_MS, gap / 2));
}

function overdue(waiting: WaitingProject, now: Date): readonly DriftNotification[] {
  const { project, lastSuccessAt, foundAt, skip } = waiting;
  const at = overdueAt(waiting);
  if (EXPECTED.includes(skip) || at === undefined || at > now) return [];
  const age = describeDuration(now.getTime() - (lastSuccessAt ?? foundAt).getTime());
  const sentence =
    lastSuccessAt === undefined
      ? `It is known for ${age} and was never checked with success.`
      : `The last check that succeeded was ${age} ago.`;
  const key = keyOf('check_overdue', project, lastSuccessAt?.toISOString() ?? 'never');
  return [{ event: 'check_overdue', key, fingerprint: undefined, sentence }];
}

/** Only what has no end can be forgotten; it is told of every week. */
function suspendedLong({ project, suspension }: WaitingProject, now: Date): readonly DriftNotification[] {
  if (!isSuspended(suspension, now) || suspension.until !== undefined) return [];
  const { since, by, reason } = suspension;
  const weeks = Math.floor((now.getTime() - since.getTime()) / WEEK_MS);
  if (weeks < 1) return [];
  const sentence = `${whoText(by)} suspended its checks ${describeDuration(now.getTime() - since.getTime())} ago, without an end: ${reason}`;
  const key = keyOf('suspended_too_long', project, since.toISOString(), String(weeks));
  return [{ event: 'suspended_too_long', key, fingerprint: undefined, sentence }];
}

function keyOf(...parts: readonly string[]): string {
  return parts.join(' ');
}
