import { randomUUID } from 'node:crypto';
import { type RawBuilder, type Transaction, sql } from 'kysely';
import { mayAnswerOnceMore } from '../../core/answer-limits.ts';
import { advanceBatch, type NewBatch } from '../../core/batch.ts';
import type { Decision, PullRequestId, PullRequestRecord, Wakeups } from '../../core/record.ts';
import { audit } from './audit.ts';
import { countAnswers } from './count-answers.ts';
import { cleanUpWhenIdle, discardPlans, releaseEverything } from './close-pull-request.ts';
import { releaseLocks, takeLocks } from './locks.ts';
import { settleBatch } from './settle-batch.ts';
import { wantPublication } from './rows.ts';
import type { Database } from './schema.ts';
import { storableJson } from './storable-json.ts';

/** Writes one decision; the caller has locked the pull request's row. */
export async function recordDecision(
  trx: Transaction<Database>,
  pull: PullRequestRecord,
  decision: Decision,
): Promise<Wakeups> {
  // What a pull request that ended holds it gives back, however often it is asked to.
  const known = decision.close === true ? undefined : await findRecorded(trx, decision);
  if (known !== undefined) return { runIds: known, pullRequestIds: [pull.id], deliveries: [] };
  const row = { id: pull.id, number: pull.number, repository_id: `${pull.repository.host}/${pull.repository.id}` };
  if (!(await mayAnswer(trx, row, decision))) {
    await audit(trx, [{ actor: decision.actor, subject: `pull:${pull.id}`, event: `not_given:${decision.event}` }]);
    return { runIds: [], pullRequestIds: [], deliveries: [] };
  }
  await audit(trx, [{ actor: decision.actor, subject: `pull:${pull.id}`, event: decision.event }]);
  const readied = await cancelRuns(trx, decision);
  if (decision.locks !== undefined) await takeLocks(trx, row, decision.actor, decision.locks);
  const runIds =
    decision.batch === undefined ? [] : await insertBatch(trx, { ...row, base_ref: pull.baseRef }, decision.batch);
  if (decision.batch !== undefined) await stopDriftChecks(trx, decision.batch);
  if (runIds.length > 0) await keepWhatItHas(trx, pull.id);
  const released = await release(trx, row, decision);
  const closed = decision.close === true ? await cleanUpWhenIdle(trx, row, decision.actor) : undefined;
  await insertReplies(trx, pull.id, decision);
  await wantPublication(trx, [pull.id]);
  return {
    runIds: [...readied, ...runIds],
    pullRequestIds: [pull.id, ...(released?.pullRequestIds ?? []), ...(closed?.pullRequestIds ?? [])],
    deliveries: [...(released?.deliveries ?? []), ...(closed?.deliveries ?? [])],
  };
}

/** Nobody waits for a drift check; whoever waits for its project goes first. */
async function stopDriftChecks(trx: Transaction<Database>, { runs }: NewBatch): Promise<void> {
  if (runs.length === 0) return;
  const checks = await trx
    .selectFrom('runs')
    .select('id')
    .where('operation', '=', 'drift_check')
    .where('state', 'in', ['queued', 'claimed', 'running'])
    .where(
      'project_key',
      'in',
      runs.map((run) => run.projectKey),
    )
    .execute();
  for (const { id } of checks)
    await stopRun(trx, id, 'A pull request works on this project; it is checked afterwards.');
}

/**
 * What the same trigger led to before: the ready runs of its batch, or nothing but its answer. A decision that is made again changes
 * nothing, even when by now it would be another one: what was a plan then may not become an answer, nor an answer an apply.
 */
async function findRecorded(trx: Transaction<Database>, decision: Decision): Promise<readonly string[] | undefined> {
  const replies = (decision.replies ?? []).map((reply) => reply.key);
  const keys = [decision.batch?.triggerKey, decision.triggerKey, ...replies].filter((key) => key !== undefined);
  if (keys.length === 0) return undefined;
  const batch = await trx.selectFrom('batches').select('id').where('trigger_key', 'in', keys).executeTakeFirst();
  if (batch === undefined) {
    const reply = await trx.selectFrom('replies').select('id').where('key', 'in', keys).executeTakeFirst();
    return reply && [];
  }
  const runs = await trx
    .selectFrom('runs')
    .select('id')
    .where('batch_id', '=', batch.id)
    .where('ready', '=', true)
    .execute();
  return runs.map((run) => run.id);
}

/** People without a say are answered only so often. */
async function mayAnswer(
  trx: Transaction<Database>,
  pull: { readonly id: string; readonly repository_id: string },
  { stranger, replies = [] }: Decision,
): Promise<boolean> {
  if (stranger === undefined) return true;
  for (const { view } of replies) {
    const kind = 'kind' in view ? view.kind : '';
    if (!mayAnswerOnceMore(await countAnswers(trx, pull, stranger, kind))) return false;
  }
  return true;
}

/** One that was to be cleaned up as soon as nothing of it runs is worked on again. */
async function keepWhatItHas(trx: Transaction<Database>, id: PullRequestId): Promise<void> {
  await trx
    .updateTable('pull_requests')
    .set({ cleanup_pending: false })
    .where('id', '=', id)
    .where('cleanup_pending', '=', true)
    .execute();
}

