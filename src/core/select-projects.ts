import { compileGlob, containsGlob } from '../lib/glob.ts';
import { suggest } from '../lib/suggestion.ts';
import { isEmptySelection, type ProjectSelection } from './command.ts';
import { makeFinder, makeNamedProject, type FinderInput, type FoundProject } from './project-finder.ts';
import { projectTitle, type Project } from './project.ts';
import type { ResolvedProjects } from './resolve-projects.ts';

export type SelectedForPlan =
  /** `leftOut`: sentences on what was named beside them and cannot be planned. */
  | { readonly projects: readonly FoundProject[]; readonly leftOut: readonly string[] }
  /** Nothing is meant by it, with what could have been. */
  | { readonly problem: string };

type Place = Pick<Project, 'dir' | 'workspace' | 'name'>;

/**
 * Chooses among projects that are there, those with a plan for instance. As Atlantis has it, a workspace alone means the
 * top directory; a directory alone means its default workspace, or all it has when it has no default one.
 */
export function selectAmong<T extends Place>(projects: readonly T[], selection: ProjectSelection): readonly T[] {
  if (isEmptySelection(selection)) return projects;
  if (selection.project !== undefined) return projects.filter((project) => project.name === selection.project);
  const isDir = directoryTest(selection.dirs.length > 0 ? selection.dirs : ['.']);
  const there = projects.filter((project) => isDir(project.dir));
  if (selection.workspace !== undefined) return there.filter((project) => project.workspace === selection.workspace);
  const withDefault = new Set(there.filter((project) => project.workspace === 'default').map((project) => project.dir));
  return there.filter((project) => project.workspace === 'default' || !withDefault.has(project.dir));
}

/** What a `plan` command means: without flags all that the pull request touches, also those not planned by themselves. */
export function selectForPlan(
  input: FinderInput,
  resolved: ResolvedProjects,
  selection: ProjectSelection,
): SelectedForPlan {
  if (isEmptySelection(selection)) {
    const touched = resolved.all.filter((found) => found.reasons.length > 0 && found.unplannable === undefined);
    return { projects: touched, leftOut: [] };
  }
  const places = selection.project === undefined ? inEachDirectory(input, resolved, selection) : [];
  const byName = selection.project === undefined ? [] : among(resolved.all, selection);
  const named = [...new Set([...byName, ...places.flatMap(({ found }) => found)])];
  if (named.length === 0 && selection.project !== undefined) {
    const all = resolved.all.map(({ project }) => project);
    return { problem: explainName(all, selection.project) };
  }
  const projects = named.filter((found) => found.unplannable === undefined);
  const leftOut = [
    ...places.flatMap(({ dir, found }) =>
      found.length > 0 ? [] : [`There are no Terraform files in ${JSON.stringify(dir)}.`],
    ),
    ...named.flatMap(({ project, unplannable }) =>
      unplannable === undefined ? [] : [`${projectTitle(project)} cannot be planned: ${unplannable}.`],
    ),
  ];
  return projects.length > 0 ? { projects, leftOut } : { problem: leftOut.join(' ') };
}

function among(all: readonly FoundProject[], selection: ProjectSelection): readonly FoundProject[] {
  const byPlace = new Map(all.map((found) => [found.project, found]));
  return selectAmong([...byPlace.keys()], selection).flatMap((project) => byPlace.get(project) ?? []);
}

/** A directory with Terraform files can be planned by name, whatever config and discovery say of it. */
function inEachDirectory(input: FinderInput, resolved: ResolvedProjects, selection: ProjectSelection) {
  const finder = makeFinder(input);
  const dirs = selection.dirs.length > 0 ? [...new Set(selection.dirs)] : ['.'];
  return dirs.map((dir) => {
    const found = among(resolved.all, { ...selection, dirs: [dir] });
    const named = containsGlob(dir) ? undefined : makeNamedProject(finder, dir, selection.workspace ?? 'default');
    return { dir, found: found.length > 0 || named === undefined ? found : [named] };
  });
}

/** There is no project of this name; with what could have been meant. */
export function explainName(all: readonly Pick<Project, 'name'>[], wanted: string): string {
  const names = all.flatMap((project) => project.name ?? []);
  const meant = suggest(wanted, names);
  const hint = meant === undefined ? '' : ` Did you mean ${JSON.stringify(meant)}?`;
  const known = names.length === 0 ? ' The config names no projects.' : ` There are: ${names.slice(0, 30).join(', ')}.`;
  return `There is no project with name ${JSON.stringify(wanted)}.${hint}${known}`;
}

/** What of the directories that were typed means none of these projects. */
export function findUnmatchedDirs(projects: readonly Place[], selection: ProjectSelection): readonly string[] {
  return selection.dirs.filter((dir) => selectAmong(projects, { ...selection, dirs: [dir] }).length === 0);
}

/** A directory may have a star in its name, so what is written counts before what it matches. */
function directoryTest(patterns: readonly string[]): (dir: string) => boolean {
  const globs = patterns.filter(containsGlob).map((pattern) => compileGlob(pattern));
  return (dir) => patterns.includes(dir) || globs.some((glob) => 'matches' in glob && glob.matches(dir));
}
