import type { RepositoryDriftKeys } from './drift/settings.ts';
import type { RepoLocksMode, Requirement } from './project.ts';
import type { Workflow } from './workflow.ts';

export type AutodiscoverMode = 'auto' | 'enabled' | 'disabled';

export interface Autodiscover {
  /** `auto`: only where the config declares no projects. */
  readonly mode: AutodiscoverMode;
  /** Globs of directories, from the repository's top, that are never discovered. */
  readonly ignorePaths: readonly string[];
}

/** Keys of the repository's config that count only where the server's rules allow them. */
export type AllowedOverride = 'plan_requirements' | 'apply_requirements' | 'workflow' | 'repo_locks';

/** The commands that can be narrowed to teams. */
export type PermittedCommand = 'plan' | 'apply' | 'unlock' | 'cancel' | 'version';

/** Per command the teams (`organisation/team`) of which an actor must be in one, on top of the permission on the repository. A command that is not named is not narrowed. */
export type TeamPermissions = Readonly<Partial<Record<PermittedCommand, readonly string[] | undefined>>>;

/** One entry of the server's `repos:`; a key that is undefined is not set by it. */
export interface RepositoryRule {
  /** `host/owner/name`, or a regular expression between slashes that has to match somewhere in it. */
  readonly id: string;
  /** A regular expression, without its slashes; pull requests into other branches are left alone. */
  readonly branch: string | undefined;
  /** The one path at which the repository's config is looked for. */
  readonly repoConfigFile: string | undefined;
  readonly planRequirements: readonly Requirement[] | undefined;
  readonly applyRequirements: readonly Requirement[] | undefined;
  /** A name of the server's `workflows:`, or `default`. */
  readonly workflow: string | undefined;
  readonly allowedOverrides: readonly AllowedOverride[] | undefined;
  readonly allowedWorkflows: readonly string[] | undefined;
  readonly allowCustomWorkflows: boolean | undefined;
  readonly repoLocks: RepoLocksMode | undefined;
  readonly autodiscover: Autodiscover | undefined;
  readonly permissions: TeamPermissions | undefined;
  readonly drift: RepositoryDriftKeys | undefined;
}

/** What the server says of one repository after all entries that match it were laid over one another. */
export interface RepositoryRules {
  readonly branch: string | undefined;
  /** Where the repository's config is looked for; the first that exists counts. */
  readonly configFiles: readonly string[];
  readonly planRequirements: readonly Requirement[];
  readonly applyRequirements: readonly Requirement[];
  readonly workflow: Workflow;
  /** The server's workflows by name; always has `default`. */
  readonly workflows: ReadonlyMap<string, Workflow>;
  readonly allowedOverrides: readonly AllowedOverride[];
  /** Empty: every workflow of the server may be chosen. */
  readonly allowedWorkflows: readonly string[];
  readonly allowCustomWorkflows: boolean;
  readonly repoLocks: RepoLocksMode;
  /** undefined: the repository's config decides, else `auto`. */
  readonly autodiscover: Autodiscover | undefined;
  readonly permissions: TeamPermissions;
  /** The server's default, then what its matching rules say, in their order. */
  readonly drift: readonly RepositoryDriftKeys[];
}
