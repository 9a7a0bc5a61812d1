import { type Kysely, type Transaction, sql } from 'kysely';
import { type RunState, statesBefore } from '../../core/run.ts';
import { type ClaimedRun, type Lease, LeaseLostError, type RunLimits } from '../../ports/run-store.ts';
import { audit } from './audit.ts';
import { selectRuns, toRun } from './rows.ts';
import type { Database } from './schema.ts';

/** One claim at a time, so that the limits are exact; held for a few milliseconds. Any constant does, it is ours alone. */
const CLAIM_LOCK = 7_301_441_020_001;

/** Claims the next run that may start; undefined when there is none. */
export async function claimNext(
  trx: Transaction<Database>,
  worker: { readonly id: string; readonly leaseMs: number },
  limits: RunLimits,
): Promise<ClaimedRun | undefined> {
  await sql`select pg_advisory_xact_lock(${CLAIM_LOCK})`.execute(trx);
  const candidate = await sql<{ id: string; project_key: string }>`
    with active as (select repository_id, count(*)::int as n from runs where state in ('claimed', 'running') group by repository_id)
    select r.id, r.project_key from runs r
    where r.state = 'queued' and r.ready
      and (select count(*) from runs a where a.state in ('claimed', 'running') and a.lease_owner = ${worker.id}) < ${limits.perWorker}
      and (r.operation <> 'drift_check' or (select count(*) from runs a where a.state in ('claimed', 'running')
        and a.operation = 'drift_check' and a.lease_owner = ${worker.id}) < ${mostChecks(limits)})
      and coalesce((select n from active a where a.repository_id = r.repository_id), 0) < ${limits.perRepository}
      and not exists (select 1 from project_leases l where l.project_key = r.project_key)
    order by r.priority desc, r.queued_at, r.id
    limit 1 for update of r skip locked`.execute(trx);
  const next = candidate.rows[0];
  if (next === undefined) return undefined;
  const { rows } = await sql<{ token: string }>`select nextval('lease_tokens')::text as token`.execute(trx);
  const token = rows[0]?.token ?? '0';
  await trx.insertInto('project_leases').values({ project_key: next.project_key, run_id: next.id, token }).execute();
  await trx
    .updateTable('runs')
    .set({
      state: 'claimed',
      lease_owner: worker.id,
      lease_token: token,
      lease_renewed_at: sql`clock_timestamp()`,
      lease_expires_at: expiry(worker.leaseMs),
      attempts: sql`attempts + 1`,
      claimed_at: sql`now()`,
      progress: null,
    })
    .where('id', '=', next.id)
    .execute();
  await audit(trx, [{ actor: worker.id, subject: `run:${next.id}`, event: 'claimed', detail: { token } }]);
  const row = await selectRuns(trx).where('runs.id', '=', next.id).executeTakeFirstOrThrow();
  return { ...toRun(row), lease: { runId: next.id, token } };
}

/** Drift checks never have more than half of a worker, so that pull requests find room at once. */
function mostChecks({ perWorker }: RunLimits): number {
  return Math.max(1, Math.floor(perWorker / 2));
}

export function expiry(leaseMs: number) {
  return sql<Date>`clock_timestamp() + make_interval(secs => ${leaseMs / 1000})`;
}

/** Moves a leased run to another state; throws LeaseLostError when it is not ours, or not in a state from which that can be reached. */
export async function transition(
  trx: Kysely<Database>,
  lease: Lease,
  to: RunState,
  values: Record<string, unknown> = {},
): Promise<{ batch_id: string; project_key: string }> {
  const row = await trx
    .updateTable('runs')
    .set({ ...values, state: to })
    .where('id', '=', lease.runId)
    .where('lease_token', '=', lease.token)
    .where('state', 'in', [...statesBefore(to)])
    .returning(['batch_id', 'project_key'])
    .executeTakeFirst();
  if (row === undefined) throw new LeaseLostError(lease.runId);
  await audit(trx, [{ actor: 'worker', subject: `run:${lease.runId}`, event: to, detail: { token: lease.token } }]);
  return row;
}

/** Writes to a run that is ours and not over. */
export async function updateLeased(db: Kysely<Database>, lease: Lease, values: Record<string, unknown>): Promise<void> {
  const result = await db
    .updateTable('runs')
    .set(values)
    .where('id', '=', lease.runId)
    .where('lease_token', '=', lease.token)
    .where('state', 'in', ['claimed', 'running'])
    .executeTakeFirst();
  if (Number(result.numUpdatedRows) === 0) throw new LeaseLostError(lease.runId);
}

export async function renew(
  db: Kysely<Database>,
  lease: Lease,
  leaseMs: number,
): Promise<{ readonly cancel: string | undefined }> {
  const row = await db
    .updateTable('runs')
    .set({ lease_renewed_at: sql`clock_timestamp()`, lease_expires_at: expiry(leaseMs) })
    .where('id', '=', lease.runId)
    .where('lease_token', '=', lease.token)
    .where('state', 'in', ['claimed', 'running'])
    .returning(['cancel_requested_at', 'cancel_reason'])
    .executeTakeFirst();
  if (row === undefined) throw new LeaseLostError(lease.runId);
  return { cancel: row.cancel_requested_at === null ? undefined : (row.cancel_reason ?? 'cancelled') };
}

export async function releaseLease(trx: Transaction<Database>, runId: string): Promise<void> {
  await trx.deleteFrom('project_leases').where('run_id', '=', runId).execute();
}
