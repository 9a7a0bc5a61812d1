import { type Kysely, sql } from 'kysely';
import type { ProjectKey } from '../../core/project.ts';
import type { BatchRecord, PullRequestState, RunRecord } from '../../core/record.ts';
import {
  PLAN_COLUMNS,
  selectLocks,
  selectPullRequests,
  selectRuns,
  toBatch,
  toLock,
  toPlan,
  toPullRequest,
  toPullRequestRun,
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
  const runs = latest.map(toPullRequestRun);
  return {
    pull: toPullRequest(row),
    latest: runs,
    open: open.map(toPullRequestRun),
    plans: plans.map(toPlan),
    applied: appliedProjects(runs),
    locks: locks.map(toLock),
    waiting: await readWaiting(db, id),
    planBatch: await readPlanBatch(db, id),
  };
}

async function readWaiting(db: Kysely<Database>, id: string) {
  const { rows } = await sql<{ projectKey: ProjectKey; number: number }>`
    select distinct on (l.project_key) l.project_key as "projectKey", p.number
    from project_locks l join lock_waits w on w.project_key = l.project_key join pull_requests p on p.id = w.pull_request_id
    where l.pull_request_id = ${id} and p.state = 'open' order by l.project_key, w.since`.execute(db);
  return rows;
}

async function readPlanBatch(db: Kysely<Database>, id: string): Promise<BatchRecord | undefined> {
  const row = await db
    .selectFrom('batches')
    .selectAll()
    .where('pull_request_id', '=', id)
    .where('operation', '=', 'plan')
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && toBatch(row);
}

function appliedProjects(latest: readonly RunRecord[]): readonly ProjectKey[] {
  const planned = new Map(latest.filter((run) => run.operation === 'plan').map((run) => [run.projectKey, run]));
  return latest
    .filter((run) => run.operation === 'apply' && run.state === 'succeeded')
    .filter((run) => run.queuedAt >= (planned.get(run.projectKey)?.queuedAt ?? run.queuedAt))
    .map((run) => run.projectKey);
}
