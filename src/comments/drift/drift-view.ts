import type { DriftFindings } from '../../core/drift/drift.ts';
import type { DriftReply } from '../../core/drift/drift-reply.ts';
import type { Suspension } from '../../core/drift/skip.ts';
import type { DriftStanding } from '../../core/drift/standing.ts';
import type { UnmetRequirement } from '../../core/reply.ts';
import type { ApplyRowView, Triggers } from '../view.ts';

/** What the reports of drift are filled from; texts are hostile and masked, as in `view.ts`. */

/** The issue of one project. Nothing in it changes without the drift or what is said about it, but `lastSeen`. */
export interface DriftIssueView {
  /** Opaque id in the hidden marker; letters, digits, `-` and `_`. */
  readonly id: string;
  readonly triggers: Triggers;
  /** Of the project. */
  readonly title: string;
  readonly branch: string;
  /** What the project's rules leave of what was found. */
  readonly findings: Pick<DriftFindings, 'resources' | 'outputs'>;
  /** How many differences those rules keep out. */
  readonly ignored: number;
  readonly fingerprint: string;
  readonly firstSeenAt: Date;
  /** Without it the text is the same for as long as nothing but time goes by. */
  readonly lastSeen: { readonly at: Date; readonly sha: string } | undefined;
  readonly lastApply:
    | {
        readonly at: Date;
        readonly sha: string;
        readonly pull: { readonly pullNumber: number; readonly url: string } | undefined;
      }
    | undefined;
  /** As CODEOWNERS writes them, such as `@acme/platform`. */
  readonly owners: readonly string[];
  /** It came and went so often that its end is waited for. */
  readonly isFlapping: boolean;
  /** Since when checks fail, if that is to be told. */
  readonly failingSince: Date | undefined;
  readonly suspension: Suspension | undefined;
  /** How it is put right from here: not at all, by one person, or with the approval of another. */
  readonly remediation: 'off' | 'alone' | 'approved';
  readonly pageUrl: string | undefined;
}

/** One line about one project. */
export interface DriftLineView {
  readonly title: string;
  readonly since: Date | undefined;
  readonly url: string | undefined;
}

/** The one issue of what has none of its own. */
export interface DriftSummaryView {
  readonly id: string;
  readonly triggers: Triggers;
  readonly branch: string;
  readonly maxOpenIssues: number;
  /** Drifting projects, the most urgent first. */
  readonly beyond: readonly (DriftLineView & { readonly deletion: boolean })[];
  /** Projects whose checks fail. */
  readonly failing: readonly DriftLineView[];
  readonly pageUrl: string | undefined;
}

/** The issue that lists every project. */
export interface DriftDashboardView {
  readonly id: string;
  readonly triggers: Triggers;
  readonly branch: string;
  readonly projects: readonly (DriftLineView & {
    readonly standing: DriftStanding;
    readonly suspended: boolean;
  })[];
  /** Why the branch cannot be read. */
  readonly problem: string | undefined;
  readonly pageUrl: string | undefined;
}

/** A comment of ours on one of these issues. */
export type DriftReplyView = Exclude<DriftReply, { kind: 'remediation' }> & { readonly triggers: Triggers };

/** What came of putting drift right. */
export interface RemediationView extends Omit<ApplyRowView, 'dir' | 'workspace' | 'name' | 'durationMs'> {
  readonly triggers: Triggers;
  readonly actor: string;
  /** Terraform had begun to apply, so reality may be another one. */
  readonly begun: boolean;
  /** Why nothing was run. */
  readonly unmet: readonly UnmetRequirement[];
}

/** An issue as the host takes it. */
export interface IssueText {
  readonly title: string;
  readonly body: string;
}

/** In UTF-16 units; a body may have 2,000 at least. */
export interface IssueLimits {
  readonly title: number;
  readonly body: number;
}
