import { type Transaction, sql } from 'kysely';
import type { PullRequestId, Wakeups } from '../../core/record.ts';
import { afterWorkerDied } from '../../core/run.ts';
import { type Lease, LeaseLostError, type NewPlan, type RunEnd } from '../../ports/run-store.ts';
import { audit } from './audit.ts';
import { cleanUpWhenIdle } from './close-pull-request.ts';
import type { DeadLease } from './dead-leases.ts';
import { releaseLease, transition } from './leases.ts';
import { wantPublication } from './rows.ts';
import type { Database } from './schema.ts';
import { settleBatch } from './settle-batch.ts';
import { storableJson } from './storable-json.ts';

const NO_WAKEUPS: Wakeups = { runIds: [], pullRequestIds: [], deliveries: [] };

/**
 * Records how a run ended, with everything that follows from it, in the transaction of the caller. A plan that came about though it was
 * to stop is not kept: it was superseded, or its lock was given up, and it must not count beside what came after.
 */
export async function finishRun(trx: Transaction<Database>, lease: Lease, end: RunEnd): Promise<Wakeups> {
  const pull = await lockPullRequestOfRun(trx, lease.runId);
  if (end.plan !== undefined) {
    const reason = await readCancelReason(trx, lease.runId);
    if (reason !== undefined) return finishRun(trx, lease, cancelled(reason, end.phases));
  }
  const run = await transition(trx, lease, end.state, {
    result: storableJson(end.result),
    phases: storableJson(end.phases),
    progress: null,
    finished_at: sql`now()`,
    lease_expires_at: null,
  });
  await releaseLease(trx, lease.runId);
  if (end.plan !== undefined && pull !== undefined) await savePlan(trx, lease.runId, run.project_key, pull, end.plan);
  if (end.apply !== undefined) {
    await trx
      .insertInto('applies')
      .values({
        run_id: lease.runId,
        project_key: run.project_key,
        pull_request_id: pull?.id ?? null,
        sha: end.apply.sha,
        inputs_digest: end.apply.inputsDigest,
        approved_digest: end.apply.approvedDigest,
        applied_digest: end.apply.appliedDigest,
      })
      .execute();
    // What the next drift checks compare the branch with.
    await trx
      .updateTable('drift_projects')
      .set({ baseline_digest: end.apply.inputsDigest })
      .where('project_key', '=', run.project_key)
      .execute();
  }
  // Once an apply has begun, the plan it was made from is spent, whatever came of it.
  if (pull !== undefined && (end.apply !== undefined || end.state === 'interrupted' || begunAndFailed(end))) {
    await retirePlan(trx, pull.id, run.project_key, 'applied');
  }
  for (const { name, content } of end.artifacts ?? []) {
    await trx
      .insertInto('artifacts')
      .values({ run_id: lease.runId, name, content })
      .onConflict((c) => c.doNothing())
      .execute();
  }
  return afterRunEnded(trx, pull, run.batch_id);
}

async function readCancelReason(trx: Transaction<Database>, runId: string): Promise<string | undefined> {
  const run = await trx
    .selectFrom('runs')
    .select('cancel_reason')
    .where('id', '=', runId)
    .where('cancel_requested_at', 'is not', null)
    .executeTakeFirst();
  return run && (run.cancel_reason ?? 'Cancelled.');
}

function cancelled(reason: string, phases: RunEnd['phases']): RunEnd {
  return { state: 'cancelled', result: { kind: 'cancelled', reason }, phases };
}

function begunAndFailed(end: RunEnd): boolean {
  return end.result.kind === 'failed' && end.result.applyBegun;
}

async function afterRunEnded(
  trx: Transaction<Database>,
  pull: LockedPullRequest | undefined,
  batchId: string,
): Promise<Wakeups> {
  if (pull === undefined) return endBranchBatch(trx, batchId);
  const runIds = await settleBatch(trx, batchId);
  const cleaned = pull.cleanup_pending ? await cleanUpWhenIdle(trx, pull, 'holdfast') : undefined;
  await wantPublication(trx, [pull.id]);
  return {
    runIds,
    pullRequestIds: [pull.id, ...(cleaned?.pullRequestIds ?? [])],
    deliveries: cleaned?.deliveries ?? [],
  };
}

/** A batch of the tracked branch is one run, and nothing waits for it. */
async function endBranchBatch(trx: Transaction<Database>, batchId: string): Promise<Wakeups> {
  await trx.updateTable('batches').set({ finished_at: sql`now()` }).where('id', '=', batchId).execute();
  return NO_WAKEUPS;
}

interface LockedPullRequest {
  readonly id: PullRequestId;
  readonly number: number;
  readonly state: string;
  readonly cleanup_pending: boolean;
}

/** undefined: a run on the tracked branch. */
async function lockPullRequestOfRun(trx: Transaction<Database>, runId: string): Promise<LockedPullRequest | undefined> {
  const row = await trx
    .selectFrom('pull_requests')
    .select(['id', 'number', 'state', 'cleanup_pending'])
    .where('id', '=', (eb) => eb.selectFrom('runs').select('pull_request_id').where('runs.id', '=', runId))
    .forUpdate()
    .executeTakeFirst();
  return row && { ...row, id: row.id as PullRequestId };
}