async function release(
  trx: Transaction<Database>,
  pull: { readonly id: PullRequestId; readonly number: number },
  decision: Decision,
) {
  if (decision.release === undefined || decision.release.length === 0) return undefined;
  if (decision.release === 'all') return releaseEverything(trx, pull, decision.actor);
  await discardPlans(trx, pull.id, decision.release);
  await trx
    .deleteFrom('lock_waits')
    .where('pull_request_id', '=', pull.id)
    .where('project_key', 'in', [...decision.release])
    .execute();
  return releaseLocks(trx, pull, decision.release, decision.actor);
}

/** Answers what became ready in their stead. */
async function cancelRuns(trx: Transaction<Database>, decision: Decision): Promise<readonly string[]> {
  const batches = new Set<string>();
  for (const { runId, reason } of decision.cancel ?? []) {
    const batchId = await stopRun(trx, runId, reason);
    if (batchId !== undefined) batches.add(batchId);
    await audit(trx, [{ actor: decision.actor, subject: `run:${runId}`, event: 'cancel', detail: { reason } }]);
  }
  const readied: string[] = [];
  for (const batchId of batches) readied.push(...(await settleBatch(trx, batchId)));
  return readied;
}

/** Answers the batch of one that was queued; any other is asked to stop. */
async function stopRun(trx: Transaction<Database>, runId: string, reason: string): Promise<string | undefined> {
  const queued = await trx
    .updateTable('runs')
    .set({
      state: 'cancelled',
      finished_at: sql`now()`,
      cancel_reason: reason,
      result: storableJson({ kind: 'cancelled', reason }),
    })
    .where('id', '=', runId)
    .where('state', '=', 'queued')
    .returning('batch_id')
    .executeTakeFirst();
  if (queued === undefined) await askToStop(trx, runId, reason);
  return queued?.batch_id;
}

async function askToStop(trx: Transaction<Database>, runId: string, reason: string): Promise<void> {
  await trx
    .updateTable('runs')
    .set({ cancel_requested_at: sql`now()`, cancel_reason: reason })
    .where('id', '=', runId)
    .where('state', 'in', ['claimed', 'running'])
    .where('cancel_requested_at', 'is', null)
    .execute();
}

async function insertBatch(
  trx: Transaction<Database>,
  pull: { readonly id: PullRequestId; readonly repository_id: string; readonly base_ref: string },
  batch: NewBatch,
): Promise<readonly string[]> {
  const batchId = randomUUID();
  const at = await readClock(trx);
  await trx
    .insertInto('batches')
    .values({
      id: batchId,
      created_at: at,
      pull_request_id: pull.id,
      trigger_key: batch.triggerKey,
      operation: batch.operation,
      trigger: batch.trigger,
      actor_id: batch.actor.id,
      actor_login: batch.actor.login,
      head_sha: batch.headSha,
      base_ref: pull.base_ref,
      base_sha: batch.baseSha,
      merge_sha: batch.mergeSha ?? null,
      source_comment_id: batch.sourceCommentId ?? null,
      notes: storableJson(batch.notes),
      finished_at: batch.runs.length === 0 ? at : null,
    })
    .execute();
  const runs = batch.runs.map((run) => ({ ...run, id: randomUUID() }));
  const step = advanceBatch(
    batch.operation,
    batch.notes,
    runs.map((run) => ({ id: run.id, state: 'queued', ready: false, project: run.project })),
  );
  if (runs.length === 0) return [];
  await trx
    .insertInto('runs')
    .values(
      runs.map((run, place) => ({
        id: run.id,
        batch_id: batchId,
        pull_request_id: pull.id,
        repository_id: pull.repository_id,
        project_key: run.projectKey,
        project: storableJson(run.project),
        operation: batch.operation,
        state: 'queued' as const,
        ready: step.ready.includes(run.id),
        priority: batch.operation === 'apply' ? 10 : 0,
        // Wherever runs are put in order they are in that of the decision.
        queued_at: sql<Date>`${at} + ${place}::int * interval '1 microsecond'`,
      })),
    )
    .execute();
  await audit(
    trx,
    runs.map((run) => ({
      actor: batch.actor.login,
      subject: `run:${run.id}`,
      event: 'queued',
      detail: { operation: batch.operation, trigger: batch.trigger, project: run.projectKey, head: batch.headSha },
    })),
  );
  return step.ready;
}

/** Decisions are in the order in which they had the pull request's row: `now()` is that in which they began to wait for it. */
async function readClock(trx: Transaction<Database>): Promise<RawBuilder<Date>> {
  // As text: a Date has no microseconds.
  const { rows } = await sql<{ at: string }>`select clock_timestamp()::text as at`.execute(trx);
  return sql<Date>`${rows[0]?.at}::timestamptz`;
}

async function insertReplies(
  trx: Transaction<Database>,
  pullRequestId: PullRequestId,
  decision: Decision,
): Promise<void> {
  for (const reply of decision.replies ?? []) {
    await trx
      .insertInto('replies')
      .values({
        id: randomUUID(),
        key: reply.key,
        pull_request_id: pullRequestId,
        kind: reply.kind,
        stranger_id: decision.stranger ?? null,
        view: storableJson(reply.view),
        state: 'wanted',
      })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .execute();
  }
  for (const { commentId, reaction } of decision.reactions ?? []) {
    await trx
      .insertInto('reactions')
      .values({ pull_request_id: pullRequestId, comment_id: commentId, reaction })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}
