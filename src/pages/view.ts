import type { RunPhase } from '../core/batch.ts';
import type { Diagnostic, PlanCounts, Progress, ResourceChange } from '../core/plan.ts';
import type { PlanDifference, UnmetRequirement } from '../core/reply.ts';
import type { Operation, RunState } from '../core/run.ts';

/**
 * What the pages are filled from. Every text may be hostile and is escaped here; every text is already masked.
 * Addresses are paths on this server or http(s) URLs; anything else is shown without a link.
 */

/** On every page behind the login. */
export interface FrameView {
  /** Goes into every form; bound to the session. */
  readonly csrfToken: string;
  /** `none` is named on every page. */
  readonly sandbox: 'bubblewrap' | 'none';
}

export interface PullRefView {
  readonly repository: string;
  readonly number: number;
  readonly url: string;
}

/** Where a run belongs: a pull request, or the tracked branch of a repository. */
export interface OriginView {
  readonly label: string;
  readonly url: string;
}

export interface RunListItemView {
  readonly id: string;
  readonly origin: OriginView;
  readonly project: string;
  readonly operation: Operation;
  readonly state: RunState;
  /** What came of it in words, such as `no changes`; undefined while it runs. */
  readonly outcome: string | undefined;
  readonly counts: PlanCounts | undefined;
  readonly progress: Progress | undefined;
  readonly actor: string;
  readonly queuedAt: Date;
  readonly durationMs: number | undefined;
}

export interface RunsPageView extends FrameView {
  readonly runs: readonly RunListItemView[];
  /** Ways to narrow the list; empty where it is narrowed already. */
  readonly filters: readonly { readonly text: string; readonly url: string; readonly current: boolean }[];
  /** Runs of this pull request only. */
  readonly pull: PullRefView | undefined;
  /** The next page, older runs. */
  readonly olderUrl: string | undefined;
  /** Shown on the last visited page of a chain; back to the newest. */
  readonly newestUrl: string | undefined;
}

export interface RunLogView {
  /** What is known of the log when the page is made; lines end with `\n`. */
  readonly text: string;
  /** True when the beginning is missing from `text`; `fullUrl` has it. */
  readonly cut: boolean;
  readonly fullUrl: string | undefined;
  /** The event stream that goes on after `text`; undefined when the run has ended. See `static/live-log.js` for its events. */
  readonly eventsUrl: string | undefined;
}

export interface RunPageView extends FrameView {
  readonly run: RunListItemView;
  /** What it is doing, or what it waits for; undefined when it has ended. */
  readonly stateText: string | undefined;
  /** Head of the pull request. */
  readonly commit: string;
  /** What was planned when that is not the head itself: the merge of base and head. */
  readonly mergeCommit: string | undefined;
  /** Why there is this run: `a new commit`, `a command in a comment` ... */
  readonly reason: string;
  /** The page of its project; undefined for a run of a pull request. */
  readonly projectUrl: string | undefined;
  /** What was to be put right, and what may be deleted for it. */
  readonly order: { readonly fingerprint: string; readonly destroys: readonly string[] } | undefined;
  /** The comment that asked for it. */
  readonly commentUrl: string | undefined;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
  readonly phases: readonly RunPhase[];
  /** Our words on a failure or a limitation. */
  readonly explanation: string | undefined;
  readonly unmet: readonly UnmetRequirement[];
  /** Between what was approved and what would be done now. */
  readonly differences: readonly PlanDifference[];
  /** Failed checks, what changed outside of Terraform and the like, one sentence each. */
  readonly remarks: readonly string[];
  readonly changes: readonly ResourceChange[];
  readonly diagnostics: readonly Diagnostic[];
  readonly errorText: string | undefined;
  /** The state that Terraform could not store. */
  readonly erroredStateUrl: string | undefined;
  readonly planText: string | undefined;
  readonly log: RunLogView;
}

export interface LockRowView {
  readonly pull: PullRefView;
  readonly project: string;
  readonly who: string;
  readonly since: Date;
  /** Numbers of the pull requests that wait for it, the next first. */
  readonly waiting: readonly number[];
  /** What releasing would risk now, such as an apply that is running or was interrupted; undefined when nothing. */
  readonly risk: string | undefined;
  /** The form posts here, with `csrf`; undefined while it cannot be released. */
  readonly releaseUrl: string | undefined;
}

export interface NoticeView {
  readonly good: boolean;
  readonly text: string;
}

export interface LocksPageView extends FrameView {
  readonly locks: readonly LockRowView[];
  /** What the last form did. */
  readonly notice: NoticeView | undefined;
}

export interface LoginPageView {
  /** Where the login leads to; a path on this server. */
  readonly next: string;
  readonly problem: string | undefined;
}

export interface ErrorPageView {
  readonly status: number;
  readonly title: string;
  readonly message: string;
}
