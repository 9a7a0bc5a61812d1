import { type Kysely, sql } from 'kysely';

/** stranger_id: the account that was answered, when it has no say in the repository; such answers are counted. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table replies add column stranger_id text`.execute(db);
  await sql`create index replies_to_strangers on replies (created_at) where stranger_id is not null`.execute(db);
}
