import { type Kysely, sql } from 'kysely';

/** Drift: tracked branches and their projects, what was found of them, the issues that tell of it, and who else is told. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // Without a pull request: a run on the tracked branch.
  `alter table batches alter column pull_request_id drop not null`,
  `alter table runs alter column pull_request_id drop not null`,
  `alter table applies alter column pull_request_id drop not null`,
  `create index runs_by_project on runs (project_key, queued_at desc)`,

  // tip: of the branch when it was last looked at; synced_tip: whose projects are the ones in drift_projects.
  // report_wanted/report_done: what its issues should say was changed / was published up to there.
  // report_due: what is left of it waits until then.
  `create table tracked_branches (
    repository_id text primary key references repositories (id) on delete cascade,
    branch text not null, tip text, synced_tip text, settings_digest text,
    polled_at timestamptz, problem text, problem_since timestamptz,
    report_wanted integer not null default 0, report_done integer not null default 0, report_due timestamptz,
    publish_lease_owner text, publish_lease_token bigint, publish_lease_renewed_at timestamptz, publish_lease_until timestamptz)`,
  `create index tracked_branches_unreported on tracked_branches (repository_id) where report_wanted > report_done`,

  // listed: the branch has it still. run_id: the check or remediation that is queued or running. due_at: null when it is never due.
  // starts_per_minute: what its schedule asks for on average. findings is sealed; what it holds is masked.
  `create table drift_projects (
    project_key text primary key, repository_id text not null references repositories (id) on delete cascade,
    project jsonb not null, settings jsonb not null, listed boolean not null,
    tip text not null, inputs_digest text not null, baseline_digest text,
    schedule text not null, due_at timestamptz, starts_per_minute double precision not null,
    request jsonb, run_id text, last_check_at timestamptz, last_success_at timestamptz,
    sync text not null, skip jsonb, suspension jsonb, silences jsonb not null default '[]',
    approvals jsonb not null default '[]', state jsonb not null,
    findings bytea, found_at timestamptz not null default clock_timestamp())`,
  `create index drift_projects_due on drift_projects (due_at) where listed`,
  `create index drift_projects_requested on drift_projects (project_key) where request is not null`,
  `create index drift_projects_running on drift_projects (run_id) where run_id is not null`,
  `create index drift_projects_by_repository on drift_projects (repository_id)`,

  // An issue of ours. id stands in its text, and says nothing. posting is written before the host is asked for a new one, at begun_at.
  // by_people_at: somebody else brought it into its state, after us. hash: of what it says; fingerprint: of the drift it shows.
  `create table drift_issues (
    id text primary key, repository_id text not null references repositories (id) on delete cascade,
    kind text not null check (kind in ('project', 'summary', 'dashboard')), project_key text,
    state text not null check (state in ('posting', 'open', 'closed', 'gone')),
    number integer, url text, hash text, fingerprint text, by_people_at timestamptz,
    begun_at timestamptz not null default clock_timestamp(), unique nulls not distinct (repository_id, kind, project_key))`,
  `create index drift_issues_by_number on drift_issues (repository_id, number)`,

  // What we say on drift issues: the outbox, as replies is for pull requests. stranger_id: as in replies.
  `create table issue_replies (
    id text primary key, key text not null unique,
    repository_id text not null references repositories (id) on delete cascade, number integer not null,
    comment_id text, view jsonb not null, stranger_id text,
    state text not null default 'wanted' check (state in ('wanted', 'posting', 'posted', 'given_up')),
    created_at timestamptz not null default clock_timestamp(), posted_at timestamptz)`,
  `create index issue_replies_open on issue_replies (repository_id, created_at) where state in ('wanted', 'posting')`,
  `create index issue_replies_to_strangers on issue_replies (repository_id, created_at) where stranger_id is not null`,
  `create table issue_reactions (
    repository_id text not null references repositories (id) on delete cascade, comment_id text not null,
    reaction text not null check (reaction in ('eyes', 'rocket', 'confused')), done boolean not null default false,
    primary key (repository_id, comment_id, reaction))`,
  `create index issue_reactions_open on issue_reactions (repository_id) where not done`,

  // The outbox of notifications, and afterwards the log of their delivery. key: once per thing that is told and receiver.
  `create table notifications (
    id text primary key, key text not null unique, receiver text not null, event text not null,
    repository_id text not null references repositories (id) on delete cascade, project_key text,
    payload jsonb not null, state text not null default 'wanted' check (state in ('wanted', 'sent', 'given_up')),
    attempts integer not null default 0, due_at timestamptz not null default clock_timestamp(), error text,
    created_at timestamptz not null default clock_timestamp(), sent_at timestamptz)`,
  `create index notifications_due on notifications (due_at) where state = 'wanted'`,
];
