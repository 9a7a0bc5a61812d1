import type { RemediationOrder } from '../core/batch.ts';
import type { BudgetLimits } from '../core/drift/budget.ts';
import type { BranchProject, CheckRequest, DriftDecision, DriftProject } from '../core/drift/drift-project.ts';
import type { DriftNotification } from '../core/drift/notifications.ts';
import type { SkipFacts, SkipReason } from '../core/drift/skip.ts';
import type { ProjectKey } from '../core/project.ts';
import type { Account } from '../core/pull-request.ts';
import type { Wakeups } from '../core/record.ts';
import type { CommitSha, Repository } from '../core/repository.ts';
import type { Lease, RunEnd } from './run-store.ts';

/** The branch of a repository whose projects are compared with reality. */
export interface TrackedBranch {
  readonly repositoryId: string;
  readonly repository: Repository;
  readonly branch: string;
  /** Whose projects are on record; undefined: none were read yet. */
  readonly syncedTip: CommitSha | undefined;
  /** What else its projects were read with; another text: they are read again. */
  readonly settingsDigest: string | undefined;
  readonly polledAt: Date | undefined;
  /** Why its projects cannot be read, in a sentence for people. */
  readonly problem: { readonly sentence: string; readonly since: Date } | undefined;
}

/** A project that is due or asked for, with what may speak against checking it now. */
export interface DueProject {
  readonly project: DriftProject;
  readonly repository: Repository;
  readonly facts: Pick<SkipFacts, 'applying' | 'lock' | 'openPullRequests' | 'lastAppliedAt'>;
}

export interface ScheduleFacts {
  readonly due: readonly DueProject[];
  /** Checks that are queued or running, here and on other machines. */
  readonly running: readonly { readonly project: DriftProject; readonly repository: Repository }[];
  readonly startedLastMinute: number;
  /** Runs of pull requests that run or could run at once. */
  readonly pullRequestRuns: number;
  /** Workers that are alive. */
  readonly workers: number;
  /** What all schedules together ask for, on average. */
  readonly startsPerMinute: BudgetLimits['startsPerMinute'];
}

export interface ScheduleDecision {
  readonly start: readonly ProjectKey[];
  readonly skip: ReadonlyMap<ProjectKey, SkipReason>;
}

/** A run of a project that ended without its result: its worker died, somebody cancelled it, or the run is gone. */
export interface EndedRun {
  readonly project: DriftProject;
  readonly repository: Repository;
  readonly operation: 'drift_check' | 'remediation';
  readonly state: 'failed' | 'cancelled' | 'interrupted';
  readonly actor: Account;
  /** Of the drift that was to be put right. */
  readonly fingerprint: string | undefined;
  readonly reason: string;
}

export interface DriftProjectPage {
  readonly project: DriftProject;
  readonly repository: Repository;
  readonly branch: string;
}

/** One receiver of a notification, and what it is sent. */
export interface AddressedNotification {
  readonly receiver: string;
  readonly payload: object;
}

/** Decides who is told, and in which form; pure, for it is asked within a transaction. */
export type AddressNotification = (
  notification: DriftNotification,
  about: { readonly repository: Repository; readonly project: DriftProject },
) => readonly AddressedNotification[];

/** Tracked branches, their projects, and what is known of their drift. Every change is made in one transaction with what follows from it. */
export interface DriftStore {
  /** Writes down that this branch is tracked; its projects stay until they are read anew. */
  track(repository: Repository, branch: string): Promise<void>;
  /** Its projects are not checked any more. */
  untrack(repositoryId: string): Promise<void>;
  listBranches(): Promise<readonly TrackedBranch[]>;
  /** Branches that nobody has looked at since, oldest first; they count as looked at now, so that one machine alone does it. */
  claimPolls(polledBefore: Date, limit: number): Promise<readonly TrackedBranch[]>;
  /** It has moved, as somebody says: it is looked at the next time, however recently it was. */
  pollSoon(repositoryId: string): Promise<void>;
  saveProblem(repositoryId: string, sentence: string | undefined): Promise<void>;
  /** The projects of the tip; those it does not have any more are not checked again. */
  syncProjects(
    repositoryId: string,
    read: { readonly tip: CommitSha; readonly settingsDigest: string; readonly projects: readonly BranchProject[] },
    now: Date,
  ): Promise<void>;

  /** Decides which of the due projects are checked now, and starts that, once over all machines. */
  schedule(decide: (facts: ScheduleFacts) => ScheduleDecision, now: Date): Promise<Wakeups>;
  /** Records how a check or a remediation ended, and what follows. Throws LeaseLostError when the run is not this worker's any more. */
  finish(lease: Lease, end: RunEnd, decide: (project: DriftProject) => DriftDecision): Promise<Wakeups>;
  /** Runs that ended without anybody having recorded what follows. */
  listEnded(limit: number): Promise<readonly EndedRun[]>;
  /** Records what follows from something that happened or was said. `undefined`: there is no such project. */
  change(key: ProjectKey, decide: (project: DriftProject) => DriftDecision): Promise<DriftProject | undefined>;
  /** Has the project put right by a run of its own; `busy` while another run of it is queued or running. */
  startRemediation(
    key: ProjectKey,
    order: {
      readonly triggerKey: string;
      readonly actor: Account;
      readonly commentId: string | undefined;
      readonly order: RemediationOrder;
    },
  ): Promise<{ readonly kind: 'started' | 'repeated'; readonly wakeups: Wakeups } | { readonly kind: 'busy' }>;
  /** Asks for a check; it goes before what the schedule wants. */
  request(key: ProjectKey, request: CheckRequest): Promise<boolean>;

  find(key: ProjectKey): Promise<DriftProjectPage | undefined>;
  /** What else works on the project, or keeps it. */
  findBlockers(key: ProjectKey): Promise<DueProject['facts']>;
  /** Listed ones and others that still have something to tell, in the order of repository and directory. */
  list(filter: {
    readonly repositoryId?: string;
    readonly limit: number;
    readonly after?: ProjectKey;
  }): Promise<readonly DriftProjectPage[]>;
}
