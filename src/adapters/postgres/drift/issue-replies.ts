import { randomUUID } from 'node:crypto';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type AnswersGiven, COUNTED_MS, mayAnswerOnceMore } from '../../../core/answer-limits.ts';
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
  const { repositoryId, view, reactions } = answer;
  if (!(await mayBeAnswered(trx, answer))) return;
  if (view !== undefined) await insertReply(trx, { ...answer, view });
  for (const reaction of reactions) {
    await trx
      .insertInto('issue_reactions')
      .values({ repository_id: repositoryId, comment_id: reaction.commentId, reaction: reaction.reaction })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  await wantReport(trx, repositoryId);
}

/** The rows of issues are locked, so that on one of them the count is exact. */
async function mayBeAnswered(
  trx: Transaction<Database>,
  { repositoryId, number, stranger, view }: IssueAnswer,
): Promise<boolean> {
  if (stranger === undefined) return true;
  await trx
    .selectFrom('drift_issues')
    .select('id')
    .where('repository_id', '=', repositoryId)
    .where('number', '=', number)
    .forUpdate()
    .execute();
  const { rows } = await sql<AnswersGiven>`
    select count(*) filter (
        where number = ${number} and stranger_id = ${stranger} and view->>'kind' = ${view?.kind ?? null})::int as same,
      (count(*) + (select count(*) from replies r join pull_requests p on p.id = r.pull_request_id
        where r.stranger_id is not null and r.created_at > ${COUNTED_SINCE} and p.repository_id = ${repositoryId})
      )::int as "inRepository"
    from issue_replies
    where stranger_id is not null and created_at > ${COUNTED_SINCE} and repository_id = ${repositoryId}`.execute(trx);
  return rows.every(mayAnswerOnceMore);
}

const COUNTED_SINCE = sql`clock_timestamp() - make_interval(secs => ${COUNTED_MS / 1000})`;

type NewIssueReply = Pick<IssueAnswer, 'key' | 'repositoryId' | 'number' | 'stranger'> & { readonly view: DriftReply };

export async function insertReply(
  trx: Transaction<Database>,
  { key, repositoryId, number, view, stranger }: NewIssueReply,
): Promise<PendingIssueReply> {
  const id = randomUUID();
  await trx
    .insertInto('issue_replies')
    .values({ id, key, repository_id: repositoryId, number, view: storableJson(view), stranger_id: stranger ?? null })
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
