import type { ProjectEntry, RepositoryConfig } from '../core/repository-config.ts';
import type { ConfigProblem } from '../core/reply.ts';
import { makeDriftCheck, toProjectDrift, toRepositoryDrift } from './drift-keys.ts';
import { cleanForeignKeys } from './foreign-keys.ts';
import { checkEntries } from './repo-config-checks.ts';
import { FOREIGN_KEYS, repositoryConfig, type RawRepositoryConfig } from './repo-config-schema.ts';
import { checkData, byLine, formatPath } from './schema-problems.ts';
import { toWorkflows } from './workflow-schema.ts';
import { readYaml, type Path, type YamlFile } from './yaml-file.ts';

export type ReadRepositoryConfig =
  | {
      readonly config: RepositoryConfig;
      /** What is written and not honoured. */
      readonly warnings: readonly ConfigProblem[];
    }
  | { readonly problems: readonly ConfigProblem[]; readonly warnings: readonly ConfigProblem[] };

/** Larger files are refused; ten thousand projects fit. */
export const MAX_REPO_CONFIG_BYTES = 1024 * 1024;

/** Reads a repository's config file. All problems are told at once, in the order of their lines. */
export function readRepositoryConfig(text: string, file: string): ReadRepositoryConfig {
  const yaml = readYaml(text, file, MAX_REPO_CONFIG_BYTES);
  if ('problems' in yaml) return { problems: capProblems(yaml.problems), warnings: [] };
  if (yaml.data === undefined) return { problems: [nothingWritten(file)], warnings: [] };
  const aliased = replaceRepoLocking(yaml);
  const cleaned = cleanForeignKeys({ ...yaml, data: aliased.data ?? {} }, FOREIGN_KEYS);
  const warnings = [...aliased.warnings, ...cleaned.warnings].sort(byLine);
  const checked = checkData(repositoryConfig, yaml, cleaned.data);
  const schemaProblems = 'problems' in checked ? checked.problems : [];
  const config = 'value' in checked ? toConfig(checked.value, yaml) : undefined;
  const driftProblems = 'value' in checked ? checkDrift(checked.value, yaml) : [];
  const entryProblems = config ? checkEntries(config) : [];
  const problems = [...cleaned.problems, ...schemaProblems, ...driftProblems, ...entryProblems].sort(byLine);
  return config && problems.length === 0
    ? { config, warnings }
    : { problems: capProblems(problems), warnings: capProblems(warnings) };
}

/** As with Atlantis, a file that sets nothing is an error: whoever wrote it meant something by it. */
function nothingWritten(file: string): ConfigProblem {
  const message =
    'version: is required: write `version: 3`. Nothing is set in the file; without it projects are discovered';
  return { file, line: 1, message, suggestion: undefined };
}

const MAX_PROBLEMS = 100;

/** A file may be wrong in a hundred thousand places; nobody reads that many. */
function capProblems(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  const [first] = problems;
  if (first === undefined || problems.length <= MAX_PROBLEMS) return problems;
  const message = `and ${problems.length - MAX_PROBLEMS} more problems`;
  return [...problems.slice(0, MAX_PROBLEMS), { file: first.file, line: undefined, message, suggestion: undefined }];
}

function toConfig(raw: RawRepositoryConfig, yaml: YamlFile): RepositoryConfig {
  return {
    file: yaml.file,
    automerge: raw.automerge,
    parallelPlan: raw.parallel_plan,
    parallelApply: raw.parallel_apply,
    abortOnExecutionOrderFail: raw.abort_on_execution_order_fail,
    autodiscover: raw.autodiscover,
    repoLocks: raw.repo_locks?.mode,
    drift: raw.drift && toRepositoryDrift(raw.drift),
    projects: raw.projects.map((project, index) => toEntry(project, yaml.lineOf(['projects', index]))),
    workflows: toWorkflows(raw.workflows),
  };
}

function toEntry(raw: RawRepositoryConfig['projects'][number], line: number | undefined): ProjectEntry {
  return {
    line,
    dir: raw.dir,
    globFileMatch: raw.glob_file_match,
    name: raw.name,
    branch: raw.branch,
    workspace: raw.workspace || 'default',
    workflow: raw.workflow,
    terraformVersion: raw.terraform_version,
    terraformDistribution: raw.terraform_distribution,
    autoplan: { enabled: raw.autoplan?.enabled ?? true, whenModified: raw.autoplan?.when_modified },
    planRequirements: raw.plan_requirements,
    applyRequirements: raw.apply_requirements,
    executionOrderGroup: raw.execution_order_group,
    dependsOn: raw.depends_on,
    repoLocks: raw.repo_locks?.mode,
    drift: raw.drift && toProjectDrift(raw.drift),
  };
}

function checkDrift(raw: RawRepositoryConfig, yaml: YamlFile): readonly ConfigProblem[] {
  const check = makeDriftCheck();
  const written = [
    { path: ['drift'], drift: raw.drift },
    ...raw.projects.map(({ drift }, index) => ({ path: ['projects', index, 'drift'], drift })),
  ];
  return written.flatMap(({ path, drift }) =>
    (drift ? check(drift) : []).map((problem): ConfigProblem => {
      const place: Path = [...path, ...problem.path];
      const message = `${formatPath(place)}: ${problem.message}`;
      return { file: yaml.file, line: yaml.lineOf(place), message, suggestion: undefined };
    }),
  );
}

/** Atlantis' older key for the same thing. */
function replaceRepoLocking(yaml: YamlFile): { readonly data: unknown; readonly warnings: readonly ConfigProblem[] } {
  const projects: unknown = isMapping(yaml.data) ? yaml.data.projects : undefined;
  if (!isMapping(yaml.data) || !Array.isArray(projects)) return { data: yaml.data, warnings: [] };
  const warnings: ConfigProblem[] = [];
  const replaced = projects.map((project: unknown, index) => {
    if (!isMapping(project) || typeof project.repo_locking !== 'boolean') return project;
    const mode = project.repo_locking ? 'on_plan' : 'disabled';
    const message = `projects[${index}].repo_locking: read as \`repo_locks: {mode: ${mode}}\`, which replaced it`;
    const line = yaml.lineOfKey(['projects', index], 'repo_locking');
    warnings.push({ file: yaml.file, line, message, suggestion: 'repo_locks' });
    const { repo_locking: _replaced, ...others } = project;
    return { repo_locks: { mode }, ...others };
  });
  return { data: { ...yaml.data, projects: replaced }, warnings };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
