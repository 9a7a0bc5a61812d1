import type { Diagnostic, PlanSummary, Progress } from '../core/plan.ts';
import type {
  CommandReply,
  ConfigProblem,
  LeftOut,
  PlanDifference,
  ProjectRef,
  UnmetRequirement,
} from '../core/reply.ts';
import type { Requirement } from '../core/project.ts';
import type { Operation } from '../core/run.ts';

/**
 * What the comment templates are filled from. Every text may be hostile (it came from a pull request, a program or the
 * host) and is escaped here; every text is already *masked*, because nothing unmasked is ever stored.
 * Times are instants, durations milliseconds. `undefined` means "not known or does not apply", never zero.
 */

/** The words that start a command; the first is the one we suggest, all of them are defused in hostile text. */
export type Triggers = readonly [string, ...string[]];

/** The pull request that holds a project lock. */
export interface LockHolderView {
  readonly pullNumber: number;
  readonly url: string;
  readonly who: string;
  readonly since: Date;
}

/**
 * Where one project of the pull request stands.
 * `interrupted`: the worker of an apply died, its outcome is unknown. `outdated`: there is a plan, but not of these inputs;
 * it cannot be applied. `plan_only`: it can be looked at and is never applied here. `discarded`: the plan was given up by `unlock`.
 */
export type ProjectStateView =
  | { readonly kind: 'queued'; readonly operation: Operation; readonly position: number | undefined }
  | { readonly kind: 'running'; readonly operation: Operation; readonly progress: Progress }
  | { readonly kind: 'planned' }
  | { readonly kind: 'plan_only' }
  | { readonly kind: 'no_changes' }
  | { readonly kind: 'applied' }
  | { readonly kind: 'failed'; readonly operation: Operation }
  | { readonly kind: 'cancelled'; readonly operation: Operation }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'outdated'; readonly reason: string }
  | { readonly kind: 'discarded' };

export type PlanFactsView = Pick<PlanSummary, 'counts' | 'changes' | 'drifted' | 'checks'>;

export interface ProjectRowView extends ProjectRef {
  readonly state: ProjectStateView;
  /** What an apply will ask the host. */
  readonly applyRequirements: readonly Requirement[];
  /** Facts of the newest finished plan; undefined before the first and after a failed one. */
  readonly plan: PlanFactsView | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Terraform's own text of the plan. */
  readonly planText: string | undefined;
  /** What a failed run printed last. */
  readonly errorText: string | undefined;
  /** Our own words on a failure or a limitation: what it means and what to do. */
  readonly explanation: string | undefined;
  readonly durationMs: number | undefined;
  /** The run's page. */
  readonly url: string | undefined;
  /** Held by another pull request: the plan is shown but cannot be applied yet. */
  readonly lock: LockHolderView | undefined;
  /** A pull request that was applied here and is not merged: this plan would undo it. */
  readonly wouldUndo: { readonly pullNumber: number; readonly url: string } | undefined;
}

/** A root module that the pull request deletes. Deleting the code destroys nothing. */
export interface RemovedRootView {
  readonly dir: string;
  /** Exact steps for a person, in order; each may hold a command line. */
  readonly steps: readonly { readonly text: string; readonly command: string | undefined }[];
}

/** A project of the pull request that drifted before it. */
export interface DriftingProjectView {
  readonly title: string;
  readonly since: Date;
  /** The report. */
  readonly issue: { readonly pullNumber: number; readonly url: string } | undefined;
}

/** The one comment of a pull request that is edited in place. */
export interface PlanCommentView {
  /** Opaque id in the hidden marker; letters, digits, `-` and `_`. */
  readonly id: string;
  readonly pullNumber: number;
  readonly pullState: 'open' | 'closed' | 'merged';
  readonly headSha: string;
  readonly baseRef: string;
  /** For example `Planned as merged with main at 1a2b3c4.` or why it could not be merged. */
  readonly mergeNote: string | undefined;
  /** Head and base cannot be merged, so nothing was planned. */
  readonly conflicting?: boolean;
  readonly triggers: Triggers;
  /** Of what is still to be applied. */
  readonly drifting: readonly DriftingProjectView[];
  readonly projects: readonly ProjectRowView[];
  readonly removedRoots: readonly RemovedRootView[];
  /** Sentences on folders that are recognised and not planned, and the like. */
  readonly explanations: readonly string[];
  readonly configProblems: readonly ConfigProblem[];
  /** What is missing before `apply`, as far as it is known without asking the host once more. */
  readonly requirements: readonly UnmetRequirement[];
  /** `none` is named in the comment. */
  readonly sandbox: 'bubblewrap' | 'none';
  /** The page of these runs. */
  readonly pageUrl: string | undefined;
}

export type ApplyResultView =
  | {
      readonly kind: 'applied';
      readonly counts: PlanSummary['counts'];
      /** What was done otherwise than approved. */
      readonly differences?: readonly PlanDifference[];
    }
  | { readonly kind: 'no_changes' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'skipped'; readonly reason: string }
  /** What would be done now is not what was approved. `now` became the plan to approve. */
  | { readonly kind: 'difference'; readonly differences: readonly PlanDifference[] };

export interface ApplyRowView extends ProjectRef {
  readonly result: ApplyResultView;
  /** What the apply printed. */
  readonly outputText: string | undefined;
  readonly errorText: string | undefined;
  readonly explanation: string | undefined;
  /** Where the state that could not be saved is kept. */
  readonly erroredStateUrl: string | undefined;
  readonly durationMs: number | undefined;
  readonly url: string | undefined;
}

/** The answer to one `apply`, a new comment. */
export interface ApplyReplyView {
  readonly id: string;
  readonly actor: string;
  readonly headSha: string;
  readonly triggers: Triggers;
  readonly projects: readonly ApplyRowView[];
  /** What the command was also for and did not apply. */
  readonly leftOut: LeftOut;
  /** Projects of the pull request that still have an unapplied plan. */
  readonly stillPlanned: readonly ProjectRef[];
  readonly merge: { readonly kind: 'merged' } | { readonly kind: 'not_merged'; readonly reason: string } | undefined;
  readonly pageUrl: string | undefined;
}

/** Every other answer, each a new comment. `command` is what the person typed, with the trigger word. */
export type CommandReplyView = CommandReply & { readonly triggers: Triggers };

/** What a check run of the host shows; at most three buttons, each within the host's lengths. */
export interface CheckRunView {
  readonly title: string;
  readonly summary: string;
  readonly actions: readonly {
    readonly label: string;
    readonly description: string;
    readonly identifier: 'apply' | 'plan' | 'unlock';
  }[];
}

/** A commit status without its context: what it says in at most 140 characters. */
export interface StatusView {
  readonly state: 'pending' | 'success' | 'failure' | 'error';
  readonly description: string;
}
