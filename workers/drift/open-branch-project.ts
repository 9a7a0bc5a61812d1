import type { DriftDecision, DriftProject } from '../../src/core/drift/drift-project.ts';
import { commitSha, type CommitSha, type Repository } from '../../src/core/repository.ts';
import type { DriftProjectPage } from '../../src/ports/drift-store.ts';
import type { ClaimedBranchRun, RunEnd } from '../../src/ports/run-store.ts';
import type { CommitFacts } from '../commit-facts.ts';
import { repositoryName } from '../gather-pull-request.ts';
import type { LeaseKeeper } from '../keep-lease.ts';
import { isAllowed } from '../open-pull-request.ts';
import { type OpenProject, openProject } from '../open-project.ts';
import { patiently } from '../patiently.ts';
import { ProjectRefusedError } from '../project-refused-error.ts';
import type { RunContext } from '../run-context.ts';
import type { StepFacts } from '../steps/project-run.ts';

/** How a run ended; `decide`: what follows for a project of the tracked branch, where there is more to say than that it has no result. */
export interface WorkOutcome {
  readonly end: RunEnd | 'handed_back';
  readonly decide?: (project: DriftProject) => DriftDecision;
}

export interface BranchRequest {
  readonly run: ClaimedBranchRun;
  readonly keeper: LeaseKeeper;
  readonly afterwards: AsyncDisposableStack;
  readonly observes: boolean;
}

/** A project of the tracked branch, laid out at the commit of its run. */
export interface OpenBranchProject extends AsyncDisposable {
  readonly opened: OpenProject;
  readonly commit: CommitFacts;
  readonly page: DriftProjectPage;
}

export async function openBranchProject(
  context: RunContext,
  { run, keeper, afterwards, observes }: BranchRequest,
): Promise<OpenBranchProject> {
  const page = await context.drift.find(run.projectKey);
  if (page === undefined) throw new Error(`the project of run ${run.id} is not known any more`);
  const { repository, branch } = page;
  const name = repositoryName(repository);
  if (!isAllowed(context, name))
    throw new ProjectRefusedError(`The repository ${name} is not one that is served here.`);
  const sha = commitSha(run.batch.headSha);
  const patience = { ...context, signal: keeper.signal };
  const commit = await patiently(patience, (attempt) => readTip(context, repository, branch, sha, attempt > 0));
  const opened = await openProject(context, {
    run,
    repository,
    withCredentials: true,
    facts: branchFacts(page, run, sha),
    commit,
    keeper,
    knownSecrets: [],
    expectedResources: undefined,
    commandArgs: [],
    observes,
    afterwards,
  });
  return { opened, commit, page, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
}

/** Another machine may have read the branch. */
async function readTip(
  context: RunContext,
  repository: Repository,
  branch: string,
  sha: CommitSha,
  anew: boolean,
): Promise<CommitFacts> {
  if (anew || !(await context.mirror.has(repository, sha))) {
    const host = context.hosts.get(repository.host);
    if (host === undefined) throw new Error(`there is no VCS host ${repository.host} any more`);
    await context.mirror.fetch(repository, await host.getGitSource(repository), [`refs/heads/${branch}`]);
  }
  return context.commits.read(repository, sha);
}

/** Custom steps are told what a pull request's are told, as far as there is such a thing on a branch. */
function branchFacts({ repository, branch }: DriftProjectPage, run: ClaimedBranchRun, sha: CommitSha): StepFacts {
  return {
    baseRepoName: repository.name,
    baseRepoOwner: repository.owner,
    headRepoName: repository.name,
    headRepoOwner: repository.owner,
    headBranchName: branch,
    headCommit: sha,
    baseBranchName: branch,
    pullNumber: undefined,
    pullUrl: undefined,
    pullAuthor: undefined,
    userName: run.batch.actor.login,
    pullApproved: undefined,
    pullMergeable: undefined,
  };
}
