import { type Kysely, sql } from 'kysely';

/** The record of everything: deliveries, pull requests, batches and runs, leases, locks, plans, what was and is to be published. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table deliveries (
    host text not null, id text not null, event text not null, action text, repository text,
    payload text not null,
    state text not null default 'received' check (state in ('received', 'handled', 'failed')),
    error text, attempts integer not null default 0,
    received_at timestamptz not null default now(), handled_at timestamptz,
    primary key (host, id))`,
  `create index deliveries_unhandled on deliveries (received_at) where state <> 'handled'`,

  `create table repositories (
    id text primary key, host text not null, host_id text not null,
    owner text not null, name text not null, default_branch text not null,
    archived boolean not null, private boolean not null, url text not null,
    updated_at timestamptz not null default now(),
    unique (host, host_id))`,

  // version: raised by every change of the facts; a decision made on older facts is made again.
  // cleanup_pending: closed while an apply was running; what is left is done when the apply ends.
  // publish_wanted/publish_done: what should be seen was changed / was published up to there.
  `create table pull_requests (
    id text primary key, repository_id text not null references repositories (id) on delete cascade,
    number integer not null, title text not null, url text not null,
    state text not null check (state in ('open', 'closed', 'merged')),
    draft boolean not null, fork boolean not null,
    author_id text not null, author_login text not null,
    head_sha text not null, head_ref text not null, base_ref text not null, base_sha text not null, node_id text not null,
    version integer not null default 0,
    cleanup_pending boolean not null default false,
    comment_id text, comment_node_id text, comment_hash text, comment_edited_at timestamptz,
    check_run_id text, check_run_sha text, check_run_hash text,
    publish_wanted integer not null default 0, publish_done integer not null default 0, 
    publish_lease_owner text, publish_lease_token bigint, publish_lease_renewed_at timestamptz, publish_lease_until timestamptz,
    updated_at timestamptz not null default now(),
    unique (repository_id, number))`,
  `create index pull_requests_unpublished on pull_requests (id) where publish_wanted > publish_done`,

  // trigger_key: what made the batch, so that handling the same thing twice makes one batch.
  `create table batches (
    id text primary key, pull_request_id text not null references pull_requests (id) on delete cascade,
    trigger_key text not null unique,
    operation text not null, trigger text not null, actor_id text not null, actor_login text not null,
    head_sha text not null, base_sha text not null, merge_sha text,
    source_comment_id text, notes jsonb not null,
    created_at timestamptz not null default now(), finished_at timestamptz)`,
  `create index batches_by_pull_request on batches (pull_request_id, created_at)`,

  // ready: everything that must end before it has ended. apply_started_at: written before terraform apply is started.
  `create table runs (
    id text primary key, batch_id text not null references batches (id) on delete cascade,
    pull_request_id text not null references pull_requests (id) on delete cascade,
    repository_id text not null references repositories (id) on delete cascade,
    project_key text not null, project jsonb not null, operation text not null,
    state text not null check (state in ('queued', 'claimed', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted')),
    ready boolean not null, attempts integer not null default 0, priority integer not null default 0,
    lease_owner text, lease_token bigint, lease_renewed_at timestamptz, lease_expires_at timestamptz,
    inputs_digest text, apply_started_at timestamptz, cancel_requested_at timestamptz, cancel_reason text,
    result jsonb, progress jsonb, phases jsonb not null default '[]',
    queued_at timestamptz not null default now(), claimed_at timestamptz, started_at timestamptz, finished_at timestamptz)`,
  `create index runs_claimable on runs (priority desc, queued_at) where state = 'queued' and ready`,
  `create index runs_active on runs (lease_expires_at) where state in ('claimed', 'running')`,
  `create index runs_by_batch on runs (batch_id)`,
  `create index runs_by_pull_request on runs (pull_request_id, queued_at desc)`,
  `create index runs_by_time on runs (queued_at desc)`,

  // One row while a run works on the project, on any machine. The token only ever grows: the fence.
  `create sequence lease_tokens`,
  `create table project_leases (
    project_key text primary key, run_id text not null references runs (id) on delete cascade, token bigint not null)`,

  `create table project_locks (
    project_key text primary key, repository_id text not null references repositories (id) on delete cascade,
    pull_request_id text not null references pull_requests (id) on delete cascade,
    dir text not null, workspace text not null, name text, actor_login text not null,
    taken_at timestamptz not null default now())`,
  `create index project_locks_by_pull_request on project_locks (pull_request_id)`,
  `create table lock_waits (
    project_key text not null, pull_request_id text not null references pull_requests (id) on delete cascade,
    since timestamptz not null default clock_timestamp(), primary key (project_key, pull_request_id))`,

  // artifact and plan_text are sealed; they are dropped when the plan is no longer current.
  `create table plans (
    id text primary key, run_id text not null references runs (id) on delete cascade,
    pull_request_id text not null references pull_requests (id) on delete cascade, project_key text not null,
    head_sha text not null, base_sha text not null, merge_sha text not null,
    inputs_digest text not null, canonical_digest text not null, empty boolean not null,
    state text not null check (state in ('current', 'applied', 'superseded', 'discarded')),
    artifact bytea, plan_text bytea, created_at timestamptz not null default now())`,
  `create unique index plans_current on plans (pull_request_id, project_key) where state = 'current'`,
  `create index plans_by_run on plans (run_id)`,

  `create table applies (
    run_id text primary key, project_key text not null,
    pull_request_id text not null references pull_requests (id) on delete cascade,
    sha text not null, inputs_digest text not null, approved_digest text not null, applied_digest text not null,
    applied_at timestamptz not null default now())`,
  `create index applies_by_project on applies (project_key, applied_at desc)`,

  `create table run_output (
    run_id text not null references runs (id) on delete cascade, seq integer not null, chunk bytea not null,
    primary key (run_id, seq))`,

  // The outbox: posting is written before the host is asked, so that a crash in between is seen.
  `create table replies (
    id text primary key, key text not null unique, pull_request_id text not null references pull_requests (id) on delete cascade,
    kind text not null, view jsonb not null,
    state text not null default 'wanted' check (state in ('wanted', 'posting', 'posted', 'given_up')),
    comment_id text, comment_node_id text, minimized boolean not null default false,
    created_at timestamptz not null default clock_timestamp(), posted_at timestamptz)`,
  `create index replies_by_pull_request on replies (pull_request_id, created_at)`,
  `create table reactions (
    pull_request_id text not null references pull_requests (id) on delete cascade,
    comment_id text not null, reaction text not null, done boolean not null default false,
    primary key (pull_request_id, comment_id, reaction))`,
  `create table published_statuses (
    pull_request_id text not null references pull_requests (id) on delete cascade,
    sha text not null, context text not null, hash text not null,
    primary key (pull_request_id, sha, context))`,
  `create table merges (
    pull_request_id text primary key references pull_requests (id) on delete cascade,
    head_sha text not null, method text,
    state text not null default 'wanted' check (state in ('wanted', 'merged', 'refused')), reason text,
    created_at timestamptz not null default now())`,

  // What must not be lost though the checkout is: errored.tfstate. Sealed.
  `create table artifacts (
    run_id text not null references runs (id) on delete cascade, name text not null, content bytea not null,
    created_at timestamptz not null default now(), primary key (run_id, name))`,

  `create table audit_log (
    id bigserial primary key, at timestamptz not null default clock_timestamp(),
    actor text not null, subject text not null, event text not null, detail jsonb not null)`,
  `create index audit_log_by_subject on audit_log (subject, id)`,
  `create table settings (key text primary key, value text not null)`,
];
