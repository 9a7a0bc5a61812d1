import { randomUUID } from 'node:crypto';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { DriftReply } from '../../../core/drift/drift-reply.ts';
import type { IssueAnswer, PendingIssueReply, ReportState, ReportStore } from '../../../ports/report-store.ts';
import type { Database } from '../schema.ts';
import { storableJson } from '../storable-json.ts';
import { transact } from '../transact.ts';
import { wantReport } from './drift-rows.ts';

type ReplyCalls = 'isAnswered' | 'answer' | 'beginReply' | 'endReply' | 'endReaction';

/** The outbox of what is said on issues. */
export function issueReplies(db: Kysely<Database>): Pick<ReportStore, ReplyCalls> {
  return {
    isAnswered: async (key) => {
      const row = await db.selectFrom('issue_replies').select('id').where('key', '=', key).executeTakeFirst();
      return row !== undefined;
    },
    answer: (answer) => transact(db, (trx) => record(trx, answer)),
    beginReply: async (id) => {
      await db.updateTable('issue_replies').set({ state: 'posting' }).where('id', '=', id).execute();
    },
    endReply: async (id, commentId) => {
      await db
        .updateTable('issue_replies')
        .set({
          state: commentId === undefined ? 'given_up' : 'posted',
          comment_id: commentId ?? null,
          posted_at: sql`now()`,
        })
        .where('id', '=', id)
        .execute();
    },
    endReaction: async (repositoryId, { commentId, reaction }) => {
      await db
        .updateTable('issue_reactions')
        .set({ done: true })
        .where('repository_id', '=', repositoryId)
        .where('comment_id', '=', commentId)
        .where('reaction', '=', reaction)
        .execute();
    },
  };
}

async function record(trx: Transaction<Database>, answer: IssueAnswer): Promise<void> {
  const { repositoryId, view, reactions, strangerPauseMs } = answer;
  if (strangerPauseMs !== undefined && (await wasStrangerAnswered(trx, answer, strangerPauseMs))) return;
  if (view !== undefined) await insertReply(trx, { ...answer, view, stranger: strangerPauseMs !== undefined });
  for (const reaction of reactions) {
    await trx
      .insertInto('issue_reactions')
      .values({ repository_id: repositoryId, comment_id: reaction.commentId, reaction: reaction.reaction })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  await wantReport(trx, repositoryId);
}

async function wasStrangerAnswered(
  trx: Transaction<Database>,
  { repositoryId, number }: IssueAnswer,
  withinMs: number,
): Promise<boolean> {
  // Several may come at once.
  await trx
    .selectFrom('drift_issues')
    .select('id')
    .where('repository_id', '=', repositoryId)
    .where('number', '=', number)
    .forUpdate()
    .execute();
  const row = await trx
    .selectFrom('issue_replies')
    .select('id')
    .where('repository_id', '=', repositoryId)
    .where('number', '=', number)
    .where('stranger', '=', true)
    .where(sql<boolean>`created_at > clock_timestamp() - make_interval(secs => ${withinMs / 1000})`)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

interface NewIssueReply extends Pick<IssueAnswer, 'key' | 'repositoryId' | 'number'> {
  readonly view: DriftReply;
  readonly stranger?: boolean;
}

export async function insertReply(
  trx: Transaction<Database>,
  { key, repositoryId, number, view, stranger = false }: NewIssueReply,
): Promise<PendingIssueReply> {
  const id = randomUUID();
  await trx
    .insertInto('issue_replies')
    .values({ id, key, repository_id: repositoryId, number, view: storableJson(view), stranger })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  return { id, number, view, mayExist: false };
}

export async function readPending(
  trx: Transaction<Database>,
  repositoryId: string,
): Promise<Pick<ReportState, 'replies' | 'reactions'>> {
  const replies = await trx
    .selectFrom('issue_replies')
    .selectAll()
    .where('repository_id', '=', repositoryId)
    .where('state', 'in', ['wanted', 'posting'])
    .orderBy('created_at')
    .execute();
  const reactions = await trx
    .selectFrom('issue_reactions')
    .select(['comment_id', 'reaction'])
    .where('repository_id', '=', repositoryId)
    .where('done', '=', false)
    .execute();
  return {
    replies: replies.map(({ id, number, view, state }) => ({
      id,
      number,
      view: view as DriftReply,
      mayExist: state === 'posting',
    })),
    reactions: reactions.map(({ comment_id: commentId, reaction }) => ({ commentId, reaction })),
  };
}
