import { projectTitle } from '../core/project.ts';
import type { ProjectLock, PullRequestState } from '../core/record.ts';
import type { LockRowView } from '../pages/view.ts';
import type { PageSources } from './page-sources.ts';

/** Every project lock, with what giving it up would risk now. */
export async function presentLocks({ runs, pulls }: Pick<PageSources, 'runs' | 'pulls'>): Promise<LockRowView[]> {
  const locks = await pulls.listLocks();
  const ids = [...new Set(locks.map((lock) => lock.pullRequestId))];
  const states = new Map(await Promise.all(ids.map(async (id) => [id, await runs.readState(id)] as const)));
  return locks.map((lock) => ({
    pull: { repository: lock.repository, number: lock.number, url: lock.url },
    project: projectTitle(lock),
    who: lock.who,
    since: lock.since,
    waiting: lock.waiting,
    risk: riskOf(lock, states.get(lock.pullRequestId)),
    releaseUrl: `/locks/release?${new URLSearchParams({ project: lock.projectKey, pull: lock.pullRequestId })}`,
  }));
}

function riskOf(lock: ProjectLock, state: PullRequestState | undefined): string | undefined {
  const applies = state?.latest.filter((run) => run.projectKey === lock.projectKey && run.operation === 'apply') ?? [];
  const [apply] = applies;
  switch (apply?.state) {
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
      return state?.applied.includes(lock.projectKey) === true
        ? 'It was applied and is not merged. A plan of another pull request would take that back.'
        : undefined;
    default:
      return undefined;
  }
}
