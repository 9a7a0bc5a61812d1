import { randomUUID } from 'node:crypto';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type BatchTrigger, NO_NOTES, type RemediationOrder } from '../../../core/batch.ts';
import type { CheckRequest, DriftProject } from '../../../core/drift/drift-project.ts';
import { dueAfterCheck, startsPerMinute } from '../../../core/drift/schedule.ts';
import type { Account } from '../../../core/pull-request.ts';
import type { BranchOperation } from '../../../core/run.ts';
import type { Wakeups } from '../../../core/record.ts';
import type { DueProject, ScheduleDecision, ScheduleFacts } from '../../../ports/drift-store.ts';
import { audit } from '../audit.ts';
import type { Database } from '../schema.ts';
import { storableJson } from '../storable-json.ts';
import { countPresentWorkers } from '../worker-presence.ts';
import { type DriftProjectRow, repositoryOf, selectDriftProjects, toColumns, toDriftProject } from './drift-rows.ts';

/** One scheduler at a time, so that every slot and every budget is used once. Any constant does, it is ours alone. */
const SCHEDULE_LOCK = 7_301_441_020_002;
/** Looked at in one go; who comes after them is there at the next. */
const DUE_AT_ONCE = 500;
const HOLDFAST: Account = { id: 'holdfast', login: 'holdfast' };

export async function scheduleChecks(
  trx: Transaction<Database>,
  decide: (facts: ScheduleFacts) => ScheduleDecision,
  now: Date,
): Promise<Wakeups> {
  await sql`select pg_advisory_xact_lock(${SCHEDULE_LOCK})`.execute(trx);
  const facts = await readFacts(trx, now);
  if (facts.due.length === 0) return { runIds: [], pullRequestIds: [], deliveries: [] };
  const { start, skip } = decide(facts);
  const projects = new Map(facts.due.map(({ project }) => [project.key, project]));
  for (const [key, reason] of skip) {
    const known = projects.get(key)?.skip;
    if (known?.code === reason.code && known.sentence === reason.sentence) continue;
    const since = known?.code === reason.code ? known.since : now;
    await trx
      .updateTable('drift_projects')
      .set(toColumns({ skip: { ...reason, since } }))
      .where('project_key', '=', key)
      .execute();
  }
  const runIds: string[] = [];
  for (const key of start) {
    const project = projects.get(key);
    if (project !== undefined) runIds.push(await startCheck(trx, project, now));
  }
  return { runIds, pullRequestIds: [], deliveries: [] };
}

const TRIGGERS: Readonly<Record<CheckRequest['kind'], BatchTrigger>> = {
  command: 'drift_command',
  recheck: 'recheck',
  put_right: 'put_right',
};

async function startCheck(trx: Transaction<Database>, project: DriftProject, now: Date): Promise<string> {
  const { request } = project;
  const trigger = request === undefined ? 'schedule' : TRIGGERS[request.kind];
  const runId = await insertBranchRun(trx, project, {
    triggerKey: `drift:${randomUUID()}`,
    operation: 'drift_check',
    trigger,
    actor: request?.actor ?? HOLDFAST,
    commentId: undefined,
    order: undefined,
  });
  const { schedule } = project.due;
  await trx
    .updateTable('drift_projects')
    .set(
      toColumns({
        runId,
        lastCheckAt: now,
        request: undefined,
        skip: undefined,
        due: { schedule, dueAt: dueAfterCheck(project.settings.schedule, project.key, now) },
      }),
    )
    .where('project_key', '=', project.key)
    .execute();
  return runId;
}

export interface NewBranchRun {
  readonly triggerKey: string;
  readonly operation: BranchOperation;
  readonly trigger: BatchTrigger;
  readonly actor: Account;
  readonly commentId: string | undefined;
  readonly order: RemediationOrder | undefined;
}

/** Checks give way to whatever a person waits for. */
const PRIORITIES: Readonly<Record<BranchOperation, number>> = { remediation: 10, drift_check: -10 };

