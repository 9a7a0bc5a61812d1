import { type Kysely, sql } from 'kysely';

/** plan_version: grows with what a plan is made anew for. It begins where version is, under which plans were recorded until now. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table pull_requests add column plan_version integer not null default 1`.execute(db);
  await sql`update pull_requests set plan_version = version`.execute(db);
}
