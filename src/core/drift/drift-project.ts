import type { Project, ProjectKey } from '../project.ts';
import type { Account } from '../pull-request.ts';
import type { CommitSha } from '../repository.ts';
import type { SyncState } from './drift.ts';
import type { DriftState } from './lifecycle.ts';
import type { DriftNotification } from './notifications.ts';
import type { DueState } from './schedule.ts';
import type { DriftSettings } from './settings.ts';
import type { SilenceRule } from './silence-rules.ts';
import type { SkipReason, Suspension } from './skip.ts';

/** One project of a tracked branch, as its commit has it. */
export interface BranchProject {
  readonly key: ProjectKey;
  readonly project: Project;
  readonly settings: DriftSettings;
  /** Of the inputs at the tip. */
  readonly inputsDigest: string;
}

/** A check that does not wait for the schedule. */
export interface CheckRequest {
  /** `recheck`: something that happened is to be looked at; `put_right`: the actor has just put the drift right. */
  readonly kind: 'command' | 'recheck' | 'put_right';
  readonly actor: Account;
  readonly at: Date;
}

/** Somebody said that this very drift may be put right. */
export interface DriftApproval {
  readonly by: Account;
  readonly fingerprint: string;
  readonly at: Date;
}

/** Everything that is recorded of a project of a tracked branch. */
export interface DriftProject extends BranchProject {
  readonly repositoryId: string;
  /** Whose project this is: the commit that `project` and `inputsDigest` were read from. */
  readonly tip: CommitSha;
  /** The branch has it still. */
  readonly listed: boolean;
  readonly due: DueState;
  readonly request: CheckRequest | undefined;
  /** The check or remediation that is queued or running. */
  readonly runId: string | undefined;
  /** When the last check was begun, whatever came of it. */
  readonly lastCheckAt: Date | undefined;
  /** When the last check ended that came to a finding. */
  readonly lastSuccessAt: Date | undefined;
  /** Inputs of the last apply, or of the first check that found nothing; undefined: neither is on record. */
  readonly baselineDigest: string | undefined;
  readonly sync: SyncState;
  /** Failed `check` blocks and conditions that the last check with a finding saw. */
  readonly failedChecks: number;
  /** Why it was not checked when it was due. */
  readonly skip: (SkipReason & { readonly since: Date }) | undefined;
  readonly suspension: Suspension | undefined;
  readonly silences: readonly SilenceRule[];
  /** Who said that a drift may be put right; of the present drift alone. */
  readonly approvals: readonly DriftApproval[];
  readonly state: DriftState;
  /** Sealed: what the last check that came to a finding found, masked. */
  readonly findings: Buffer | undefined;
}

/** What may be changed of a project by what happened or was said. */
export type DriftProjectChanges = Partial<
  Pick<
    DriftProject,
    | 'due'
    | 'request'
    | 'runId'
    | 'lastCheckAt'
    | 'lastSuccessAt'
    | 'baselineDigest'
    | 'sync'
    | 'failedChecks'
    | 'skip'
    | 'suspension'
    | 'silences'
    | 'approvals'
    | 'state'
    | 'findings'
  >
>;

/** What follows from something that happened to a project, or was said about it, as data. */
export interface DriftDecision {
  readonly changes: DriftProjectChanges;
  /** The repository's issues may have to say something else. */
  readonly report: boolean;
  readonly notifications?: readonly DriftNotification[];
  /** For the audit log; undefined: nothing worth it. */
  readonly audit?: { readonly actor: string; readonly event: string; readonly detail?: object };
}

/** Nothing follows. */
export const NO_DECISION: DriftDecision = { changes: {}, report: false };