export async function insertBranchRun(
  trx: Transaction<Database>,
  project: DriftProject,
  run: NewBranchRun,
): Promise<string> {
  const batchId = randomUUID();
  await trx
    .insertInto('batches')
    .values({
      id: batchId,
      trigger_key: run.triggerKey,
      operation: run.operation,
      trigger: run.trigger,
      actor_id: run.actor.id,
      actor_login: run.actor.login,
      head_sha: project.tip,
      base_sha: project.tip,
      merge_sha: project.tip,
      base_ref: (eb) =>
        eb.selectFrom('tracked_branches').select('branch').where('repository_id', '=', project.repositoryId),
      source_comment_id: run.commentId ?? null,
      notes: storableJson({ ...NO_NOTES, ...(run.order && { remediation: run.order }) }),
    })
    .execute();
  const runId = randomUUID();
  await trx
    .insertInto('runs')
    .values({
      id: runId,
      batch_id: batchId,
      repository_id: project.repositoryId,
      project_key: project.key,
      project: storableJson(project.project),
      operation: run.operation,
      state: 'queued',
      ready: true,
      priority: PRIORITIES[run.operation],
    })
    .execute();
  const detail = { operation: run.operation, trigger: run.trigger, project: project.key, head: project.tip };
  await audit(trx, [{ actor: run.actor.login, subject: `run:${runId}`, event: 'queued', detail }]);
  return runId;
}

async function readFacts(trx: Transaction<Database>, now: Date): Promise<ScheduleFacts> {
  const due = await selectDriftProjects(trx)
    .where('listed', '=', true)
    .where('run_id', 'is', null)
    .where((eb) => eb.or([eb('due_at', '<=', now), eb('request', 'is not', null)]))
    .orderBy(sql`(request is not null) desc, last_check_at nulls first, due_at`)
    .limit(DUE_AT_ONCE)
    .forUpdate('drift_projects')
    .execute();
  const running = await selectDriftProjects(trx).where('run_id', 'is not', null).execute();
  const { rows } = await sql<{ started: number; pulls: number; pace: number }>`select
    (select count(*)::int from runs where operation = 'drift_check' and queued_at > ${new Date(now.getTime() - 60_000)}
      and exists (select 1 from batches b where b.id = runs.batch_id and b.trigger = 'schedule')) as started,
    (select count(*)::int from runs where operation in ('plan', 'apply')
      and (state in ('claimed', 'running') or (state = 'queued' and ready))) as pulls,
    (select coalesce(sum(starts_per_minute), 0) from drift_projects where listed) as pace`.execute(trx);
  const [counts] = rows;
  return {
    due: await withFacts(trx, due),
    running: running.map((row) => ({ project: toDriftProject(row), repository: repositoryOf(row) })),
    startedLastMinute: counts?.started ?? 0,
    pullRequestRuns: counts?.pulls ?? 0,
    workers: Math.max(1, await countPresentWorkers(trx)),
    startsPerMinute: startsPerMinute(counts?.pace ?? 0),
  };
}

interface BlockerRow {
  readonly projectKey: string;
  readonly applying: boolean;
  readonly lockNumber: number | null;
  readonly lockWho: string | null;
  readonly openNumbers: readonly number[];
  readonly lastAppliedAt: Date | null;
}

async function withFacts(trx: Transaction<Database>, due: readonly DriftProjectRow[]): Promise<readonly DueProject[]> {
  const keys = due.map((row) => row.project_key);
  const blockers = await readBlockers(trx, keys);
  return due.map((row) => ({
    project: toDriftProject(row),
    repository: repositoryOf(row),
    facts: blockers.get(row.project_key) ?? NO_BLOCKERS,
  }));
}

export const NO_BLOCKERS: DueProject['facts'] = {
  applying: false,
  lock: undefined,
  openPullRequests: [],
  lastAppliedAt: undefined,
};

/** By project key. */
export async function readBlockers(
  db: Kysely<Database>,
  keys: readonly string[],
): Promise<ReadonlyMap<string, DueProject['facts']>> {
  const { rows } = await sql<BlockerRow>`
    select k.key as "projectKey",
      exists (select 1 from runs where project_key = k.key and operation in ('apply', 'remediation')
        and state in ('claimed', 'running')) as applying,
      p.number as "lockNumber", l.actor_login as "lockWho",
      array(select o.number from plans q join pull_requests o on o.id = q.pull_request_id
        where q.project_key = k.key and q.state = 'current' and not q.empty and o.state = 'open' order by o.number) as "openNumbers",
      (select max(applied_at) from applies a where a.project_key = k.key) as "lastAppliedAt"
    from unnest(${[...keys]}::text[]) as k(key)
      left join project_locks l on l.project_key = k.key left join pull_requests p on p.id = l.pull_request_id`.execute(
    db,
  );
  return new Map(rows.map((row) => [row.projectKey, blockerFacts(row)]));
}

function blockerFacts(row: BlockerRow): DueProject['facts'] {
  return {
    applying: row.applying,
    lock: row.lockNumber === null || row.lockWho === null ? undefined : { number: row.lockNumber, who: row.lockWho },
    openPullRequests: row.openNumbers,
    lastAppliedAt: row.lastAppliedAt ?? undefined,
  };
}
