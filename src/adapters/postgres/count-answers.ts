import { type Kysely, sql } from 'kysely';
import { type AnswersGiven, COUNTED_MS } from '../../core/answer-limits.ts';
import type { Database } from './schema.ts';

/** What people without a say were answered of late. The caller has locked the pull request's row, so on one pull request the count is exact. */
export async function countAnswers(
  db: Kysely<Database>,
  pull: { readonly id: string; readonly repository_id: string },
  strangerId: string,
  kind: string,
): Promise<AnswersGiven> {
  const { rows } = await sql<AnswersGiven>`
    select count(*) filter (
        where r.pull_request_id = ${pull.id} and r.stranger_id = ${strangerId} and r.view->>'kind' = ${kind})::int as same,
      count(*)::int as "inRepository"
    from replies r join pull_requests p on p.id = r.pull_request_id
    where r.stranger_id is not null and r.created_at > clock_timestamp() - make_interval(secs => ${COUNTED_MS / 1000})
      and p.repository_id = ${pull.repository_id}`.execute(db);
  return rows[0] ?? { same: 0, inRepository: 0 };
}
