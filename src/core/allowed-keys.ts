import type { AllowedOverride, RepositoryRules } from './repository-rules.ts';
import type { ProjectEntry, RepositoryConfig } from './repository-config.ts';
import type { ConfigProblem } from './reply.ts';
import { mayChooseWorkflow } from './trusted-keys.ts';

/**
 * What the repository's config says and the server does not let it say. It is refused instead of passed over: whoever
 * wrote `apply_requirements: [approved]` must not believe it to be in force.
 */
export function findForbiddenKeys(config: RepositoryConfig, rules: RepositoryRules): readonly ConfigProblem[] {
  const problem = (line: number | undefined, message: string): ConfigProblem => ({
    file: config.file,
    line,
    message,
    suggestion: undefined,
  });
  const whole =
    config.repoLocks !== undefined && !rules.allowedOverrides.includes('repo_locks')
      ? [problem(undefined, needs('repo_locks'))]
      : [];
  const custom =
    config.workflows.size > 0 && !rules.allowCustomWorkflows
      ? [
          problem(
            undefined,
            "repo config not allowed to define custom workflows: the server's config needs `allow_custom_workflows: true`",
          ),
        ]
      : [];
  const entries = config.projects.flatMap((entry) => [
    ...writtenOverrides(entry)
      .filter((key) => !rules.allowedOverrides.includes(key))
      .map((key) => problem(entry.line, needs(key))),
    ...checkWorkflow(entry, config, rules).map((message) => problem(entry.line, message)),
  ]);
  return [...whole, ...custom, ...entries];
}

function needs(key: AllowedOverride): string {
  return `repo config not allowed to set '${key}' key: the server's config needs \`allowed_overrides: [${key}]\``;
}

function writtenOverrides(entry: ProjectEntry): readonly AllowedOverride[] {
  const written: readonly (readonly [AllowedOverride, unknown])[] = [
    ['plan_requirements', entry.planRequirements],
    ['apply_requirements', entry.applyRequirements],
    ['workflow', entry.workflow],
    ['repo_locks', entry.repoLocks],
  ];
  return written.flatMap(([key, value]) => (value === undefined ? [] : [key]));
}

function checkWorkflow(entry: ProjectEntry, config: RepositoryConfig, rules: RepositoryRules): readonly string[] {
  const name = entry.workflow;
  if (name === undefined) return [];
  if (name !== 'default' && !config.workflows.has(name) && !rules.workflows.has(name)) {
    return [`workflow "${name}" is not defined anywhere`];
  }
  if (!rules.allowedOverrides.includes('workflow') || mayChooseWorkflow(name, rules, config.workflows)) return [];
  return [
    `workflow "${name}" is not allowed for this repository: the server's config needs it in \`allowed_workflows\``,
  ];
}
