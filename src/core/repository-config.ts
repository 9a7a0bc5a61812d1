import type { TerraformDistribution } from './configuration-file.ts';
import type { ProjectDriftKeys, RepositoryDriftKeys } from './drift/settings.ts';
import type { RepoLocksMode, Requirement } from './project.ts';
import type { Autodiscover } from './repository-rules.ts';
import type { Workflow } from './workflow.ts';

/** One entry of `projects:`. undefined: the key is not written. */
export interface ProjectEntry {
  /** Line of the file, for problems. */
  readonly line: number | undefined;
  /** From the repository's top; a glob when it holds `*`, `?` or `[`. */
  readonly dir: string;
  /** With a glob: names of files of which a directory must have one; undefined: Terraform's. */
  readonly globFileMatch: readonly string[] | undefined;
  readonly name: string | undefined;
  /** A regular expression, without its slashes, for the base branch. */
  readonly branch: string | undefined;
  readonly workspace: string;
  readonly workflow: string | undefined;
  readonly terraformVersion: string | undefined;
  readonly terraformDistribution: TerraformDistribution | undefined;
  readonly autoplan: { readonly enabled: boolean; readonly whenModified: readonly string[] | undefined };
  readonly planRequirements: readonly Requirement[] | undefined;
  readonly applyRequirements: readonly Requirement[] | undefined;
  readonly executionOrderGroup: number;
  readonly dependsOn: readonly string[];
  readonly repoLocks: RepoLocksMode | undefined;
  readonly drift: ProjectDriftKeys | undefined;
}

/** A repository's config file, read and valid. */
export interface RepositoryConfig {
  readonly file: string;
  readonly automerge: boolean | undefined;
  readonly parallelPlan: boolean | undefined;
  readonly parallelApply: boolean | undefined;
  readonly abortOnExecutionOrderFail: boolean;
  readonly autodiscover: Autodiscover | undefined;
  readonly repoLocks: RepoLocksMode | undefined;
  readonly drift: RepositoryDriftKeys | undefined;
  readonly projects: readonly ProjectEntry[];
  /** Without `default`, unless the file redefines it. */
  readonly workflows: ReadonlyMap<string, Workflow>;
}

/** Atlantis' list: what makes a project modified when its entry has no `when_modified`. */
export const DEFAULT_WHEN_MODIFIED: readonly string[] = [
  '**/*.tf*',
  '**/*.tofu',
  '**/*.tofu.json',
  '**/terragrunt.hcl',
  '**/.terraform.lock.hcl',
];
