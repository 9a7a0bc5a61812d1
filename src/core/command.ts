import { quoteWord } from '../lib/shell-words.ts';
import type { Project } from './project.ts';

export type AutomergeMethod = 'merge' | 'squash' | 'rebase';

/** Which projects a command is for. Everything empty: those that autoplan would choose, or, for an apply, all that have a plan. */
export interface ProjectSelection {
  /** Directories from the repository's top or globs of them; any of them. */
  readonly dirs: readonly string[];
  readonly workspace: string | undefined;
  /** A project's name; excludes the other two. */
  readonly project: string | undefined;
}

export type ProjectCommand = PlanCommand | ApplyCommand | VersionCommand;

/** What a person asked for, checked as far as the text allows. */
export type Command = ProjectCommand | { readonly name: 'unlock' } | { readonly name: 'cancel' };

interface OnProjects {
  readonly selection: ProjectSelection;
  readonly verbose: boolean;
  /** For Terraform, as typed after `--`. */
  readonly extraArgs: readonly string[];
}

export interface PlanCommand extends OnProjects {
  readonly name: 'plan';
}

export interface ApplyCommand extends OnProjects {
  readonly name: 'apply';
  readonly automergeDisabled: boolean;
  readonly automergeMethod: AutomergeMethod | undefined;
}

export interface VersionCommand extends OnProjects {
  readonly name: 'version';
}

export const EMPTY_SELECTION: ProjectSelection = { dirs: [], workspace: undefined, project: undefined };

export function isEmptySelection(selection: ProjectSelection): boolean {
  return selection.dirs.length === 0 && selection.workspace === undefined && selection.project === undefined;
}

/** What to type for one command on one project; `parseComment` reads it back. */
export function formatCommand(
  trigger: string,
  name: 'plan' | 'apply' | 'version',
  project: Pick<Project, 'dir' | 'workspace' | 'name'>,
  options: { readonly extraArgs?: readonly string[]; readonly automergeMethod?: AutomergeMethod } = {},
): string {
  const words = [trigger, name, ...projectFlags(project)];
  if (name === 'apply' && options.automergeMethod) words.push('--auto-merge-method', options.automergeMethod);
  const extraArgs = options.extraArgs ?? [];
  if (name === 'plan' && extraArgs.length > 0) words.push('--', ...extraArgs.map(quoteWord));
  return words.join(' ');
}

function projectFlags(project: Pick<Project, 'dir' | 'workspace' | 'name'>): readonly string[] {
  if (project.name !== undefined) return ['-p', quoteWord(project.name)];
  const workspace = project.workspace === 'default' ? [] : ['-w', quoteWord(project.workspace)];
  if (project.dir === '.' && workspace.length > 0) return workspace;
  return ['-d', quoteWord(project.dir), ...workspace];
}
