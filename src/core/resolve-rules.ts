import { compileRegex } from '../lib/linear-regex.ts';
import type { RepositoryDriftKeys } from './drift/settings.ts';
import type { RepoLocksMode } from './project.ts';
import type { RepositoryRule, RepositoryRules, TeamPermissions } from './repository-rules.ts';
import { DEFAULT_WORKFLOW, type Workflow } from './workflow.ts';

/** Where the repository's config is looked for, unless a rule says otherwise. */
export const CONFIG_FILES: readonly string[] = ['holdfast.yaml', 'atlantis.yaml'];

/** What the server says where no rule does. */
export interface ServerDefaults {
  readonly workflows: ReadonlyMap<string, Workflow>;
  readonly repoLocks: RepoLocksMode;
  readonly permissions: TeamPermissions;
  readonly drift: RepositoryDriftKeys;
}

/** Lays all entries that match `host/owner/name` over one another: per key, the last that sets it counts. */
export function resolveRules(
  rules: readonly RepositoryRule[],
  defaults: ServerDefaults,
  repository: string,
): RepositoryRules {
  const matching = rules.filter((rule) => matchesId(rule.id, repository));
  const last = <K extends keyof RepositoryRule>(key: K) => matching.findLast((rule) => rule[key] !== undefined)?.[key];
  const configFile = last('repoConfigFile');
  const workflow = last('workflow');
  return {
    branch: last('branch'),
    configFiles: configFile === undefined ? CONFIG_FILES : [configFile],
    planRequirements: last('planRequirements') ?? [],
    applyRequirements: last('applyRequirements') ?? [],
    workflow: defaults.workflows.get(workflow ?? 'default') ?? DEFAULT_WORKFLOW,
    workflows: defaults.workflows,
    allowedOverrides: last('allowedOverrides') ?? [],
    allowedWorkflows: last('allowedWorkflows') ?? [],
    allowCustomWorkflows: last('allowCustomWorkflows') ?? false,
    repoLocks: last('repoLocks') ?? defaults.repoLocks,
    autodiscover: last('autodiscover'),
    permissions: last('permissions') ?? defaults.permissions,
    drift: [defaults.drift, ...matching.flatMap((rule) => rule.drift ?? [])],
  };
}

/** Whether pull requests into this base branch are any of our business. */
export function servesBranch(rules: Pick<RepositoryRules, 'branch'>, baseBranch: string): boolean {
  return matchesBranch(rules.branch, baseBranch);
}

/** An expression that cannot be compiled was refused when the config was read, so here it matches nothing. */
export function matchesBranch(expression: string | undefined, branch: string): boolean {
  if (expression === undefined) return true;
  const regex = compileRegex(expression);
  return 'test' in regex && regex.test(branch);
}

/** Hosts take names in any case, so a rule is not lost to the way a name is written. */
function matchesId(id: string, repository: string): boolean {
  if (!id.startsWith('/')) return id.toLowerCase() === repository.toLowerCase();
  const regex = compileRegex(`(?i)${id.slice(1, -1)}`);
  return 'test' in regex && regex.test(repository);
}
