import type { ProjectKey } from '../core/project.ts';
import type { PlanRecord, ProjectLock, PullRequestId, PullRequestRecord } from '../core/record.ts';
import type { PullRequest } from '../core/pull-request.ts';
import type { Repository } from '../core/repository.ts';

/** Repositories and pull requests as last seen, their locks and plans. */
export interface PullRequestStore {
  saveRepository(repository: Repository): Promise<void>;
  /** By the id that runs carry, `host/repository id`. */
  findRepository(id: string): Promise<Repository | undefined>;
  /** Writes the facts; the version grows only when one of them changed. */
  save(pull: PullRequest): Promise<PullRequestRecord>;
  /**
   * Writes facts that were asked for when the record's version was `seen`. Undefined, and nothing written, when it has grown since:
   * these facts may be older than what is recorded and must be asked for again.
   */
  saveSeen(pull: PullRequest, seen: number): Promise<PullRequestRecord | undefined>;
  find(id: PullRequestId): Promise<PullRequestRecord | undefined>;
  /** The version now; facts that are gathered after this call are at least as new. 0 when unknown. */
  readVersion(id: PullRequestId): Promise<number>;
  listOpen(
    repository: { readonly host: string; readonly id: string },
    baseRef?: string,
  ): Promise<readonly PullRequestRecord[]>;
  /** Open ones, and others that still hold a project lock, whose record was last compared with the host before this instant, oldest first; for reconciliation. */
  listSeenBefore(instant: Date, limit: number): Promise<readonly PullRequestRecord[]>;
  /** It is compared with the host now. */
  markSeen(id: PullRequestId): Promise<void>;
  listLocks(): Promise<readonly (ProjectLock & { readonly repository: string; readonly waiting: readonly number[] })[]>;
  findCurrentPlan(id: PullRequestId, projectKey: ProjectKey): Promise<PlanRecord | undefined>;
  /** Sealed artifact of a current plan; undefined once it is gone. */
  readPlanArtifact(planId: string): Promise<Buffer | undefined>;
  /** Sealed texts of the plans that these runs made, as far as they are there still. */
  readPlanTexts(runIds: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
}
