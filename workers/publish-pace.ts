import type { PullRequestState } from '../src/core/record.ts';
import type { PublicationState } from '../src/ports/publication-store.ts';
import { FIRST_SIGN_MS } from '../src/jobs/wake.ts';

/** What takes no longer is shown when it is there, and costs the host its result alone. */
const FIRST_PROGRESS_MS = 10_000;
/** Between two edits while something runs: as long again as it had taken until the first of them, within these bounds. */
const SHORTEST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 30_000;

export interface Pace {
  /** `nothing` of what runs, but answers all the same; `sign`: that it was noticed; `progress`: how far it is; `result`: all has ended. */
  readonly show: 'nothing' | 'sign' | 'progress' | 'result';
  /** When there will be more to show; undefined once all has ended. */
  readonly againInMs: number | undefined;
}

/** How much of what runs people are shown now. Every edit is a write against the host's hourly budget, so a longer wait sees fewer. */
export function paceOf({ open }: PullRequestState, { openedAt, comment }: PublicationState): Pace {
  if (open.length === 0) return { show: 'result', againInMs: undefined };
  const begun = Math.min(...open.map((run) => run.queuedAt.getTime()));
  const age = openedAt.getTime() - begun;
  const editedAtAge = comment === undefined ? -Infinity : comment.editedAt.getTime() - begun;
  const progressInMs = Math.max(FIRST_PROGRESS_MS, editedAtAge + pauseAfter(editedAtAge)) - age;
  if (progressInMs <= 0) return { show: 'progress', againInMs: pauseAfter(age) };
  if (age >= FIRST_SIGN_MS) return { show: 'sign', againInMs: progressInMs };
  return { show: 'nothing', againInMs: Math.min(FIRST_SIGN_MS - age, progressInMs) };
}

function pauseAfter(age: number): number {
  return Math.min(Math.max(age, SHORTEST_PAUSE_MS), LONGEST_PAUSE_MS);
}
