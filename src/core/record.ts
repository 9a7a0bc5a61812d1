import type { BatchNotes, BatchTrigger, NewBatch, RunPhase, RunResult } from './batch.ts';
import type { Progress } from './plan.ts';
import type { Project, ProjectKey } from './project.ts';
import type { Account, PullRequest } from './pull-request.ts';
import type { CommandReply } from './reply.ts';
import type { RepositoryRef } from './repository.ts';
import type { BranchOperation, PullRequestOperation, RunState } from './run.ts';

/** `host/repository id/number`: names change, this does not. */
export type PullRequestId = string & { readonly __brand: 'PullRequestId' };

export function pullRequestId(repository: Pick<RepositoryRef, 'host' | 'id'>, number: number): PullRequestId {
  return `${repository.host}/${repository.id}/${number}` as PullRequestId;
}

/** A pull request as last seen; `version` grows with every change of its facts. */
export interface PullRequestRecord extends PullRequest {
  readonly id: PullRequestId;
  readonly version: number;
  /** Grows whenever state, draft, head commit or base branch changes, also back to what it was: what a plan is made anew for. */
  readonly planVersion: number;
}

interface RunFacts {
  readonly id: string;
  readonly batchId: string;
  readonly repositoryId: string;
  readonly projectKey: ProjectKey;
  readonly project: Project;
  readonly state: RunState;
  readonly ready: boolean;
  readonly attempts: number;
  readonly result: RunResult | undefined;
  readonly progress: Progress | undefined;
  readonly phases: readonly RunPhase[];
  readonly applyStartedAt: Date | undefined;
  readonly cancelReason: string | undefined;
  readonly queuedAt: Date;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
  readonly batch: BatchRecord;
}

/** A run for a pull request. */
export interface PullRequestRun extends RunFacts {
  readonly operation: PullRequestOperation;
  readonly pullRequestId: PullRequestId;
}

/** A run on the tracked branch. */
export interface BranchRun extends RunFacts {
  readonly operation: BranchOperation;
  readonly pullRequestId: undefined;
}

export type RunRecord = PullRequestRun | BranchRun;

export interface BatchRecord {
  readonly id: string;
  readonly trigger: BatchTrigger;
  readonly actor: Account;
  readonly headSha: string;
  /** The base branch when it was decided. */
  readonly baseRef: string;
  readonly baseSha: string;
  readonly mergeSha: string | undefined;
  readonly sourceCommentId: string | undefined;
  readonly notes: BatchNotes;
  readonly createdAt: Date;
}

export interface ProjectLock {
  readonly projectKey: ProjectKey;
  readonly pullRequestId: PullRequestId;
  readonly number: number;
  readonly url: string;
  readonly dir: string;
  readonly workspace: string;
  readonly name: string | undefined;
  readonly who: string;
  readonly since: Date;
}

/** A plan that may be applied; its file is sealed in the plan store. */
export interface PlanRecord {
  readonly id: string;
  readonly runId: string;
  readonly projectKey: ProjectKey;
  readonly headSha: string;
  /** The base branch that it was made for. */
  readonly baseRef: string;
  readonly baseSha: string;
  readonly mergeSha: string;
  readonly inputsDigest: string;
  readonly canonicalDigest: string;
  readonly empty: boolean;
}

/** What is recorded of a pull request, read in the transaction that records the decision about it. */
export interface PullRequestState {
  readonly pull: PullRequestRecord;
  /** Newest run of each project and operation. */
  readonly latest: readonly PullRequestRun[];
  /** Runs that are not final. */
  readonly open: readonly PullRequestRun[];
  readonly plans: readonly PlanRecord[];
  /** Project keys whose newest plan or apply is an apply that succeeded. */
  readonly applied: readonly ProjectKey[];
  /** Every project lock of the repository. */
  readonly locks: readonly ProjectLock[];
  /** Per project that this pull request holds: the open pull request that has waited longest. */
  readonly waiting: readonly { readonly projectKey: ProjectKey; readonly number: number }[];
  /** The newest batch of plans, even one without runs; what was found while deciding stands in its notes. */
  readonly planBatch: BatchRecord | undefined;
}

/** A new comment that answers a person. `key` follows from what it answers: a decision whose answer is known has been recorded already and changes nothing. */
export type NewReply =
  | { readonly key: string; readonly kind: 'command'; readonly view: CommandReply }
  | { readonly key: string; readonly kind: 'apply'; readonly view: { readonly batchId: string } };

export interface NewReaction {
  readonly commentId: string;
  readonly reaction: 'eyes' | 'rocket' | 'confused';
}

/** What is to be done about a pull request, as data. It is written down in one transaction before anything of it is done. */
export interface Decision {
  readonly batch?: NewBatch;
  /** Take the project lock for these, or wait for it. */
  readonly locks?: readonly {
    readonly projectKey: ProjectKey;
    readonly project: Pick<Project, 'dir' | 'workspace' | 'name'>;
  }[];
  /** Queued runs are cancelled; claimed and running ones are asked to stop. */
  readonly cancel?: readonly { readonly runId: string; readonly reason: string }[];
  /** Projects whose lock and plan are given up; `all`: everything, and what it waits for. */
  readonly release?: 'all' | readonly ProjectKey[];
  /** The pull request is closed: give everything back as soon as nothing of it is running. */
  readonly close?: boolean;
  readonly replies?: readonly NewReply[];
  /** When this has led to a batch or an answer before, nothing is done. */
  readonly triggerKey?: string;
  /** Id of the account that is answered, when it has no say here: it is answered only so often, and otherwise nothing is said. */
  readonly stranger?: string;
  readonly reactions?: readonly NewReaction[];
  /** For the audit log. */
  readonly actor: string;
  readonly event: string;
}

/** Jobs to enqueue once the transaction is committed. Losing them costs time, not work: the sweep finds what they would have found. */
export interface Wakeups {
  readonly runIds: readonly string[];
  readonly pullRequestIds: readonly PullRequestId[];
  readonly deliveries: readonly { readonly host: string; readonly id: string }[];
  /** Repositories whose drift is to be reported. */
  readonly repositoryIds?: readonly string[];
}
