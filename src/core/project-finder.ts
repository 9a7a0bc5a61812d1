import { compileGlob } from '../lib/glob.ts';
import type { TerraformDistribution } from './configuration-file.ts';
import type { ProjectDriftKeys } from './drift/settings.ts';
import { findTouchedRoots, type TouchedRoots } from './module-changes.ts';
import { placeEntries } from './place-entries.ts';
import type { Project } from './project.ts';
import { DEFAULT_WHEN_MODIFIED, type ProjectEntry, type RepositoryConfig } from './repository-config.ts';
import { parentDirectory } from './repository-path.ts';
import type { Autodiscover, RepositoryRules } from './repository-rules.ts';
import { matchesBranch } from './resolve-rules.ts';
import { listRootModules, type Configuration, type TerraformDirectory } from './root-module.ts';
import { trustedKeys, type PlacedEntry } from './trusted-keys.ts';
import { findModified } from './when-modified.ts';
import { isCustomWorkflow } from './workflow.ts';

/** One commit as far as finding projects needs it. */
export interface CommitView {
  /** undefined: the commit has no config file. */
  readonly config: RepositoryConfig | undefined;
  readonly configuration: Configuration;
  /** All files. */
  readonly paths: readonly string[];
}

export interface FinderInput {
  readonly rules: RepositoryRules;
  /** For projects that do not say. */
  readonly distribution: TerraformDistribution;
  readonly baseBranch: string;
  readonly base: CommitView;
  /** The base branch has a config file that is broken, so what it demands is not known. */
  readonly baseConfigUnreadable: boolean;
  /** What is planned: the merge of base and head. */
  readonly head: CommitView;
  /** Paths the pull request adds, changes, removes or renames; of a renamed file both. */
  readonly changed: readonly string[];
}

/** A project and why this pull request is about it. */
export interface FoundProject {
  readonly project: Project;
  readonly origin: 'config' | 'discovered' | 'command';
  /** Sentences; empty: the pull request does not touch it. */
  readonly reasons: readonly string[];
  /** Recognised, but not something Holdfast can plan: why, and what to do. */
  readonly unplannable: string | undefined;
  /** What its entry in the config says of drift checks. */
  readonly drift: ProjectDriftKeys | undefined;
}

/** What both the config and discovery are asked again and again, worked out once. */
export interface Finder {
  readonly input: FinderInput;
  readonly baseEntries: readonly PlacedEntry[];
  readonly touched: TouchedRoots;
}

export function makeFinder(input: FinderInput): Finder {
  return {
    input,
    baseEntries: placeEntries(input.base.config, input.base.paths),
    touched: findTouchedRoots(input.head.configuration, input.changed),
  };
}

/** Every project of the head, in the order of their groups. Directories that do not exist have none. */
export function findProjects(finder: Finder): readonly FoundProject[] {
  const { head, baseBranch } = finder.input;
  const directories = listDirectories(head.paths);
  const entries = placeEntries(head.config, head.paths);
  const configured = entries
    .filter((entry) => directories.has(entry.dir) && matchesBranch(entry.branch, baseBranch))
    .map((entry) => toProject(finder, entry, 'config'));
  const named = new Set(entries.map((entry) => entry.dir));
  const discovered = discover(finder).filter((root) => !named.has(root.path));
  const all = [...configured, ...discovered.map((root) => toProject(finder, blankEntry(root), 'discovered'))];
  return all.sort((a, b) => a.project.executionOrderGroup - b.project.executionOrderGroup);
}

/** A directory and workspace that a person named and neither config nor discovery did. */
export function makeNamedProject(finder: Finder, dir: string, workspace: string): FoundProject | undefined {
  const directory = finder.input.head.configuration.get(dir);
  return directory === undefined ? undefined : toProject(finder, { ...blankEntry(directory), workspace }, 'command');
}

function discover(finder: Finder): readonly TerraformDirectory[] {
  const { rules, head } = finder.input;
  const { mode, ignorePaths }: Autodiscover = rules.autodiscover ??
    head.config?.autodiscover ?? { mode: 'auto', ignorePaths: [] };
  if (mode === 'disabled' || (mode === 'auto' && (head.config?.projects.length ?? 0) > 0)) return [];
  const ignored = ignorePaths.map((pattern) => compileGlob(pattern));
  return listRootModules(head.configuration).filter(
    (root) => !ignored.some((glob) => 'matches' in glob && glob.matches(root.path)),
  );
}

