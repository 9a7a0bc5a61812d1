import { MAX_REPO_CONFIG_BYTES, readRepositoryConfig } from '../src/config/repo-config.ts';
import type { FinderInput } from '../src/core/project-finder.ts';
import type { RepositoryConfig } from '../src/core/repository-config.ts';
import type { RepositoryRules } from '../src/core/repository-rules.ts';
import type { CommitSha, RepositoryRef } from '../src/core/repository.ts';
import type { ConfigProblem } from '../src/core/reply.ts';
import { resolveProjects, type ResolvedProjects } from '../src/core/resolve-projects.ts';
import type { CommitFacts, CommitReader } from './commit-facts.ts';
import type { RunContext } from './run-context.ts';

export const NO_PROJECTS: ResolvedProjects = {
  all: [],
  autoplan: [],
  removedRoots: [],
  explanations: [],
  problems: [],
  applyBlock: undefined,
  settings: { automerge: undefined, parallelPlan: true, parallelApply: true, abortOnExecutionOrderFail: false },
  nameCounts: () => false,
};

export interface CommitsToResolve {
  readonly repository: RepositoryRef;
  readonly rules: RepositoryRules;
  readonly baseBranch: string;
  /** The same commit twice where there is no pull request. */
  readonly base: CommitSha;
  readonly head: CommitSha;
  /** Paths, of renamed files both. */
  readonly changed: readonly string[];
}

export interface ResolvedCommits {
  readonly finder: FinderInput;
  readonly projects: ResolvedProjects;
  readonly explanations: readonly string[];
  /** Of the head; undefined when it has none, or none that can be read. */
  readonly config: RepositoryConfig | undefined;
}

/** Reads two commits and their config, and finds the projects. */
export async function resolveCommits(context: RunContext, commits: CommitsToResolve): Promise<ResolvedCommits> {
  const { repository, rules } = commits;
  const [base, head] = await Promise.all([
    context.commits.read(repository, commits.base),
    context.commits.read(repository, commits.head),
  ]);
  const [baseConfig, headConfig] = await Promise.all([
    readConfig(context, repository, base, rules),
    readConfig(context, repository, head, rules),
  ]);
  const finder: FinderInput = {
    rules,
    distribution: context.config.terraform.distribution,
    baseBranch: commits.baseBranch,
    base: { config: baseConfig.config, configuration: base.configuration, paths: base.paths },
    baseConfigUnreadable: baseConfig.problems.length > 0,
    head: { config: headConfig.config, configuration: head.configuration, paths: head.paths },
    changed: [...new Set(commits.changed)],
  };
  const unreadable = headConfig.problems.length > 0;
  const projects = unreadable ? { ...NO_PROJECTS, problems: headConfig.problems } : resolveProjects(finder);
  const explanations = [
    ...projects.explanations,
    ...headConfig.warnings.map(
      ({ file, line, message }) => `${file}${line === undefined ? '' : `:${line}`}: ${message}`,
    ),
  ];
  return { finder, projects, explanations, config: headConfig.config };
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
