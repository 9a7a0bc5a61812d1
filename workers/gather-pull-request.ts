import { MAX_REPO_CONFIG_BYTES, readRepositoryConfig } from '../src/config/repo-config.ts';
import type { FinderInput } from '../src/core/project-finder.ts';
import type { RepositoryConfig } from '../src/core/repository-config.ts';
import type { RepositoryRules } from '../src/core/repository-rules.ts';
import type { CommitSha, Repository, RepositoryRef } from '../src/core/repository.ts';
import type { PullRequestRecord } from '../src/core/record.ts';
import type { ConfigProblem } from '../src/core/reply.ts';
import { resolveProjects, type ResolvedProjects } from '../src/core/resolve-projects.ts';
import { resolveRules } from '../src/core/resolve-rules.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import type { CommitFacts, CommitReader } from './commit-facts.ts';
import type { RunContext } from './run-context.ts';
import type { WorkerContext } from './context.ts';
import { type PreparedMerge, prepareMerge } from './prepare-merge.ts';

/** What is decided upon: the pull request as the host and git have it now, and its projects. */
export interface GatheredPullRequest {
  readonly pull: PullRequestRecord;
  readonly rules: RepositoryRules;
  readonly merge: PreparedMerge;
  readonly projects: ResolvedProjects;
  /** What `projects` was made of; undefined when head and base conflict. */
  readonly finder: FinderInput | undefined;
  readonly configProblems: readonly ConfigProblem[];
  readonly explanations: readonly string[];
  /** Nothing of ours changes, whether head and base conflict or not. */
  readonly touchesNothing: boolean;
}

const NO_PROJECTS: ResolvedProjects = {
  all: [],
  autoplan: [],
  removedRoots: [],
  explanations: [],
  problems: [],
  applyBlock: undefined,
  settings: { automerge: undefined, parallelPlan: true, parallelApply: true, abortOnExecutionOrderFail: false },
  nameCounts: () => false,
};

export function rulesOf({ config }: Pick<WorkerContext, 'config'>, repository: Repository): RepositoryRules {
  const { repos, workflows, repoLocks, permissions } = config;
  return resolveRules(repos, { workflows, repoLocks, permissions }, repositoryName(repository));
}

/** `host/owner/name`, as rules, allowlist and selectors match it. */
export function repositoryName(repository: Pick<Repository, 'host' | 'owner' | 'name'>): string {
  return `${repository.host}/${repository.owner}/${repository.name}`;
}

/** Asks the host and reads the merge. The record's version is the one the facts belong to. */
export async function gatherPullRequest(
  context: RunContext,
  host: VcsHost,
  pull: PullRequestRecord,
): Promise<GatheredPullRequest> {
  const rules = rulesOf(context, pull.repository);
  const merge = await prepareMerge(context, host, pull);
  const found = await resolveAt(context, pull, rules, merge, merge.mergeSha ?? merge.headSha);
  const { projects, explanations } = found;
  const common = { pull, rules, merge, touchesNothing: touchesNothing(projects) };
  if (merge.mergeSha === undefined) {
    return { ...common, projects: NO_PROJECTS, finder: undefined, configProblems: [], explanations: [] };
  }
  return { ...common, projects, finder: found.finder, configProblems: projects.problems, explanations };
}

function touchesNothing({ all, removedRoots, explanations, problems }: ResolvedProjects): boolean {
  const touched = all.some((project) => project.reasons.length > 0);
  return !touched && removedRoots.length + explanations.length + problems.length === 0;
}

/** `headSha`: the merge, or the head alone where there is none. */
async function resolveAt(
  context: RunContext,
  pull: PullRequestRecord,
  rules: RepositoryRules,
  merge: PreparedMerge,
  headSha: CommitSha,
) {
  const [base, head, changed] = await Promise.all([
    context.commits.read(pull.repository, merge.baseSha),
    context.commits.read(pull.repository, headSha),
    context.mirror.listChangedFiles(pull.repository, merge.baseSha, merge.headSha),
  ]);
  const [baseConfig, headConfig] = await Promise.all([
    readConfig(context, pull.repository, base, rules),
    readConfig(context, pull.repository, head, rules),
  ]);
  const finder: FinderInput = {
    rules,
    distribution: context.config.terraform.distribution,
    baseBranch: pull.baseRef,
    base: { config: baseConfig.config, configuration: base.configuration, paths: base.paths },
    baseConfigUnreadable: baseConfig.problems.length > 0,
    head: { config: headConfig.config, configuration: head.configuration, paths: head.paths },
    changed: [...new Set(changed.flatMap(({ path, previousPath }) => (previousPath ? [path, previousPath] : [path])))],
  };
  const unreadable = headConfig.problems.length > 0;
  const projects = unreadable ? { ...NO_PROJECTS, problems: headConfig.problems } : resolveProjects(finder);
  const explanations = [
    ...projects.explanations,
    ...headConfig.warnings.map(
      ({ file, line, message }) => `${file}${line === undefined ? '' : `:${line}`}: ${message}`,
    ),
  ];
  return { finder, projects, explanations };
}

interface ReadConfig {
  readonly config: RepositoryConfig | undefined;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

async function readConfig(
  { commits }: RunContext,
  repository: RepositoryRef,
  commit: CommitFacts,
  rules: RepositoryRules,
): Promise<ReadConfig> {
  const file = rules.configFiles.find((path) => commit.paths.includes(path));
  if (file === undefined) return { config: undefined, problems: [], warnings: [] };
  const text = await readText(commits, repository, commit.sha, file);
  if (text === undefined) {
    const message = `it is no regular file, or larger than ${MAX_REPO_CONFIG_BYTES} bytes`;
    return { config: undefined, problems: [{ file, line: undefined, message, suggestion: undefined }], warnings: [] };
  }
  const read = readRepositoryConfig(text, file);
  if ('problems' in read) return { config: undefined, problems: read.problems, warnings: read.warnings };
  return { config: read.config, problems: [], warnings: read.warnings };
}

async function readText(commits: CommitReader, repository: RepositoryRef, sha: CommitSha, file: string) {
  const texts = await commits.readFiles(repository, sha, [file], MAX_REPO_CONFIG_BYTES);
  return texts.get(file);
}
