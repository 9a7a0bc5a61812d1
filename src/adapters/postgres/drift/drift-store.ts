import { randomUUID } from 'node:crypto';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { DriftDecision, DriftProject } from '../../../core/drift/drift-project.ts';
import type { ProjectKey } from '../../../core/project.ts';
import type { DriftNotification } from '../../../core/drift/notifications.ts';
import type { Repository } from '../../../core/repository.ts';
import type { AddressNotification, DriftProjectPage, DriftStore, EndedRun } from '../../../ports/drift-store.ts';
import type { RunEnd } from '../../../ports/run-store.ts';
import { audit } from '../audit.ts';
import { addToCounter } from '../counter-store.ts';
import { finishRun } from '../finish-run.ts';
import type { Database } from '../schema.ts';
import { storableJson } from '../storable-json.ts';
import { transact } from '../transact.ts';
import { branches } from './branches.ts';
import {
  type DriftProjectRow,
  healthColumns,
  repositoryOf,
  selectDriftProjects,
  toColumns,
  toDriftProject,
  wantReport,
} from './drift-rows.ts';
import { insertBranchRun, NO_BLOCKERS, readBlockers, scheduleChecks } from './schedule-checks.ts';

export function createDriftStore(db: Kysely<Database>, address: AddressNotification): DriftStore {
  return { ...branches(db), ...changes(db, address), ...queries(db) };
}

type ChangingCalls = 'schedule' | 'finish' | 'listEnded' | 'change' | 'startRemediation' | 'request';

function changes(db: Kysely<Database>, address: AddressNotification): Pick<DriftStore, ChangingCalls> {
  return {
    schedule: (decide, now) => transact(db, (trx) => scheduleChecks(trx, decide, now)),
    finish: (lease, end, decide) =>
      transact(db, async (trx) => {
        const known = await lockProjectOfRun(trx, lease.runId);
        const wakeups = await finishRun(trx, lease, end);
        // One that was unlisted and removed meanwhile has nothing left to tell.
        if (known === undefined) return wakeups;
        const decision = decide(known.project);
        await record(trx, known, { ...decision, changes: { ...decision.changes, runId: undefined } }, address);
        await countCheck(trx, lease.runId, end);
        return decision.report ? { ...wakeups, repositoryIds: [known.project.repositoryId] } : wakeups;
      }),
    listEnded: (limit) => listEnded(db, limit),
    change: (key, decide) =>
      transact(db, async (trx) => {
        const known = await lockProject(trx, key);
        if (known === undefined) return undefined;
        await record(trx, known, decide(known.project), address);
        return (await lockProject(trx, key))?.project;
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
        const found = await lockProject(trx, key);
        if (found === undefined || found.project.runId !== undefined) return { kind: 'busy' as const };
        const { project } = found;
        const runId = await insertBranchRun(trx, project, {
          ...order,
          operation: 'remediation',
          trigger: 'drift_command',
        });
        await record(trx, found, { changes: { runId }, report: true }, address);
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

/** By what was found, or how else it ended. */
async function countCheck(trx: Transaction<Database>, runId: string, { result, state }: RunEnd): Promise<void> {
  const run = await trx.selectFrom('runs').select('operation').where('id', '=', runId).executeTakeFirst();
  if (run?.operation !== 'drift_check') return;
  await addToCounter(trx, 'drift_checks', result.kind === 'checked' ? result.sync : state, 1);
}

async function lockProject(trx: Transaction<Database>, key: ProjectKey): Promise<KnownProject | undefined> {
  const row = await selectDriftProjects(trx)
    .where('project_key', '=', key)
    .forUpdate('drift_projects')
    .executeTakeFirst();
  return row && { project: toDriftProject(row), repository: repositoryOf(row) };
}

async function lockProjectOfRun(trx: Transaction<Database>, runId: string): Promise<KnownProject | undefined> {
  const row = await selectDriftProjects(trx).where('run_id', '=', runId).forUpdate('drift_projects').executeTakeFirst();
  return row && { project: toDriftProject(row), repository: repositoryOf(row) };
}

interface KnownProject {
  readonly project: DriftProject;
  readonly repository: Repository;
}

async function record(
  trx: Transaction<Database>,
  known: KnownProject,
  decision: DriftDecision,
  address: AddressNotification,
): Promise<void> {
  const { project } = known;
  const columns = { ...toColumns(decision.changes), ...healthColumns(project, decision.changes) };
  if (Object.keys(columns).length > 0) {
    await trx.updateTable('drift_projects').set(columns).where('project_key', '=', project.key).execute();
  }
  if (decision.report) await wantReport(trx, project.repositoryId);
  for (const notification of decision.notifications ?? []) await tell(trx, known, notification, address);
  if (decision.audit !== undefined) await audit(trx, [{ ...decision.audit, subject: `drift:${project.key}` }]);
}

/** Each receiver is told once, however often it is decided. */
async function tell(
  trx: Transaction<Database>,
  known: KnownProject,
  notification: DriftNotification,
  address: AddressNotification,
): Promise<void> {
  for (const { receiver, payload } of address(notification, known)) {
    await trx
      .insertInto('notifications')
      .values({
        id: randomUUID(),
        key: `${receiver}:${notification.key}`,
        receiver,
        event: notification.event,
        repository_id: known.project.repositoryId,
        project_key: known.project.key,
        payload: storableJson(payload),
      })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .execute();
  }
}

/** The runs of projects that are said to be running and are not: nobody has recorded what follows. */
async function listEnded(db: Kysely<Database>, limit: number): Promise<readonly EndedRun[]> {
  const rows = await selectDriftProjects(db)
    .leftJoin('runs', 'runs.id', 'drift_projects.run_id')
    .leftJoin('batches', 'batches.id', 'runs.batch_id')
    .select(['runs.operation', 'runs.state as run_state', 'runs.result', 'actor_id', 'actor_login', 'notes'])
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
    actor: { id: row.actor_id ?? 'holdfast', login: row.actor_login ?? 'holdfast' },
    fingerprint: row.notes?.remediation?.fingerprint,
    reason: reasonOf(row.result),
  }));
}

function reasonOf(result: object | null): string {
  if (result === null) return 'The run is not on record any more.';
  if ('reason' in result) return String(result.reason);
  return 'explanation' in result ? String(result.explanation) : 'The run ended without a result.';
}

type QueryCalls = 'find' | 'findBlockers' | 'list';

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
    findBlockers: async (key) => (await readBlockers(db, [key])).get(key) ?? NO_BLOCKERS,
    list: async ({ repositoryId, limit, after }) => {
      let query = pages()
        .where((eb) => eb.or([eb('listed', '=', true), eb(sql`state -> 'drift'`, 'is not', null)]))
        .orderBy('project_key')
        .limit(limit);
      if (repositoryId !== undefined) query = query.where('drift_projects.repository_id', '=', repositoryId);
      if (after !== undefined) query = query.where('project_key', '>', after);
      return (await query.execute()).map(toPage);
    },
  };
}
