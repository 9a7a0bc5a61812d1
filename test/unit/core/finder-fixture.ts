import { readRepositoryConfig } from '../../../src/config/repo-config.ts';
import type { JsonObject } from '../../../src/core/configuration-file.ts';
import type { CommitView, FinderInput } from '../../../src/core/project-finder.ts';
import type { RepositoryRule, RepositoryRules } from '../../../src/core/repository-rules.ts';
import { resolveRules } from '../../../src/core/resolve-rules.ts';
import { readConfiguration, type Configuration } from '../../../src/core/root-module.ts';
import { buildDriftKeys } from '../../support/builders.ts';
import { DEFAULT_WORKFLOW, type Workflow } from '../../../src/core/workflow.ts';

/** Files by path; a body for those that are configuration. */
export type Files = Readonly<Record<string, JsonObject>>;

export const uses = (...sources: readonly string[]): JsonObject => ({
  module: Object.fromEntries(sources.map((source, index) => [`m${index}`, [{ source }]])),
});

export const backend = (type: string): JsonObject => ({ terraform: [{ backend: { [type]: [{}] } }] });
export const cloud = (name: string): JsonObject => ({ terraform: [{ cloud: [{ workspaces: [{ name }] }] }] });
export const reads = (path: string): JsonObject => ({ locals: [{ a: `\${file("${path}")}` }] });

export function configurationOf(files: Files): Configuration {
  const parsed = Object.entries(files).map(([path, body]) => ({ path, body }));
  return readConfiguration(Object.keys(files), parsed, 'terraform');
}

export function commit(files: Files, yaml?: string): CommitView {
  const read = yaml === undefined ? undefined : readRepositoryConfig(`version: 3\n${yaml}`, 'holdfast.yaml');
  if (read && 'problems' in read) throw new Error(JSON.stringify(read.problems));
  return { config: read?.config, configuration: configurationOf(files), paths: Object.keys(files) };
}

export const CUSTOM: Workflow = {
  name: 'custom',
  plan: [{ kind: 'run', command: 'x', shell: 'sh', shellArgs: ['-c'], output: 'show', filterRegexes: [] }],
  apply: [],
};

const NOTHING: RepositoryRule = {
  id: '/.*/',
  branch: undefined,
  repoConfigFile: undefined,
  planRequirements: undefined,
  applyRequirements: undefined,
  workflow: undefined,
  allowedOverrides: undefined,
  allowedWorkflows: undefined,
  allowCustomWorkflows: undefined,
  repoLocks: undefined,
  autodiscover: undefined,
  permissions: undefined,
  drift: undefined,
};

export function rule(keys: Partial<RepositoryRule>): RepositoryRule {
  return { ...NOTHING, ...keys };
}

export function rules(...keys: readonly Partial<RepositoryRule>[]): RepositoryRules {
  const workflows = new Map([
    ['default', DEFAULT_WORKFLOW],
    ['custom', CUSTOM],
  ]);
  const defaults = { workflows, repoLocks: 'on_plan', permissions: {}, drift: buildDriftKeys() } as const;
  return resolveRules(keys.map(rule), defaults, 'github.com/acme/infra');
}

/** Every override allowed, as an operator who trusts the base branch would. */
export const OPEN: Partial<RepositoryRule> = {
  allowedOverrides: ['plan_requirements', 'apply_requirements', 'workflow', 'repo_locks'],
  allowCustomWorkflows: true,
};

export function input(parts: Partial<FinderInput> & { readonly head: CommitView }): FinderInput {
  return {
    rules: rules(OPEN),
    distribution: 'terraform',
    baseBranch: 'main',
    base: parts.head,
    baseConfigUnreadable: false,
    changed: [],
    ...parts,
  };
}
