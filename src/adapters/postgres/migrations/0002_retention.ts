import { type Kysely, sql } from 'kysely';

/** What the removal of old rows needs to find them, and what a deleted pull request takes with it, without reading whole tables. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // What was stored before counts from now on.
  `alter table run_output add column stored_at timestamptz not null default now()`,
  `create index run_output_by_time on run_output (stored_at)`,
  `create index deliveries_settled on deliveries ((coalesce(handled_at, received_at))) where state <> 'received'`,
  `create index plans_with_text on plans (created_at)
    where state <> 'current' and (plan_text is not null or artifact is not null)`,
  `create index plans_by_pull_request on plans (pull_request_id)`,
  `create index pull_requests_ended on pull_requests (updated_at) where state <> 'open'`,
  `create index batches_finished on batches (finished_at)`,
  `create index runs_by_state on runs (state)`,
  `create index applies_by_time on applies (applied_at)`,
  `create index applies_by_pull_request on applies (pull_request_id)`,
  `create index lock_waits_by_pull_request on lock_waits (pull_request_id)`,
  `create index replies_by_time on replies (created_at)`,
  `create index audit_log_by_time on audit_log (at)`,
];