/** A discovered root module as an entry that says nothing. Terraform's `cloud` block names the workspace itself. */
function blankEntry(root: TerraformDirectory): PlacedEntry {
  return {
    line: undefined,
    dir: root.path,
    globFileMatch: undefined,
    name: undefined,
    branch: undefined,
    workspace: (root.backend.kind === 'cloud' ? root.backend.workspace : undefined) ?? 'default',
    workflow: undefined,
    terraformVersion: undefined,
    terraformDistribution: undefined,
    autoplan: { enabled: true, whenModified: undefined },
    planRequirements: undefined,
    applyRequirements: undefined,
    executionOrderGroup: 0,
    dependsOn: [],
    repoLocks: undefined,
    drift: undefined,
  };
}

function toProject(finder: Finder, entry: PlacedEntry, origin: FoundProject['origin']): FoundProject {
  const { rules, base, distribution } = finder.input;
  const own = origin === 'config' ? entry : undefined;
  const found = trustedKeys(entry, own, { config: base.config, entries: finder.baseEntries }, rules);
  const trusted =
    'problem' in found
      ? {
          workflow: rules.workflow,
          planRequirements: rules.planRequirements,
          applyRequirements: rules.applyRequirements,
          repoLocks: rules.repoLocks,
        }
      : found;
  const project: Project = {
    dir: entry.dir,
    workspace: entry.workspace,
    name: entry.name,
    ...trusted,
    terraformVersion: entry.terraformVersion,
    terraformDistribution: entry.terraformDistribution ?? distribution,
    autoplan: { enabled: entry.autoplan.enabled, whenModified: entry.autoplan.whenModified ?? DEFAULT_WHEN_MODIFIED },
    executionOrderGroup: entry.executionOrderGroup,
    dependsOn: entry.dependsOn,
  };
  const unplannable =
    'problem' in found ? found.problem : explainDirectory(finder.input.head.configuration.get(entry.dir), project);
  return { project, origin, reasons: listReasons(finder, entry, origin), unplannable, drift: entry.drift };
}

/** A written `when_modified` is obeyed to the letter; without one, local modules and files that are read count as well. */
function listReasons(finder: Finder, entry: PlacedEntry, origin: FoundProject['origin']): readonly string[] {
  const followed = finder.touched.get(entry.dir) ?? [];
  if (origin !== 'config') return followed;
  const { whenModified } = entry.autoplan;
  const matched = findModified(entry.dir, whenModified ?? DEFAULT_WHEN_MODIFIED, finder.input.changed);
  const reasons = [...matched.map((file) => `${file} changed`), ...(whenModified === undefined ? followed : [])];
  const before = finder.baseEntries.find((base) => isSamePlace(base, entry));
  const changed = before !== undefined && describeEntry(before) !== describeEntry(entry);
  return [...new Set(changed ? [...reasons, 'its entry in the config changed'] : reasons)];
}

function isSamePlace(a: ProjectEntry, b: ProjectEntry): boolean {
  return a.dir === b.dir && a.workspace === b.workspace && a.name === b.name;
}

/** What drift checks it wants is no reason to plan it. */
function describeEntry(entry: ProjectEntry): string {
  return JSON.stringify({ ...entry, line: undefined, drift: undefined });
}

/** Custom workflows may well know how to deal with what the built-in steps cannot. */
function explainDirectory(directory: TerraformDirectory | undefined, project: Project): string | undefined {
  if (directory === undefined || isCustomWorkflow(project.workflow)) return undefined;
  if (directory.files.length === 0 && directory.terragrunt) {
    return 'it has a terragrunt.hcl and no Terraform files. Holdfast does not run Terragrunt by itself; a workflow with `run` steps can';
  }
  if (directory.backend.kind === 'cloud' || directory.backend.kind === 'remote') {
    const what = directory.backend.kind === 'cloud' ? 'a `cloud` block' : 'the `remote` backend';
    return `it uses ${what}: its runs and state belong to HCP Terraform or Terraform Enterprise, which plan and apply there`;
  }
  if (directory.onlyOpenTofu && project.terraformDistribution === 'terraform') {
    return 'it has `.tofu` files only, which Terraform does not read; set `terraform_distribution: opentofu`';
  }
  return undefined;
}

function listDirectories(paths: readonly string[]): ReadonlySet<string> {
  const directories = new Set(['.']);
  for (const path of paths) {
    for (let dir = parentDirectory(path); !directories.has(dir); dir = parentDirectory(dir)) directories.add(dir);
  }
  return directories;
}
