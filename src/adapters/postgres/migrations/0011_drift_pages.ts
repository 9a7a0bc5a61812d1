import { type Kysely, sql } from 'kysely';

/** What the pages and the metrics ask of drift, and what is asked of the outbox of notifications again and again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // What happened, by what it is told apart; only ever grows.
  'create table counters (name text not null, label text not null, value bigint not null, primary key (name, label))',

  // What follows from state, schedule and last success, so that projects can be found by it. failed_checks: of `check` blocks.
  `alter table drift_projects add column failing boolean not null default false, add column overdue_at timestamptz,
    add column failed_checks integer not null default 0`,

  'create index notifications_waiting on notifications (receiver, project_key, created_at, id) where state = $$wanted$$',
  'create index notifications_newest on notifications (created_at desc, id desc)',
];
