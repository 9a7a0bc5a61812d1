import { type Kysely, sql } from 'kysely';

/** Logins that were ended before they expire. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table ended_sessions (id text primary key, expires_at timestamptz not null)`.execute(db);
}
