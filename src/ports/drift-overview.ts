import type { DriftProject } from '../core/drift/drift-project.ts';
import type { HealthState } from '../core/drift/health.ts';
import type { DriftStanding } from '../core/drift/standing.ts';
import type { ProjectKey } from '../core/project.ts';
import type { Repository } from '../core/repository.ts';

/** A project without what was found of it, which may be much. */
export interface ProjectOverview {
  readonly project: Omit<DriftProject, 'findings'>;
  readonly repository: Repository;
  readonly branch: string;
  readonly standing: DriftStanding;
  readonly health: HealthState;
  /** Its own, that tells of its drift or did so last. */
  readonly issue: { readonly number: number; readonly url: string; readonly open: boolean } | undefined;
  /** Since when it is known. */
  readonly foundAt: Date;
}

export interface ProjectFilter {
  /** `host/id` */
  readonly repositoryId?: string;
  readonly standing?: DriftStanding;
  readonly health?: HealthState;
}

export interface BranchProblem {
  readonly repository: Repository;
  readonly branch: string;
  /** Why its projects cannot be read. */
  readonly sentence: string;
  readonly since: Date;
}

/** Projects by where they stand and by how their checks are. */
export interface ProjectCounts {
  readonly all: number;
  readonly standing: ReadonlyMap<DriftStanding, number>;
  readonly health: ReadonlyMap<HealthState, number>;
}

/** What metrics tell of drift, read at once. */
export interface DriftFigures {
  readonly projects: readonly {
    /** `host/owner/name` */
    readonly repository: string;
    readonly standing: DriftStanding;
    readonly count: number;
  }[];
  readonly health: ReadonlyMap<HealthState, number>;
  readonly unreadableBranches: number;
  /** Of the project that is to be checked and was so with success longest ago, or is known for longest; undefined: there is none. */
  readonly oldestSuccess: Date | undefined;
  /** Since when the check waits that is due for longest and that nothing speaks against; undefined: there is none. */
  readonly oldestDue: Date | undefined;
}

/** What pages, metrics and the command line ask about projects of tracked branches; of thousands of them at once. */
export interface DriftOverview {
  /** Those of the branches, and others that still drift; by repository and directory. */
  list(
    filter: ProjectFilter & {
      readonly limit: number;
      /** Only those that come after this one. */
      readonly after?: ProjectKey;
    },
  ): Promise<readonly ProjectOverview[]>;
  find(key: ProjectKey): Promise<ProjectOverview | undefined>;
  count(filter: Pick<ProjectFilter, 'repositoryId'>): Promise<ProjectCounts>;
  /** Branches whose projects cannot be read, for longest first. */
  listProblems(limit: number): Promise<readonly BranchProblem[]>;
  findProblem(repositoryId: string): Promise<BranchProblem | undefined>;
  /** Those whose checks are overdue, and those that are suspended since before then, without an end. */
  listWaiting(suspendedBefore: Date, limit: number): Promise<readonly ProjectOverview[]>;
  readFigures(): Promise<DriftFigures>;
}
