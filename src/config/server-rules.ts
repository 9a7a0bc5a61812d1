import type { RepositoryRule } from '../core/repository-rules.ts';
import { suggest } from '../lib/suggestion.ts';
import { makeDriftCheck, toRepositoryDrift } from './drift-keys.ts';
import type { DriftConfig } from './server-config.ts';
import type { RawServerConfig } from './server-schema.ts';
import type { Resolver } from './to-server-config.ts';

export function toRules(raw: RawServerConfig, resolver: Resolver): readonly RepositoryRule[] {
  const names = ['default', ...Object.keys(raw.workflows ?? {})];
  return raw.repos.map((rule, index) => {
    const chosen = rule.workflow === undefined ? [] : [['workflow', rule.workflow] as const];
    const allowed = (rule.allowed_workflows ?? []).map((name) => ['allowed_workflows', name] as const);
    for (const [key, name] of [...chosen, ...allowed]) {
      if (names.includes(name)) continue;
      const meant = suggest(name, names);
      const hint = meant === undefined ? '' : `; did you mean "${meant}"?`;
      resolver.problem(['repos', index, key], `workflow "${name}" is not defined${hint}`);
    }
    return toRule(rule);
  });
}

function toRule(rule: RawServerConfig['repos'][number]): RepositoryRule {
  return {
    id: rule.id,
    branch: rule.branch,
    repoConfigFile: rule.repo_config_file,
    planRequirements: rule.plan_requirements,
    applyRequirements: rule.apply_requirements,
    workflow: rule.workflow,
    allowedOverrides: rule.allowed_overrides,
    allowedWorkflows: rule.allowed_workflows,
    allowCustomWorkflows: rule.allow_custom_workflows,
    repoLocks: rule.repo_locks?.mode,
    autodiscover: rule.autodiscover,
    permissions: rule.permissions,
    drift: rule.drift && toRepositoryDrift(rule.drift),
  };
}

/** The server's own `drift:`; problems of its rules' are told here as well. */
export function toDrift(raw: RawServerConfig, resolver: Resolver): DriftConfig {
  const check = makeDriftCheck();
  const written = [
    { path: ['drift'], drift: raw.drift },
    ...raw.repos.map(({ drift }, index) => ({ path: ['repos', index, 'drift'], drift })),
  ];
  for (const { path, drift } of written) {
    for (const problem of drift ? check(drift) : []) resolver.problem([...path, ...problem.path], problem.message);
  }
  return {
    defaults: toRepositoryDrift(raw.drift),
    limits: {
      maxConcurrent: raw.drift.max_concurrent,
      perRepository: raw.drift.max_concurrent_per_repository,
      perCredential: raw.drift.max_concurrent_per_credential,
    },
  };
}
