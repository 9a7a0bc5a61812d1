import { type Kysely, sql } from 'kysely';
import type { PullRequestId } from '../../core/record.ts';
import type { PublicationStore } from '../../ports/publication-store.ts';
import { openPublication } from './open-publication.ts';
import { PULL_REQUESTS, publishLeases } from './publish-leases.ts';
import { wantPublication } from './rows.ts';
import type { Database } from './schema.ts';
import { transact } from './transact.ts';

export function createPublicationStore(db: Kysely<Database>): PublicationStore {
  return {
    open: (id, worker) => transact(db, (trx) => openPublication(trx, id, worker)),
    want: (id) => wantPublication(db, [id]),
    ...publishLeases<PullRequestId>(db, PULL_REQUESTS),
    findPullRequestOfBatch: async (batchId) => {
      const row = await db.selectFrom('batches').select('pull_request_id').where('id', '=', batchId).executeTakeFirst();
      return row?.pull_request_id as PullRequestId | undefined;
    },
    findMerge: async (id) => {
      const row = await db
        .selectFrom('merges')
        .select(['state', 'reason'])
        .where('pull_request_id', '=', id)
        .executeTakeFirst();
      return row && { state: row.state, reason: row.reason ?? undefined };
    },
    ...writes(db),
  };
}

type WriteCalls =
  | 'saveComment'
  | 'beginCheckRun'
  | 'saveCheckRun'
  | 'saveStatus'
  | 'beginReply'
  | 'endReply'
  | 'endReaction'
  | 'endMinimize'
  | 'endMerge';

function writes(db: Kysely<Database>): Pick<PublicationStore, WriteCalls> {
  return {
    saveComment: async (id, comment) => {
      await db
        .updateTable('pull_requests')
        .set({
          comment_id: comment?.id ?? null,
          comment_node_id: comment?.nodeId ?? null,
          comment_hash: comment?.hash ?? null,
          comment_edited_at: sql`now()`,
        })
        .where('id', '=', id)
        .execute();
    },
    beginCheckRun: async (id, { sha, externalId }) => {
      await db
        .updateTable('pull_requests')
        .set({ check_run_id: null, check_run_sha: sha, check_run_hash: externalId })
        .where('id', '=', id)
        .execute();
    },
    saveCheckRun: async (id, checkRun) => {
      await db
        .updateTable('pull_requests')
        .set({ check_run_id: checkRun.id, check_run_sha: checkRun.sha, check_run_hash: checkRun.hash })
        .where('id', '=', id)
        .execute();
    },
    saveStatus: async (id, sha, context, hash) => {
      await db
        .insertInto('published_statuses')
        .values({ pull_request_id: id, sha, context, hash })
        .onConflict((conflict) => conflict.columns(['pull_request_id', 'sha', 'context']).doUpdateSet({ hash }))
        .execute();
    },
    beginReply: async (replyId) => {
      await db.updateTable('replies').set({ state: 'posting' }).where('id', '=', replyId).execute();
    },
    endReply: async (replyId, comment) => {
      await db
        .updateTable('replies')
        .set({
          state: comment === undefined ? 'given_up' : 'posted',
          comment_id: comment?.id ?? null,
          comment_node_id: comment?.nodeId ?? null,
          posted_at: sql`now()`,
        })
        .where('id', '=', replyId)
        .execute();
    },
    endReaction: async (id, commentId, reaction) => {
      await db
        .updateTable('reactions')
        .set({ done: true })
        .where('pull_request_id', '=', id)
        .where('comment_id', '=', commentId)
        .where('reaction', '=', reaction as 'eyes')
        .execute();
    },
    endMinimize: async (nodeIds) => {
      if (nodeIds.length === 0) return;
      await db
        .updateTable('replies')
        .set({ minimized: true })
        .where('comment_node_id', 'in', [...nodeIds])
        .execute();
    },
    endMerge: async (id, state, reason) => {
      await db
        .updateTable('merges')
        .set({ state, reason: reason ?? null })
        .where('pull_request_id', '=', id)
        .execute();
    },
  };
}
