import { projectTitle } from '../core/project.ts';
import type { PullRequestState, RunRecord } from '../core/record.ts';
import type { LockRowView } from '../pages/view.ts';
import type { PullRequestStore } from '../ports/pull-request-store.ts';
import type { PageSources } from './page-sources.ts';

/** Every project lock, with what giving it up would risk now. */
export async function presentLocks({ runs, pulls }: Pick<PageSources, 'runs' | 'pulls'>): Promise<LockRowView[]> {
  const locks = await pulls.listLocks();
  const ids = [...new Set(locks.map((lock) => lock.pullRequestId))];
  const states = new Map(await Promise.all(ids.map(async (id) => [id, await runs.readState(id)] as const)));
  return locks.map((lock) => presentLock(lock, states.get(lock.pullRequestId)));
}

type ListedLock = Awaited<ReturnType<PullRequestStore['listLocks']>>[number];

function presentLock(lock: ListedLock, state: PullRequestState | undefined): LockRowView {
  const apply = state?.latest.find((run) => run.projectKey === lock.projectKey && run.operation === 'apply');
  const applying = apply?.state === 'claimed' || apply?.state === 'running';
  const form = new URLSearchParams({ project: lock.projectKey, pull: lock.pullRequestId });
  return {
    pull: { repository: lock.repository, number: lock.number, url: lock.url },
    project: projectTitle(lock),
    who: lock.who,
    since: lock.since,
    waiting: lock.waiting,
    risk: apply && riskAfter(apply, state?.applied.includes(lock.projectKey) === true),
    releaseUrl: applying ? undefined : `/locks/release?${form}`,
  };
}

function riskAfter(apply: RunRecord, stillApplied: boolean): string | undefined {
  switch (apply.state) {
    case 'claimed':
    case 'running':
      return 'It is being applied now; the lock cannot be released until that has ended.';
    case 'interrupted':
      return 'An apply was interrupted and what it did is unknown. Whoever plans next may find half of it done.';
    case 'failed':
      return apply.result?.kind === 'failed' && apply.result.applyBegun
        ? 'An apply failed midway. Whoever plans next may find half of it done.'
        : undefined;
    case 'succeeded':
      return stillApplied
        ? 'It was applied and is not merged. A plan of another pull request would take that back.'
        : undefined;
    default:
      return undefined;
  }
}
