import type { Project, Requirement } from './project.ts';
import type { ProjectEntry, RepositoryConfig } from './repository-config.ts';
import type { RepositoryRules } from './repository-rules.ts';
import type { Workflow } from './workflow.ts';

/** The keys that decide what runs and who may. They are read from the base branch, never from the pull request. */
export type TrustedKeys = Pick<Project, 'workflow' | 'planRequirements' | 'applyRequirements' | 'repoLocks'>;

/** An entry after its glob was expanded: `dir` is a directory. */
export type PlacedEntry = ProjectEntry;

/**
 * Takes the trusted keys of one place from the base branch. An entry there counts for its directory and workspace even
 * when the pull request renames or removes it, so that no requirement is shaken off by editing the config;
 * what the pull request's own entry demands is added, because more requirements hurt nobody.
 */
export function trustedKeys(
  place: Pick<ProjectEntry, 'dir' | 'workspace' | 'name'>,
  own: ProjectEntry | undefined,
  base: { readonly config: RepositoryConfig | undefined; readonly entries: readonly PlacedEntry[] },
  rules: RepositoryRules,
): TrustedKeys | { readonly problem: string } {
  const here = base.entries.filter((entry) => entry.dir === place.dir && entry.workspace === place.workspace);
  const same = here.filter((entry) => entry.name === place.name);
  const trusted = same.length > 0 ? same : here;
  const may = (key: 'plan_requirements' | 'apply_requirements' | 'repo_locks') => rules.allowedOverrides.includes(key);
  const workflow = chooseWorkflow(trusted, own, base.config, rules);
  if ('problem' in workflow) return workflow;
  const locks = trusted.find((entry) => entry.repoLocks !== undefined)?.repoLocks ?? base.config?.repoLocks;
  return {
    workflow,
    planRequirements: mergeRequirements(
      may('plan_requirements') ? trusted.map((entry) => entry.planRequirements) : [],
      rules.planRequirements,
      may('plan_requirements') ? own?.planRequirements : undefined,
    ),
    applyRequirements: mergeRequirements(
      may('apply_requirements') ? trusted.map((entry) => entry.applyRequirements) : [],
      rules.applyRequirements,
      may('apply_requirements') ? own?.applyRequirements : undefined,
    ),
    repoLocks: (may('repo_locks') ? locks : undefined) ?? rules.repoLocks,
  };
}

/** The base branch's own override the server's; the pull request's come on top of either. */
function mergeRequirements(
  base: readonly (readonly Requirement[] | undefined)[],
  server: readonly Requirement[],
  own: readonly Requirement[] | undefined,
): readonly Requirement[] {
  const written = base.filter((list) => list !== undefined);
  const trusted = written.length > 0 ? written.flat() : server;
  return [...new Set([...trusted, ...(own ?? [])])];
}

/** An existing entry keeps the workflow it has on the base branch; a new one may choose among those that exist there already. */
function chooseWorkflow(
  trusted: readonly PlacedEntry[],
  own: ProjectEntry | undefined,
  baseConfig: RepositoryConfig | undefined,
  rules: RepositoryRules,
): Workflow | { readonly problem: string } {
  const written = (trusted.length > 0 ? trusted[0] : own)?.workflow;
  const custom = rules.allowCustomWorkflows ? baseConfig?.workflows : undefined;
  const name = written !== undefined && mayChooseWorkflow(written, rules, custom) ? written : undefined;
  if (name === undefined) return custom?.get('default') ?? rules.workflow;
  const workflow = custom?.get(name) ?? rules.workflows.get(name);
  if (workflow !== undefined) return workflow;
  return {
    problem: `its workflow "${name}" is not on the base branch yet; workflows of a pull request count when they are merged`,
  };
}

/** `allowed_workflows` speaks of the server's workflows; those the repository may write itself are its own affair. */
export function mayChooseWorkflow(
  name: string,
  rules: RepositoryRules,
  custom: ReadonlyMap<string, Workflow> | undefined,
): boolean {
  if (!rules.allowedOverrides.includes('workflow')) return false;
  return rules.allowedWorkflows.length === 0 || rules.allowedWorkflows.includes(name) || (custom?.has(name) ?? false);
}
