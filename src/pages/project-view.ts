import type { DifferenceKind } from '../core/drift/drift.ts';
import type { DriftStanding } from '../core/drift/standing.ts';
import type { HealthState } from '../core/drift/health.ts';
import type { DriftEvent } from '../core/drift/notifications.ts';
import type { FrameView, NoticeView, OriginView, RunListItemView } from './view.ts';

/** What the pages about projects of tracked branches are filled from; texts are hostile and masked, as in `view.ts`. */

/** A time, and how far away it is from now in words. */
export interface WhenView {
  readonly at: Date;
  /** Such as `2 hours ago`, `in 4 hours`. */
  readonly text: string;
}

/** One way to narrow a list. */
export interface FilterView {
  readonly text: string;
  readonly count: number;
  readonly url: string;
  readonly current: boolean;
}

export interface IssueRefView {
  readonly number: number;
  readonly url: string;
  readonly open: boolean;
}

export interface ProjectRowView {
  readonly url: string;
  readonly title: string;
  readonly standing: DriftStanding;
  readonly health: HealthState;
  /** Of the last check with a finding. */
  readonly lastSuccess: WhenView | undefined;
  /** undefined: never. */
  readonly nextDue: WhenView | undefined;
  /** That time has come. */
  readonly isDue: boolean;
  readonly driftSince: WhenView | undefined;
  readonly issue: IssueRefView | undefined;
  /** Is being checked or put right, or waits for a worker. */
  readonly runUrl: string | undefined;
  /** Why it was not checked, or is not to be, and for how long. */
  readonly notes: readonly string[];
}

export interface ProjectGroupView {
  readonly repository: OriginView;
  readonly branch: string;
  readonly projects: readonly ProjectRowView[];
}

export interface BranchProblemView {
  readonly repository: OriginView;
  readonly branch: string;
  readonly sentence: string;
  readonly since: WhenView;
}

export interface ProjectsPageView extends FrameView {
  /** Projects of this repository only. */
  readonly repository: OriginView | undefined;
  readonly standings: readonly (FilterView & { readonly standing: DriftStanding | undefined })[];
  readonly healths: readonly (FilterView & { readonly health: HealthState | undefined })[];
  readonly problems: readonly BranchProblemView[];
  readonly groups: readonly ProjectGroupView[];
  readonly nextUrl: string | undefined;
  readonly firstUrl: string | undefined;
}

export interface AttributeView {
  /** Empty: the whole object. */
  readonly path: string;
  readonly kind: DifferenceKind;
  /** undefined: not set. */
  readonly applied: string | undefined;
  readonly live: string | undefined;
  readonly wanted: string | undefined;
  /** What is wanted shows with the apply only. */
  readonly unknown: boolean;
}

export interface ResourceView {
  readonly address: string;
  readonly kind: DifferenceKind;
  readonly missing: boolean;
  readonly destructive: boolean;
  /** What an apply would do to it. */
  readonly effect: string;
  readonly attributes: readonly AttributeView[];
  readonly attributesLeftOut: number;
}

export interface FindingsView {
  readonly commit: string;
  readonly checked: WhenView;
  readonly runUrl: string;
  readonly complete: boolean;
  /** The gravest first. */
  readonly resources: readonly ResourceView[];
  readonly resourcesLeftOut: number;
  readonly outputs: readonly (Omit<AttributeView, 'live' | 'path'> & { readonly name: string })[];
  readonly failedChecks: readonly string[];
  /** `address attribute`, under a rule. */
  readonly ignored: readonly string[];
  readonly ignoredLeftOut: number;
}

export interface DriftView {
  readonly fingerprint: string;
  readonly firstSeen: WhenView;
  readonly lastSeen: WhenView;
  readonly sightings: number;
  readonly confirmed: boolean;
  /** Why people are not told of it. */
  readonly quiet: string | undefined;
  /** It came and went so often that its end is waited for. */
  readonly flapping: boolean;
}

export interface SilenceRuleView {
  readonly kind: 'acknowledge' | 'snooze' | 'ignore';
  /** What it is about: a fingerprint, or globs of address and attribute. */
  readonly subject: string;
  readonly who: string | undefined;
  readonly reason: string | undefined;
  /** undefined: without an end of its own. */
  readonly ends: WhenView | undefined;
  readonly expired: boolean;
}

export interface ProjectPageView extends FrameView {
  readonly row: ProjectRowView;
  readonly repository: OriginView;
  readonly listUrl: string;
  readonly branch: string;
  readonly notice: NoticeView | undefined;
  readonly branchProblem: string | undefined;
  /** Checks that failed one after the other. */
  readonly errors: { readonly count: number; readonly since: WhenView; readonly last: WhenView } | undefined;
  readonly drift: DriftView | undefined;
  /** How the last drift that was told of came to its end. */
  readonly ended: { readonly at: WhenView; readonly sentence: string } | undefined;
  readonly findings: FindingsView | undefined;
  /** What was found can not be read any more. */
  readonly unreadable: boolean;
  readonly rules: readonly SilenceRuleView[];
  readonly facts: readonly { readonly name: string; readonly text: string }[];
  readonly history: readonly RunListItemView[];
  readonly olderUrl: string | undefined;
  /** The forms post here; undefined: there is nothing to be done. */
  readonly actions: {
    readonly runUrl: string | undefined;
    readonly suspendUrl: string | undefined;
    readonly resumeUrl: string | undefined;
  };
}

export type NotificationState = 'wanted' | 'sent' | 'given_up';

export interface NotificationView {
  readonly state: NotificationState;
  readonly event: DriftEvent;
  readonly receiver: string;
  readonly repository: string;
  readonly project: string;
  readonly projectUrl: string;
  readonly sentence: string;
  readonly created: WhenView;
  readonly sent: WhenView | undefined;
  /** When it is tried next. */
  readonly next: WhenView | undefined;
  readonly attempts: number;
  readonly error: string | undefined;
}

export interface NotificationsPageView extends FrameView {
  readonly filters: readonly (FilterView & { readonly state: NotificationState | undefined })[];
  readonly notifications: readonly NotificationView[];
  readonly hasReceivers: boolean;
  readonly olderUrl: string | undefined;
  readonly newestUrl: string | undefined;
}
