import { randomUUID } from 'node:crypto';
import { type Transaction, sql } from 'kysely';
import { advanceBatch, type BatchNotes } from '../../core/batch.ts';
import { isPullRequestOperation } from '../../core/run.ts';
import { audit } from './audit.ts';
import type { Database } from './schema.ts';
import { storableJson } from './storable-json.ts';

/**
 * Moves a batch on after one of its runs has ended: what may start becomes ready, what cannot any more is cancelled, and when all
 * have ended the answer is put into the outbox. The caller has locked the pull request's row, so two ends of one batch come one by one.
 */
export async function settleBatch(trx: Transaction<Database>, batchId: string): Promise<readonly string[]> {
  const batch = await trx.selectFrom('batches').selectAll().where('id', '=', batchId).executeTakeFirstOrThrow();
  const { operation, pull_request_id: pullRequestId } = batch;
  if (batch.finished_at !== null || pullRequestId === null || !isPullRequestOperation(operation)) return [];
  const runs = await trx
    .selectFrom('runs')
    .select(['id', 'state', 'ready', 'project'])
    .where('batch_id', '=', batchId)
    .orderBy('queued_at')
    .orderBy('id')
    .execute();
  const step = advanceBatch(operation, batch.notes, runs);
  for (const { id, reason } of step.cancel) {
    await trx
      .updateTable('runs')
      .set({
        state: 'cancelled',
        finished_at: sql`now()`,
        cancel_reason: reason,
        result: storableJson({ kind: 'cancelled', reason }),
      })
      .where('id', '=', id)
      .where('state', '=', 'queued')
      .execute();
    await audit(trx, [{ actor: 'holdfast', subject: `run:${id}`, event: 'cancelled', detail: { reason } }]);
  }
  if (step.ready.length > 0) {
    await trx
      .updateTable('runs')
      .set({ ready: true })
      .where('id', 'in', [...step.ready])
      .execute();
  }
  if (step.finished) await finishBatch(trx, { ...batch, pull_request_id: pullRequestId });
  return step.ready;
}

interface BatchRow {
  readonly id: string;
  readonly pull_request_id: string;
  readonly operation: string;
  readonly head_sha: string;
  readonly source_comment_id: string | null;
  readonly notes: Pick<BatchNotes, 'automerge' | 'leftOut'>;
}

async function finishBatch(trx: Transaction<Database>, batch: BatchRow): Promise<void> {
  await trx.updateTable('batches').set({ finished_at: sql`now()` }).where('id', '=', batch.id).execute();
  const states = await trx.selectFrom('runs').select('state').where('batch_id', '=', batch.id).execute();
  // Who asked for more than could be applied has to look.
  const succeeded = states.every((run) => run.state === 'succeeded') && !batch.notes.leftOut?.unmet.length;
  if (batch.source_comment_id !== null) {
    await trx
      .insertInto('reactions')
      .values({
        pull_request_id: batch.pull_request_id,
        comment_id: batch.source_comment_id,
        reaction: succeeded ? 'rocket' : 'confused',
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  if (batch.operation !== 'apply') return;
  await trx
    .insertInto('replies')
    .values({
      id: randomUUID(),
      key: `apply:${batch.id}`,
      pull_request_id: batch.pull_request_id,
      kind: 'apply',
      view: JSON.stringify({ batchId: batch.id }),
      state: 'wanted',
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  if (succeeded && batch.notes.automerge && (await everythingApplied(trx, batch.pull_request_id))) {
    await trx
      .insertInto('merges')
      .values({
        pull_request_id: batch.pull_request_id,
        head_sha: batch.head_sha,
        method: batch.notes.automerge.method ?? null,
        state: 'wanted',
      })
      .onConflict((conflict) =>
        conflict
          .column('pull_request_id')
          .doUpdateSet({ head_sha: batch.head_sha, state: 'wanted', reason: null })
          .where('merges.state', '<>', 'merged'),
      )
      .execute();
  }
}

/** No plan of the pull request is waiting to be applied, none failed, and nothing is running. */
async function everythingApplied(trx: Transaction<Database>, pullRequestId: string): Promise<boolean> {
  const waiting = await trx
    .selectFrom('plans')
    .select('id')
    .where('pull_request_id', '=', pullRequestId)
    .where('state', '=', 'current')
    .where('empty', '=', false)
    .executeTakeFirst();
  if (waiting !== undefined) return false;
  const latest = await trx
    .selectFrom('runs')
    .distinctOn('project_key')
    .select(['project_key', 'state'])
    .where('pull_request_id', '=', pullRequestId)
    .orderBy('project_key')
    .orderBy('queued_at', 'desc')
    .execute();
  return latest.every((run) => run.state === 'succeeded');
}
