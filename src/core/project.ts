import type { TerraformDistribution } from './configuration-file.ts';
import type { RepositoryRef } from './repository.ts';
import type { Workflow } from './workflow.ts';

export type Requirement = 'approved' | 'mergeable' | 'undiverged';
export type RepoLocksMode = 'on_plan' | 'on_apply' | 'disabled';

/** A directory + workspace of a repository with everything that was decided about it from the repository's and the server's config. */
export interface Project {
  /** Relative to the repository's root, `/`-separated, `.` for the root itself. */
  readonly dir: string;
  readonly workspace: string;
  readonly name: string | undefined;
  readonly workflow: Workflow;
  /** An exact version or undefined: the one on the PATH. */
  readonly terraformVersion: string | undefined;
  readonly terraformDistribution: TerraformDistribution;
  readonly autoplan: { readonly enabled: boolean; readonly whenModified: readonly string[] };
  readonly planRequirements: readonly Requirement[];
  readonly applyRequirements: readonly Requirement[];
  readonly executionOrderGroup: number;
  /** Names of projects that are applied before this one. */
  readonly dependsOn: readonly string[];
  readonly repoLocks: RepoLocksMode;
}

/** Identity of a project for locks, leases and records: host, repository id, directory, workspace and, where several share those, the name. */
export type ProjectKey = string & { readonly __brand: 'ProjectKey' };

/**
 * `nameCounts` is true only where the base branch's config declares several projects in this directory and workspace;
 * otherwise renaming a project in a pull request would let it walk around the lock.
 */
export function projectKey(
  repository: Pick<RepositoryRef, 'host' | 'id'>,
  project: Pick<Project, 'dir' | 'workspace' | 'name'>,
  nameCounts: boolean,
): ProjectKey {
  const parts = [repository.host, repository.id, project.dir, project.workspace];
  if (nameCounts && project.name !== undefined) parts.push(project.name);
  return parts.map(encodeURIComponent).join('/') as ProjectKey;
}

/** Where the pages tell of a project; a path below their address. */
export function projectPagePath(key: ProjectKey): string {
  return `/projects/${encodeURIComponent(key)}`;
}

/** How people are told which project is meant. */
export function projectTitle(project: Pick<Project, 'dir' | 'workspace' | 'name'>): string {
  const place = project.workspace === 'default' ? project.dir : `${project.dir} (${project.workspace})`;
  return project.name === undefined ? place : `${project.name}: ${place}`;
}
