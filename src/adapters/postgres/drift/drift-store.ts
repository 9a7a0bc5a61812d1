import { randomUUID } from 'node:crypto';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { DriftDecision, DriftProject } from '../../../core/drift/drift-project.ts';
import type { ProjectKey } from '../../../core/project.ts';
import { type DriftStore, type DriftProjectPage, type EndedRun } from '../../../ports/drift-store.ts';
import { audit } from '../audit.ts';
import { finishRun } from '../finish-run.ts';
import type { Database } from '../schema.ts';
import { storableJson } from '../storable-json.ts';
import { transact } from '../transact.ts';
import { branches } from './branches.ts';
import {
  type DriftProjectRow,
  repositoryOf,
  selectDriftProjects,
  toColumns,
  toDriftProject,
  wantReport,
} from './drift-rows.ts';
import { insertBranchRun, scheduleChecks } from './schedule-checks.ts';

export function createDriftStore(db: Kysely<Database>): DriftStore {
  return { ...branches(db), ...changes(db), ...queries(db) };
}

type ChangingCalls = 'schedule' | 'finish' | 'listEnded' | 'change' | 'startRemediation' | 'request';

function changes(db: Kysely<Database>): Pick<DriftStore, ChangingCalls> {
  return {
    schedule: (decide, now) => transact(db, (trx) => scheduleChecks(trx, decide, now)),
    finish: (lease, end, decide) =>
      transact(db, async (trx) => {
        const project = await lockProjectOfRun(trx, lease.runId);
        const wakeups = await finishRun(trx, lease, end);
        // One that was unlisted and removed meanwhile has nothing left to tell.
        if (project === undefined) return wakeups;
        const decision = decide(project);
        await record(trx, project, { ...decision, changes: { ...decision.changes, runId: undefined } });
        return decision.report ? { ...wakeups, repositoryIds: [project.repositoryId] } : wakeups;
      }),
    listEnded: (limit) => listEnded(db, limit),
    change: (key, decide) =>
      transact(db, async (trx) => {
        const project = await lockProject(trx, key);
        if (project === undefined) return undefined;
        await record(trx, project, decide(project));
        return lockProject(trx, key);
      }),
    startRemediation: (key, order) =>
      transact(db, async (trx) => {
        const known = await trx
          .selectFrom('batches')
          .innerJoin('runs', 'runs.batch_id', 'batches.id')
          .select('runs.id')
          .where('trigger_key', '=', order.triggerKey)
          .executeTakeFirst();
        if (known !== undefined)
          return { kind: 'repeated' as const, wakeups: { runIds: [known.id], pullRequestIds: [], deliveries: [] } };
        const project = await lockProject(trx, key);
        if (project === undefined || project.runId !== undefined) return { kind: 'busy' as const };
        const runId = await insertBranchRun(trx, project, {
          ...order,
          operation: 'remediation',
          trigger: 'drift_command',
        });
        await record(trx, project, { changes: { runId }, report: true });
        return {
          kind: 'started' as const,
          wakeups: { runIds: [runId], pullRequestIds: [], deliveries: [], repositoryIds: [project.repositoryId] },
        };
      }),
    request: async (key, request) => {
      const result = await db
        .updateTable('drift_projects')
        .set(toColumns({ request }))
        .where('project_key', '=', key)
        .where('listed', '=', true)
        .executeTakeFirst();
      return Number(result.numUpdatedRows) > 0;
    },
  };
}

async function lockProject(trx: Transaction<Database>, key: ProjectKey): Promise<DriftProject | undefined> {
  const row = await selectDriftProjects(trx)
    .where('project_key', '=', key)
    .forUpdate('drift_projects')
    .executeTakeFirst();
  return row && toDriftProject(row);
}

async function lockProjectOfRun(trx: Transaction<Database>, runId: string): Promise<DriftProject | undefined> {
  const row = await selectDriftProjects(trx).where('run_id', '=', runId).forUpdate('drift_projects').executeTakeFirst();
  return row && toDriftProject(row);
}

