import type { RunPhase, RunResult } from '../core/batch.ts';
import type { Progress } from '../core/plan.ts';
import type { ProjectKey } from '../core/project.ts';
import type {
  BranchRun,
  Decision,
  PullRequestId,
  PullRequestRecord,
  PullRequestRun,
  PullRequestState,
  RunRecord,
  Wakeups,
} from '../core/record.ts';
import type { Operation } from '../core/run.ts';

/** What shows that a run is ours. The token only ever grows, so a worker that was given up on cannot write any more. */
export interface Lease {
  readonly runId: string;
  readonly token: string;
}

interface Leased {
  readonly lease: Lease;
}

export type ClaimedRun = RunRecord & Leased;

/** A claimed run for a pull request. */
export type ClaimedPullRequestRun = PullRequestRun & Leased;

/** A claimed run on the tracked branch. */
export type ClaimedBranchRun = BranchRun & Leased;

export interface RunLimits {
  /** Active runs of this worker at most. */
  readonly perWorker: number;
  /** Active runs of one repository at most, on all machines together. */
  readonly perRepository: number;
}

export interface NewPlan {
  readonly id: string;
  readonly headSha: string;
  readonly baseRef: string;
  readonly baseSha: string;
  readonly mergeSha: string;
  readonly inputsDigest: string;
  readonly canonicalDigest: string;
  readonly empty: boolean;
  /** Sealed: plan file, lock file, values to mask. */
  readonly artifact: Buffer;
  /** Sealed: Terraform's text of the plan, masked. */
  readonly planText: Buffer;
}

export interface RunEnd {
  readonly state: 'succeeded' | 'failed' | 'cancelled' | 'interrupted';
  readonly result: RunResult;
  readonly phases: readonly RunPhase[];
  /** Becomes the current plan of its project in this pull request. */
  readonly plan?: NewPlan;
  /** The current plan was applied. */
  readonly apply?: {
    readonly sha: string;
    readonly inputsDigest: string;
    readonly approvedDigest: string;
    readonly appliedDigest: string;
  };
  /** Sealed files that must outlive the checkout. */
  readonly artifacts?: readonly { readonly name: string; readonly content: Buffer }[];
}

/** Thrown when the run is no longer ours: another worker or the sweep has it. What was to be written is not. */
export class LeaseLostError extends Error {
  constructor(runId: string) {
    super(`run ${runId} is no longer leased to this worker`);
    this.name = 'LeaseLostError';
  }
}

/**
 * The record could not be written because its database is away or busy; the same may succeed later. When the connection broke while the
 * transaction was being committed it may have been written all the same.
 */
export class RecordUnavailableError extends Error {
  constructor(cause: Error) {
    super(`the database cannot be used for the moment: ${cause.message}`, { cause });
    this.name = 'RecordUnavailableError';
  }
}

/** The life of runs. Every transition is guarded by state and lease, and written to the audit log in the same transaction. */
export interface RunStore {
  /**
   * Reads what is recorded of a pull request, decides, and writes the decision, in one transaction.
   * `stale`: the facts have changed since `factsVersion`; gather them again.
   */
  decide(
    id: PullRequestId,
    factsVersion: number,
    decide: (state: PullRequestState) => Decision,
  ): Promise<{ readonly kind: 'stale' } | { readonly kind: 'decided'; readonly wakeups: Wakeups }>;
  /** What `decide` would see, without deciding. */
  readState(id: PullRequestId): Promise<PullRequestState | undefined>;

  /** The next run that may start: ready, within the limits, its project not being worked on anywhere. */
  claimNext(
    worker: { readonly id: string; readonly leaseMs: number },
    limits: RunLimits,
  ): Promise<ClaimedRun | undefined>;
  start(lease: Lease): Promise<void>;
  /** Takes the project lock for an apply; answers who holds it when another pull request does. */
  takeLock(lease: Lease): Promise<{ readonly number: number; readonly who: string } | undefined>;
  /** Written before `terraform apply` is started: from here on a death is an unknown outcome. */
  beginApply(lease: Lease): Promise<void>;
  /** Prolongs the lease and tells why the run is to stop, if it is. Throws LeaseLostError. */
  renew(lease: Lease, leaseMs: number): Promise<{ readonly cancel: string | undefined }>;
  saveProgress(lease: Lease, progress: Progress): Promise<void>;
  /** Sealed; `seq` grows by one. */
  appendOutput(lease: Lease, seq: number, chunk: Buffer): Promise<void>;
  finish(lease: Lease, end: RunEnd): Promise<Wakeups>;
  /** Gives a run back that has done nothing that matters: the worker is stopping. */
  handBack(lease: Lease): Promise<Wakeups>;
  /** Deals with runs whose lease ran out, or whose owner is one of `deadOwners`. */
  recover(isDeadOwner?: (owner: string) => boolean): Promise<Wakeups>;
  /** Runs that could be claimed, and pull requests and reports that are not published though it is due; for the sweep. */
  findNeglected(): Promise<Wakeups>;

  findRun(id: string): Promise<RunRecord | undefined>;
  findRuns(ids: readonly string[]): Promise<readonly RunRecord[]>;
  listRuns(filter: {
    readonly pullRequestId?: PullRequestId;
    readonly batchId?: string;
    readonly projectKey?: ProjectKey;
    readonly operations?: readonly Operation[];
    readonly limit: number;
    /** Only runs that come after this one in the list, which has the newest first. */
    readonly after?: string;
  }): Promise<readonly RunRecord[]>;
  readOutput(runId: string, fromSeq: number): Promise<readonly { readonly seq: number; readonly chunk: Buffer }[]>;
  readArtifact(runId: string, name: string): Promise<Buffer | undefined>;
  /** 1 for the next to start; those that do not wait have none. */
  queuePositions(runIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  countByState(): Promise<Readonly<Record<string, number>>>;
  /** Per project the pull request that its newest apply was made from. */
  findLastApplies(
    projectKeys: readonly ProjectKey[],
  ): Promise<ReadonlyMap<ProjectKey, Pick<PullRequestRecord, 'id' | 'number' | 'url' | 'state'>>>;
}
