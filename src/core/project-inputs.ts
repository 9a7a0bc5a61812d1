import { createHash } from 'node:crypto';
import { canonicalText } from './canonical-text.ts';
import type { Project } from './project.ts';
import { isWithin, joinPath, parentDirectory } from './repository-path.ts';
import { listCalledDirectories, listReferencedFiles, type Configuration } from './root-module.ts';
import { findModified } from './when-modified.ts';
import { isCustomWorkflow } from './workflow.ts';

/** One file of a commit, as far as telling its content apart needs it; `TreeEntry` of the mirror is one. */
export interface InputEntry {
  readonly path: string;
  /** Git's object id: equal ids mean equal content. */
  readonly oid: string;
  readonly kind: 'file' | 'executable' | 'symlink' | 'submodule';
}

export interface CommitContent {
  readonly entries: readonly InputEntry[];
  readonly configuration: Configuration;
}

/** Options of `extra_args` that name a file to read. */
const FILE_OPTION = /^--?(?:var-file|backend-config)(?:=(?<path>.*))?$/s;

/**
 * Digest of everything of a commit that can change what a project's plan says: equal digests, equal inputs. SHA-256 in hex.
 * What Holdfast or Terraform itself read from elsewhere (variables of the server, remote modules, live state) is no part of it.
 */
export function digestProjectInputs(commit: CommitContent, project: Project): string {
  const lines = listProjectInputs(commit, project)
    .map((entry) => `${entry.path}\0${entry.oid}\0${entry.kind}\0`)
    .sort();
  const hash = createHash('sha256').update(`${describeRun(project)}\0`);
  for (const line of lines) hash.update(line);
  return hash.digest('hex');
}

/**
 * The project's folder, its local modules, what `when_modified` matches, and files named literally. The whole
 * repository counts with a custom workflow, whose commands may read anything, and where a symlink is among the inputs or
 * on the way to one: what it leads to is an input too, and may lie anywhere.
 */
export function listProjectInputs(commit: CommitContent, project: Project): readonly InputEntry[] {
  const { entries, configuration } = commit;
  if (isCustomWorkflow(project.workflow)) return entries;
  const directories = [project.dir, ...listCalledDirectories(configuration, project.dir)];
  const paths = entries.map((entry) => entry.path);
  const named = new Set([
    ...listReferencedFiles(configuration, project.dir),
    ...listOptionFiles(project),
    ...findModified(project.dir, project.autoplan.whenModified, paths),
  ]);
  const inputs = entries.filter(
    ({ path }) => named.has(path) || directories.some((directory) => isWithin(path, directory)),
  );
  return hasSymlink(entries, inputs, [...directories, ...named]) ? entries : inputs;
}

function hasSymlink(entries: readonly InputEntry[], inputs: readonly InputEntry[], ways: readonly string[]): boolean {
  if (inputs.some((entry) => entry.kind === 'symlink')) return true;
  const links = new Set(entries.filter((entry) => entry.kind === 'symlink').map((entry) => entry.path));
  return links.size > 0 && ways.some((way) => withParents(way).some((path) => links.has(path)));
}

function withParents(path: string): readonly string[] {
  return path === '.' ? [] : [path, ...withParents(parentDirectory(path))];
}

function listOptionFiles(project: Project): readonly string[] {
  const { plan, apply } = project.workflow;
  return [...plan, ...apply].flatMap((step) => {
    if (!('extraArgs' in step)) return [];
    return step.extraArgs.flatMap((argument, index) => {
      const option = FILE_OPTION.exec(argument);
      if (!option) return [];
      return joinPath(project.dir, option.groups?.path ?? step.extraArgs[index + 1] ?? '');
    });
  });
}

/** Of the project's config entry: what decides what is run. Order, locks and requirements only decide when and by whom. */
function describeRun(project: Project): string {
  const { dir, workspace, name, workflow, terraformVersion, terraformDistribution, autoplan } = project;
  const told = {
    dir,
    workspace,
    name,
    workflow,
    terraformVersion,
    terraformDistribution,
    files: autoplan.whenModified,
  };
  return String(canonicalText(told));
}
