import type { Account } from '../src/core/pull-request.ts';
import type { PullRequestRecord } from '../src/core/record.ts';
import type { StepFacts } from './steps/project-run.ts';

/** What custom steps are told of a pull request. */
export function pullRequestFacts(pull: PullRequestRecord, actor: Account): StepFacts {
  return {
    baseRepoName: pull.repository.name,
    baseRepoOwner: pull.repository.owner,
    headRepoName: pull.repository.name,
    headRepoOwner: pull.repository.owner,
    headBranchName: pull.headRef,
    headCommit: pull.headSha,
    baseBranchName: pull.baseRef,
    pullNumber: pull.number,
    pullUrl: pull.url,
    pullAuthor: pull.author.login,
    userName: actor.login,
    pullApproved: undefined,
    pullMergeable: undefined,
  };
}