async function savePlan(
  trx: Transaction<Database>,
  runId: string,
  projectKey: string,
  pull: LockedPullRequest,
  plan: NewPlan,
): Promise<void> {
  await retirePlan(trx, pull.id, projectKey, 'superseded');
  const closed = pull.state !== 'open';
  await trx
    .insertInto('plans')
    .values({
      id: plan.id,
      run_id: runId,
      pull_request_id: pull.id,
      project_key: projectKey,
      head_sha: plan.headSha,
      base_ref: plan.baseRef,
      base_sha: plan.baseSha,
      merge_sha: plan.mergeSha,
      inputs_digest: plan.inputsDigest,
      canonical_digest: plan.canonicalDigest,
      empty: plan.empty,
      state: closed ? 'discarded' : 'current',
      artifact: closed ? null : plan.artifact,
      plan_text: closed ? null : plan.planText,
    })
    .execute();
}

/** The file goes at once; of an applied plan the text stays readable until retention takes it. */
async function retirePlan(
  trx: Transaction<Database>,
  pullRequestId: string,
  projectKey: string,
  state: 'applied' | 'superseded',
): Promise<void> {
  await trx
    .updateTable('plans')
    .set({ state, artifact: null, ...(state === 'superseded' ? { plan_text: null } : {}) })
    .where('pull_request_id', '=', pullRequestId)
    .where('project_key', '=', projectKey)
    .where('state', '=', 'current')
    .execute();
}

/** Gives a run back to the queue, as if it had not been claimed. One that was to be cancelled is; an apply that has begun never comes back. */
export async function handBackRun(trx: Transaction<Database>, lease: Lease): Promise<Wakeups> {
  const pull = await lockPullRequestOfRun(trx, lease.runId);
  const run = await trx
    .selectFrom('runs')
    .select(['apply_started_at', 'cancel_requested_at', 'cancel_reason'])
    .where('id', '=', lease.runId)
    .where('lease_token', '=', lease.token)
    .executeTakeFirst();
  if (run === undefined) throw new LeaseLostError(lease.runId);
  if (run.apply_started_at !== null) throw new Error(`run ${lease.runId} has begun to apply and cannot be handed back`);
  if (run.cancel_requested_at !== null) {
    return finishRun(trx, lease, cancelled(run.cancel_reason ?? 'Cancelled.', []));
  }
  await transition(trx, lease, 'queued', {
    lease_owner: null,
    lease_token: null,
    lease_expires_at: null,
    progress: null,
    attempts: sql`greatest(attempts - 1, 0)`,
  });
  await releaseLease(trx, lease.runId);
  await dropOutput(trx, lease.runId);
  return { runIds: [lease.runId], pullRequestIds: pull === undefined ? [] : [pull.id], deliveries: [] };
}

/** The next attempt prints from the start; what is left of this one would be mixed with it. */
async function dropOutput(trx: Transaction<Database>, runId: string): Promise<void> {
  await trx.deleteFrom('run_output').where('run_id', '=', runId).execute();
}

/** Deals with one run whose worker is dead. */
export async function recoverRun(trx: Transaction<Database>, dead: DeadLease): Promise<Wakeups | undefined> {
  const { id: runId } = dead;
  const pull = await lockPullRequestOfRun(trx, runId);
  const run = await trx
    .selectFrom('runs')
    .select(['operation', 'state', 'attempts', 'apply_started_at', 'batch_id', 'project_key'])
    .select(['cancel_requested_at', 'cancel_reason'])
    .where('id', '=', runId)
    .where('state', 'in', ['claimed', 'running'])
    // Between the look and now its worker may have renewed it, or another have recovered it and a third be working on it.
    .where('lease_token', '=', dead.token)
    .where(sql<boolean>`lease_renewed_at is not distinct from ${dead.renewedAt}::timestamptz`)
    .forUpdate()
    .executeTakeFirst();
  if (run === undefined || (run.state !== 'claimed' && run.state !== 'running')) return undefined;
  const applyBegun = run.apply_started_at !== null;
  const { state, reason } = afterWorkerDied({
    operation: run.operation,
    attempts: run.attempts,
    applyBegun,
    cancelRequested: run.cancel_requested_at !== null,
  });
  await releaseLease(trx, runId);
  await audit(trx, [{ actor: 'holdfast', subject: `run:${runId}`, event: `worker_died:${state}`, detail: { reason } }]);
  if (state === 'queued') {
    await trx
      .updateTable('runs')
      .set({ state, lease_owner: null, lease_token: null, lease_expires_at: null, progress: null })
      .where('id', '=', runId)
      .execute();
    await dropOutput(trx, runId);
    return { runIds: [runId], pullRequestIds: pull === undefined ? [] : [pull.id], deliveries: [] };
  }
  const result =
    state !== 'failed'
      ? { kind: state, reason: state === 'cancelled' ? (run.cancel_reason ?? reason) : reason }
      : { kind: 'failed', explanation: reason, diagnostics: [], output: '', applyBegun: false, erroredState: false };
  await trx
    .updateTable('runs')
    .set({ state, result: storableJson(result), finished_at: sql`now()`, lease_expires_at: null, progress: null })
    .where('id', '=', runId)
    .execute();
  if (state === 'interrupted' && pull !== undefined) await retirePlan(trx, pull.id, run.project_key, 'applied');
  return afterRunEnded(trx, pull, run.batch_id);
}
