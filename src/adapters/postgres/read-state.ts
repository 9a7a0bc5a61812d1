import type { Kysely } from 'kysely';
import type { ProjectKey } from '../../core/project.ts';
import type { PullRequestState, RunRecord } from '../../core/record.ts';
import {
  PLAN_COLUMNS,
  selectLocks,
  selectPullRequests,
  selectRuns,
  toLock,
  toPlan,
  toPullRequest,
  toRun,
} from './rows.ts';
import type { Database } from './schema.ts';

/** Everything that is recorded of one pull request. In a transaction, the caller has locked its row. */
export async function readState(db: Kysely<Database>, id: string): Promise<PullRequestState | undefined> {
  const row = await selectPullRequests(db).where('pull_requests.id', '=', id).executeTakeFirst();
  if (row === undefined) return undefined;
  const latest = await selectRuns(db)
    .distinctOn(['runs.project_key', 'runs.operation'])
    .where('runs.pull_request_id', '=', id)
    .orderBy('runs.project_key')
    .orderBy('runs.operation')
    .orderBy('runs.queued_at', 'desc')
    .orderBy('runs.id', 'desc')
    .execute();
  const open = await selectRuns(db)
    .where('runs.pull_request_id', '=', id)
    .where('runs.state', 'in', ['queued', 'claimed', 'running'])
    .orderBy('runs.queued_at')
    .execute();
  const plans = await db
    .selectFrom('plans')
    .select(PLAN_COLUMNS)
    .where('pull_request_id', '=', id)
    .where('state', '=', 'current')
    .execute();
  const locks = await selectLocks(db)
    .where('project_locks.repository_id', '=', row.repository_id)
    .orderBy('project_locks.taken_at')
    .execute();
  const runs = latest.map(toRun);
  return {
    pull: toPullRequest(row),
    latest: runs,
    open: open.map(toRun),
    plans: plans.map(toPlan),
    applied: appliedProjects(runs),
    locks: locks.map(toLock),
  };
}

function appliedProjects(latest: readonly RunRecord[]): readonly ProjectKey[] {
  const planned = new Map(latest.filter((run) => run.operation === 'plan').map((run) => [run.projectKey, run]));
  return latest
    .filter((run) => run.operation === 'apply' && run.state === 'succeeded')
    .filter((run) => run.queuedAt >= (planned.get(run.projectKey)?.queuedAt ?? run.queuedAt))
    .map((run) => run.projectKey);
}