async function record(trx: Transaction<Database>, project: DriftProject, decision: DriftDecision): Promise<void> {
  const columns = toColumns(decision.changes);
  if (Object.keys(columns).length > 0) {
    await trx.updateTable('drift_projects').set(columns).where('project_key', '=', project.key).execute();
  }
  if (decision.report) await wantReport(trx, project.repositoryId);
  for (const { key, receiver, event, payload } of decision.notifications ?? []) {
    await trx
      .insertInto('notifications')
      .values({
        id: randomUUID(),
        key: `${receiver}:${key}`,
        receiver,
        event,
        repository_id: project.repositoryId,
        project_key: project.key,
        payload: storableJson(payload),
      })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .execute();
  }
  if (decision.audit !== undefined) await audit(trx, [{ ...decision.audit, subject: `drift:${project.key}` }]);
}

/** The runs of projects that are said to be running and are not: nobody has recorded what follows. */
async function listEnded(db: Kysely<Database>, limit: number): Promise<readonly EndedRun[]> {
  const rows = await selectDriftProjects(db)
    .leftJoin('runs', 'runs.id', 'drift_projects.run_id')
    .select(['runs.operation', 'runs.state as run_state', 'runs.result'])
    .where('drift_projects.run_id', 'is not', null)
    .where((eb) =>
      eb.or([eb('runs.id', 'is', null), eb('runs.state', 'in', ['succeeded', 'failed', 'cancelled', 'interrupted'])]),
    )
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    project: toDriftProject(row),
    repository: repositoryOf(row),
    operation: row.operation === 'remediation' ? ('remediation' as const) : ('drift_check' as const),
    state: row.run_state === 'cancelled' || row.run_state === 'interrupted' ? row.run_state : ('failed' as const),
    reason: reasonOf(row.result),
  }));
}

function reasonOf(result: object | null): string {
  if (result === null) return 'The run is not on record any more.';
  if ('reason' in result) return String(result.reason);
  return 'explanation' in result ? String(result.explanation) : 'The run ended without a result.';
}

type QueryCalls = 'find' | 'list' | 'countBySync' | 'oldestSuccess';

function queries(db: Kysely<Database>): Pick<DriftStore, QueryCalls> {
  const pages = () =>
    selectDriftProjects(db)
      .leftJoin('tracked_branches', 'tracked_branches.repository_id', 'drift_projects.repository_id')
      .select('tracked_branches.branch');
  const toPage = (row: DriftProjectRow & { branch: string | null }): DriftProjectPage => ({
    project: toDriftProject(row),
    repository: repositoryOf(row),
    branch: row.branch ?? row.default_branch,
  });
  return {
    find: async (key) => {
      const row = await pages().where('project_key', '=', key).executeTakeFirst();
      return row && toPage(row);
    },
    list: async ({ repositoryId, limit, after }) => {
      let query = pages()
        .where((eb) => eb.or([eb('listed', '=', true), eb(sql`state -> 'drift'`, 'is not', null)]))
        .orderBy('project_key')
        .limit(limit);
      if (repositoryId !== undefined) query = query.where('drift_projects.repository_id', '=', repositoryId);
      if (after !== undefined) query = query.where('project_key', '>', after);
      return (await query.execute()).map(toPage);
    },
    countBySync: () =>
      db
        .selectFrom('drift_projects')
        .innerJoin('repositories', 'repositories.id', 'drift_projects.repository_id')
        .select([sql<string>`owner || '/' || name`.as('repository'), 'sync', sql<number>`count(*)::int`.as('count')])
        .where('listed', '=', true)
        .groupBy(['repository', 'sync'])
        .execute(),
    oldestSuccess: async () => {
      const row = await db
        .selectFrom('drift_projects')
        .select('last_success_at')
        .where('listed', '=', true)
        .where('due_at', 'is not', null)
        .where('last_success_at', 'is not', null)
        .orderBy('last_success_at')
        .limit(1)
        .executeTakeFirst();
      return row?.last_success_at ?? undefined;
    },
  };
}
