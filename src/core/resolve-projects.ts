import { findForbiddenKeys } from './allowed-keys.ts';
import { isTerragruntFile } from './configuration-file.ts';
import { findProjects, makeFinder, type Finder, type FinderInput, type FoundProject } from './project-finder.ts';
import { projectTitle, type Project } from './project.ts';
import type { ConfigProblem } from './reply.ts';
import { isWithin, parentDirectory } from './repository-path.ts';
import { listRootModules } from './root-module.ts';

/** A root module that the pull request deletes. Nothing is destroyed by that: what it made goes on running. */
export interface RemovedRoot {
  readonly dir: string;
  readonly workspaces: readonly string[];
}

export interface ResolvedProjects {
  /** Every project there is, touched or not; what `-d`, `-w` and `-p` choose from. */
  readonly all: readonly FoundProject[];
  /** Those a new commit plans by itself. */
  readonly autoplan: readonly FoundProject[];
  readonly removedRoots: readonly RemovedRoot[];
  /** Sentences on what is touched and recognised, and not planned. */
  readonly explanations: readonly string[];
  /** Not empty: nothing is planned. */
  readonly problems: readonly ConfigProblem[];
  /** Why nothing can be applied at all; undefined: nothing stands in the way here. */
  readonly applyBlock: string | undefined;
  readonly settings: {
    readonly automerge: boolean | undefined;
    readonly parallelPlan: boolean;
    readonly parallelApply: boolean;
    readonly abortOnExecutionOrderFail: boolean;
  };
  /** Whether the name belongs to the project's key: the base branch has several projects in its directory and workspace. */
  nameCounts(project: Pick<Project, 'dir' | 'workspace'>): boolean;
}

/**
 * Which projects there are and which of them this pull request is about. Keys that decide what runs and who may come
 * from the base branch and the server; the head only adds and describes projects.
 */
export function resolveProjects(input: FinderInput): ResolvedProjects {
  const finder = makeFinder(input);
  const problems = input.head.config === undefined ? [] : findForbiddenKeys(input.head.config, input.rules);
  const all = problems.length > 0 ? [] : findProjects(finder);
  const touched = all.filter((found) => found.reasons.length > 0);
  const shared = listSharedPlaces(finder);
  return {
    all,
    autoplan: touched.filter((found) => found.unplannable === undefined && found.project.autoplan.enabled),
    removedRoots: findRemovedRoots(finder),
    explanations: [...explain(touched), ...explainTerragrunt(finder, all)],
    problems,
    applyBlock: input.baseConfigUnreadable
      ? 'The config on the base branch cannot be read, so what an apply needs is not known. Mend it there first.'
      : undefined,
    settings: {
      automerge: input.base.config?.automerge,
      parallelPlan: input.head.config?.parallelPlan ?? true,
      parallelApply: input.head.config?.parallelApply ?? true,
      abortOnExecutionOrderFail:
        (input.base.config?.abortOnExecutionOrderFail ?? false) ||
        (input.head.config?.abortOnExecutionOrderFail ?? false),
    },
    nameCounts: (project) => shared.has(JSON.stringify([project.dir, project.workspace])),
  };
}

function explain(touched: readonly FoundProject[]): readonly string[] {
  return touched.flatMap(({ project, unplannable }) =>
    unplannable === undefined ? [] : [`${projectTitle(project)} is not planned: ${unplannable}.`],
  );
}

/** Folders that only Terragrunt can read are no root modules, so nobody would hear of them. */
function explainTerragrunt(finder: Finder, all: readonly FoundProject[]): readonly string[] {
  const { head, changed } = finder.input;
  const known = new Set(all.map((found) => found.project.dir));
  const dirs = changed.filter(isTerragruntFile).map(parentDirectory);
  return [...new Set(dirs)].sort().flatMap((dir) => {
    const directory = head.configuration.get(dir);
    if (known.has(dir) || directory === undefined || directory.files.length > 0) return [];
    return [
      `${dir} is not planned: it has a terragrunt.hcl and no Terraform files. Holdfast does not run Terragrunt by itself; name it in the config with a workflow of \`run\` steps.`,
    ];
  });
}

function findRemovedRoots(finder: Finder): readonly RemovedRoot[] {
  const { base, head, changed } = finder.input;
  return listRootModules(base.configuration)
    .map((root) => root.path)
    .filter((dir) => (head.configuration.get(dir)?.files.length ?? 0) === 0)
    .filter((dir) => changed.some((path) => isWithin(path, dir)))
    .map((dir) => {
      const named = finder.baseEntries.filter((entry) => entry.dir === dir).map((entry) => entry.workspace);
      return { dir, workspaces: named.length > 0 ? [...new Set(named)] : ['default'] };
    });
}

function listSharedPlaces(finder: Finder): ReadonlySet<string> {
  const places = Map.groupBy(finder.baseEntries, (entry) => JSON.stringify([entry.dir, entry.workspace]));
  return new Set([...places].filter(([, entries]) => entries.length > 1).map(([place]) => place));
}
