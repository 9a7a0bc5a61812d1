import { type Kysely, sql } from 'kysely';
import type { PullRequestId, Wakeups } from '../../core/record.ts';
import { type Lease, LeaseLostError, type RunStore } from '../../ports/run-store.ts';
import { finishRun, handBackRun, recoverRun } from './finish-run.ts';
import { claimNext, renew, transition, updateLeased } from './leases.ts';
import { takeLocks } from './locks.ts';
import { readState } from './read-state.ts';
import { findDeadRuns } from './dead-leases.ts';
import { recordDecision } from './record-decision.ts';
import { selectRuns } from './rows.ts';
import { runQueries } from './run-queries.ts';
import type { Database } from './schema.ts';
import { storableJson } from './storable-json.ts';
import { transact } from './transact.ts';

export function createRunStore(db: Kysely<Database>): RunStore {
  return { ...decisions(db), ...leased(db), ...recovery(db), ...runQueries(db) };
}

function decisions(db: Kysely<Database>): Pick<RunStore, 'decide' | 'readState'> {
  return {
    readState: (id) => readState(db, id),
    decide: (id, factsVersion, decide) =>
      transact(db, async (trx) => {
        const row = await trx
          .selectFrom('pull_requests')
          .select('version')
          .where('id', '=', id)
          .forUpdate()
          .executeTakeFirst();
        if (row?.version !== factsVersion) return { kind: 'stale' };
        const state = await readState(trx, id);
        if (state === undefined) return { kind: 'stale' };
        return { kind: 'decided', wakeups: await recordDecision(trx, state.pull, decide(state)) };
      }),
  };
}

type LeasedCalls =
  | 'claimNext'
  | 'start'
  | 'takeLock'
  | 'beginApply'
  | 'renew'
  | 'saveProgress'
  | 'appendOutput'
  | 'finish'
  | 'handBack';

function leased(db: Kysely<Database>): Pick<RunStore, LeasedCalls> {
  return {
    claimNext: (worker, limits) => transact(db, (trx) => claimNext(trx, worker, limits)),
    start: (lease) =>
      transact(db, async (trx) => {
        await transition(trx, lease, 'running', { started_at: sql`now()` });
      }),
    takeLock: (lease) => transact(db, (trx) => takeLockForRun(trx, lease)),
    beginApply: (lease) => updateLeased(db, lease, { apply_started_at: sql`now()` }),
    renew: (lease, leaseMs) => renew(db, lease, leaseMs),
    saveProgress: (lease, progress) => updateLeased(db, lease, { progress: storableJson(progress) }),
    appendOutput: async (lease, seq, chunk) => {
      const stored = await db
        .insertInto('run_output')
        .columns(['run_id', 'seq', 'chunk'])
        .expression((eb) =>
          eb
            .selectFrom('runs')
            .select([
              sql<string>`${lease.runId}`.as('run_id'),
              sql<number>`${seq}::int`.as('seq'),
              sql<Buffer>`${chunk}::bytea`.as('chunk'),
            ])
            .where('id', '=', lease.runId)
            .where('lease_token', '=', lease.token)
            .where('state', 'in', ['claimed', 'running']),
        )
        .onConflict((conflict) => conflict.columns(['run_id', 'seq']).doUpdateSet({ chunk }))
        .executeTakeFirst();
      if (Number(stored.numInsertedOrUpdatedRows) === 0) throw new LeaseLostError(lease.runId);
    },
    finish: (lease, end) => transact(db, (trx) => finishRun(trx, lease, end)),
    handBack: (lease) => transact(db, (trx) => handBackRun(trx, lease)),
  };
}

async function takeLockForRun(
  trx: Parameters<typeof takeLocks>[0],
  lease: Lease,
): Promise<{ number: number; who: string } | undefined> {
  const run = await selectRuns(trx)
    .where('runs.id', '=', lease.runId)
    .where('runs.lease_token', '=', lease.token)
    .where('runs.state', 'in', ['claimed', 'running'])
    .forUpdate('runs')
    .executeTakeFirst();
  if (run === undefined) throw new LeaseLostError(lease.runId);
  if (run.project.repoLocks === 'disabled') return undefined;
  const pull = await trx
    .selectFrom('pull_requests')
    .select(['id', 'repository_id', 'number'])
    .where('id', '=', run.pull_request_id)
    .executeTakeFirstOrThrow();
  const held = await takeLocks(trx, pull, run.actor_login, [{ projectKey: run.project_key, project: run.project }]);
  if (held.has(run.project_key)) return undefined;
  const holder = await trx
    .selectFrom('project_locks')
    .innerJoin('pull_requests', 'pull_requests.id', 'project_locks.pull_request_id')
    .select(['pull_requests.number', 'project_locks.actor_login'])
    .where('project_key', '=', run.project_key)
    .executeTakeFirstOrThrow();
  return { number: holder.number, who: holder.actor_login };
}

function recovery(db: Kysely<Database>): Pick<RunStore, 'recover' | 'findNeglected'> {
  return {
    recover: async (isDeadOwner) => {
      const wakeups: Wakeups[] = [];
      for (const lease of await findDeadRuns(db, isDeadOwner)) {
        const recovered = await transact(db, (trx) => recoverRun(trx, lease));
        if (recovered !== undefined) wakeups.push(recovered);
      }
      return joinWakeups(wakeups);
    },
    findNeglected: async () => {
      const runs = await db
        .selectFrom('runs')
        .select('id')
        .where('state', '=', 'queued')
        .where('ready', '=', true)
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('project_leases')
                .select('token')
                .whereRef('project_leases.project_key', '=', 'runs.project_key'),
            ),
          ),
        )
        .orderBy('queued_at')
        .limit(100)
        .execute();
      const pulls = await db
        .selectFrom('pull_requests')
        .select('id')
        .whereRef('publish_wanted', '>', 'publish_done')
        .where((eb) => eb.or([eb('publish_due', 'is', null), eb('publish_due', '<', sql<Date>`clock_timestamp()`)]))
        .limit(100)
        .execute();
      const reports = await db
        .selectFrom('tracked_branches')
        .select('repository_id')
        .whereRef('report_wanted', '>', 'report_done')
        .where((eb) => eb.or([eb('report_due', 'is', null), eb('report_due', '<', sql<Date>`clock_timestamp()`)]))
        .limit(100)
        .execute();
      return {
        runIds: runs.map((run) => run.id),
        pullRequestIds: pulls.map((pull) => pull.id as PullRequestId),
        deliveries: [],
        repositoryIds: reports.map((report) => report.repository_id),
      };
    },
  };
}

function joinWakeups(all: readonly Wakeups[]): Wakeups {
  return {
    runIds: all.flatMap((one) => one.runIds),
    pullRequestIds: [...new Set(all.flatMap((one) => one.pullRequestIds))],
    deliveries: all.flatMap((one) => one.deliveries),
  };
}
