import type { FinderInput } from '../src/core/project-finder.ts';
import type { RepositoryRules } from '../src/core/repository-rules.ts';
import type { Repository } from '../src/core/repository.ts';
import type { PullRequestRecord } from '../src/core/record.ts';
import type { ConfigProblem } from '../src/core/reply.ts';
import type { ResolvedProjects } from '../src/core/resolve-projects.ts';
import { resolveRules } from '../src/core/resolve-rules.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import type { RunContext } from './run-context.ts';
import type { WorkerContext } from './context.ts';
import { type PreparedMerge, prepareMerge } from './prepare-merge.ts';
import { NO_PROJECTS, resolveCommits } from './resolve-commits.ts';

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

export function rulesOf({ config }: Pick<WorkerContext, 'config'>, repository: Repository): RepositoryRules {
  const { repos, workflows, repoLocks, permissions, drift } = config;
  return resolveRules(repos, { workflows, repoLocks, permissions, drift: drift.defaults }, repositoryName(repository));
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
  const changed = await context.mirror.listChangedFiles(pull.repository, merge.baseSha, merge.headSha);
  const found = await resolveCommits(context, {
    repository: pull.repository,
    rules,
    baseBranch: pull.baseRef,
    base: merge.baseSha,
    head: merge.mergeSha ?? merge.headSha,
    changed: changed.flatMap(({ path, previousPath }) => (previousPath === undefined ? [path] : [path, previousPath])),
  });
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
