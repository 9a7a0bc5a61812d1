import type { PullRequest } from '../src/core/pull-request.ts';
import type { CommitSha } from '../src/core/repository.ts';
import { RetryLaterError } from '../src/ports/job-queue.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import type { WorkerContext } from './context.ts';
import { ProjectRefusedError } from './project-refused-error.ts';

/** What is planned: the commit that would be merged, and what it was made of. */
export interface PreparedMerge {
  readonly headSha: CommitSha;
  readonly baseSha: CommitSha;
  /** undefined: head and base conflict. */
  readonly mergeSha: CommitSha | undefined;
  readonly note: string;
}

/** The host's API may know a push before its git servers do. */
const REF_LAG_MS = 3_000;

/** Brings head and base into the mirror and joins them there. The head must be the one the API named: refs can be behind. */
export async function prepareMerge(context: WorkerContext, host: VcsHost, pull: PullRequest): Promise<PreparedMerge> {
  const { repository } = pull;
  const source = await host.getGitSource(repository);
  const baseRef = `refs/heads/${pull.baseRef}`;
  const headRef = host.headRefOf(pull.number);
  const commits = await context.mirror.fetch(repository, source, [baseRef, headRef]);
  const baseSha = commits.get(baseRef);
  const fetchedHead = commits.get(headRef);
  if (baseSha === undefined) throw new ProjectRefusedError(`The base branch ${pull.baseRef} does not exist any more.`);
  if (fetchedHead !== pull.headSha && !(await context.mirror.has(repository, pull.headSha))) {
    const retryAt = new Date(context.now().getTime() + REF_LAG_MS);
    throw new RetryLaterError(`commit ${pull.headSha} cannot be fetched yet`, retryAt);
  }
  return { headSha: pull.headSha, baseSha, ...(await join(context, pull, baseSha)) };
}

async function join(
  context: WorkerContext,
  pull: PullRequest,
  baseSha: CommitSha,
): Promise<Pick<PreparedMerge, 'mergeSha' | 'note'>> {
  if (context.config.checkoutStrategy === 'branch') {
    return { mergeSha: pull.headSha, note: `Planned as it is on the branch, at ${pull.headSha.slice(0, 7)}.` };
  }
  const merged = await context.mirror.merge(pull.repository, baseSha, pull.headSha);
  if (merged.kind === 'merged') {
    return { mergeSha: merged.sha, note: `Planned as merged with ${pull.baseRef} at ${baseSha.slice(0, 7)}.` };
  }
  const files = merged.files.slice(0, 20).join(', ');
  return {
    mergeSha: undefined,
    note: `Not planned: it conflicts with ${pull.baseRef} at ${baseSha.slice(0, 7)} in ${files}. Merge ${pull.baseRef} into the branch and resolve the conflicts.`,
  };
}
