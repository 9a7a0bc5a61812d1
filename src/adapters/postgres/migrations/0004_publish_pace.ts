import { type Kysely, sql } from 'kysely';

/** publish_due: what is left to be published is only waiting for its time; null once anything more is wanted. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table pull_requests add column publish_due timestamptz`.execute(db);
}
