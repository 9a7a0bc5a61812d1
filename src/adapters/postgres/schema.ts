import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { BatchNotes, BatchTrigger, RunPhase, RunResult } from '../../core/batch.ts';
import type { Progress } from '../../core/plan.ts';
import type { Project } from '../../core/project.ts';
import type { Operation, RunState } from '../../core/run.ts';

/** Filled by PostgreSQL's own clock unless given. */
type RecordedInstant = ColumnType<Date, Date | string | undefined, Date | string>;
type OptionalInstant = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
type Json<T extends object> = JSONColumnType<T, string, string>;
type OptionalJson<T extends object> = ColumnType<T | null, string | null | undefined, string | null>;

/** Every table of Holdfast's record, in the PostgreSQL schema `holdfast`. What a column means stands in the migration that makes it. */
export interface Database {
  deliveries: DeliveryTable;
  repositories: RepositoryTable;
  pull_requests: PullRequestTable;
  batches: BatchTable;
  runs: RunTable;
  project_leases: ProjectLeaseTable;
  project_locks: ProjectLockTable;
  lock_waits: LockWaitTable;
  plans: PlanTable;
  applies: ApplyTable;
  run_output: RunOutputTable;
  replies: ReplyTable;
  reactions: ReactionTable;
  published_statuses: PublishedStatusTable;
  merges: MergeTable;
  artifacts: ArtifactTable;
  audit_log: AuditTable;
  settings: SettingTable;
  ended_sessions: EndedSessionTable;
  tracked_branches: TrackedBranchTable;
  drift_projects: DriftProjectTable;
  drift_issues: DriftIssueTable;
  issue_replies: IssueReplyTable;
  issue_reactions: IssueReactionTable;
  notifications: NotificationTable;
  counters: CounterTable;
}

interface DeliveryTable {
  host: string;
  id: string;
  event: string;
  action: string | null;
  repository: string | null;
  payload: string;
  state: 'received' | 'handled' | 'failed';
  error: string | null;
  attempts: Generated<number>;
  received_at: RecordedInstant;
  handled_at: OptionalInstant;
}

interface RepositoryTable {
  id: string;
  host: string;
  host_id: string;
  owner: string;
  name: string;
  default_branch: string;
  archived: boolean;
  private: boolean;
  url: string;
  updated_at: RecordedInstant;
}

interface PullRequestTable {
  id: string;
  repository_id: string;
  number: number;
  title: string;
  url: string;
  state: 'open' | 'closed' | 'merged';
  draft: boolean;
  fork: boolean;
  author_id: string;
  author_login: string;
  head_sha: string;
  head_ref: string;
  base_ref: string;
  base_sha: string;
  node_id: string;
  version: Generated<number>;
  plan_version: Generated<number>;
  cleanup_pending: Generated<boolean>;
  comment_id: string | null;
  comment_node_id: string | null;
  comment_hash: string | null;
  comment_edited_at: OptionalInstant;
  check_run_id: string | null;
  check_run_sha: string | null;
  check_run_hash: string | null;
  publish_wanted: Generated<number>;
  publish_done: Generated<number>;
  publish_due: OptionalInstant;
  publish_lease_owner: string | null;
  publish_lease_token: string | null;
  publish_lease_renewed_at: OptionalInstant;
  publish_lease_until: OptionalInstant;
  updated_at: RecordedInstant;
}

interface BatchTable {
  id: string;
  pull_request_id: string | null;
  trigger_key: string;
  operation: Operation;
  trigger: BatchTrigger;
  actor_id: string;
  actor_login: string;
  head_sha: string;
  base_ref: string;
  base_sha: string;
  merge_sha: string | null;
  source_comment_id: string | null;
  notes: Json<BatchNotes>;
  created_at: RecordedInstant;
  finished_at: OptionalInstant;
}

interface RunTable {
  id: string;
  batch_id: string;
  pull_request_id: string | null;
  repository_id: string;
  project_key: string;
  project: Json<Project>;
  operation: Operation;
  state: RunState;
  ready: boolean;
  attempts: Generated<number>;
  priority: Generated<number>;
  lease_owner: string | null;
  lease_token: string | null;
  lease_renewed_at: OptionalInstant;
  lease_expires_at: OptionalInstant;
  inputs_digest: string | null;
  apply_started_at: OptionalInstant;
  cancel_requested_at: OptionalInstant;
  cancel_reason: string | null;
  result: OptionalJson<RunResult>;
  progress: OptionalJson<Progress>;
  phases: ColumnType<readonly RunPhase[], string | undefined, string>;
  queued_at: RecordedInstant;
  claimed_at: OptionalInstant;
  started_at: OptionalInstant;
  finished_at: OptionalInstant;
}

interface ProjectLeaseTable {
  project_key: string;
  run_id: string;
  token: string;
}

interface ProjectLockTable {
  project_key: string;
  repository_id: string;
  pull_request_id: string;
  dir: string;
  workspace: string;
  name: string | null;
  actor_login: string;
  taken_at: RecordedInstant;
}

interface LockWaitTable {
  project_key: string;
  pull_request_id: string;
  since: RecordedInstant;
}

interface PlanTable {
  id: string;
  run_id: string;
  pull_request_id: string;
  project_key: string;
  head_sha: string;
  base_ref: string;
  base_sha: string;
  merge_sha: string;
  inputs_digest: string;
  canonical_digest: string;
  empty: boolean;
  state: 'current' | 'applied' | 'superseded' | 'discarded';
  artifact: Buffer | null;
  plan_text: Buffer | null;
  created_at: RecordedInstant;
}

interface ApplyTable {
  run_id: string;
  project_key: string;
  pull_request_id: string | null;
  sha: string;
  inputs_digest: string;
  approved_digest: string;
  applied_digest: string;
  applied_at: RecordedInstant;
}

interface RunOutputTable {
  run_id: string;
  seq: number;
  chunk: Buffer;
  stored_at: RecordedInstant;
}

interface ReplyTable {
  id: string;
  key: string;
  pull_request_id: string;
  kind: string;
  stranger_id: string | null;
  view: Json<object>;
  state: 'wanted' | 'posting' | 'posted' | 'given_up';
  comment_id: string | null;
  comment_node_id: string | null;
  minimized: Generated<boolean>;
  created_at: RecordedInstant;
  posted_at: OptionalInstant;
}

interface ReactionTable {
  pull_request_id: string;
  comment_id: string;
  reaction: 'eyes' | 'rocket' | 'confused';
  done: Generated<boolean>;
}

interface PublishedStatusTable {
  pull_request_id: string;
  sha: string;
  context: string;
  hash: string;
}

interface MergeTable {
  pull_request_id: string;
  head_sha: string;
  method: 'merge' | 'squash' | 'rebase' | null;
  state: 'wanted' | 'merged' | 'refused';
  reason: string | null;
  created_at: RecordedInstant;
}

interface ArtifactTable {
  run_id: string;
  name: string;
  content: Buffer;
  created_at: RecordedInstant;
}

interface AuditTable {
  id: Generated<string>;
  at: RecordedInstant;
  actor: string;
  subject: string;
  event: string;
  detail: Json<object>;
}

interface EndedSessionTable {
  id: string;
  expires_at: ColumnType<Date, Date, never>;
}

interface SettingTable {
  key: string;
  value: string;
}

interface TrackedBranchTable {
  repository_id: string;
  branch: string;
  tip: string | null;
  synced_tip: string | null;
  settings_digest: string | null;
  polled_at: OptionalInstant;
  problem: string | null;
  problem_since: OptionalInstant;
  report_wanted: Generated<number>;
  report_done: Generated<number>;
  report_due: OptionalInstant;
  publish_lease_owner: string | null;
  publish_lease_token: string | null;
  publish_lease_renewed_at: OptionalInstant;
  publish_lease_until: OptionalInstant;
}

interface DriftProjectTable {
  project_key: string;
  repository_id: string;
  project: Json<Project>;
  settings: Json<object>;
  listed: boolean;
  tip: string;
  inputs_digest: string;
  baseline_digest: string | null;
  schedule: string;
  due_at: OptionalInstant;
  starts_per_minute: number;
  request: OptionalJson<object>;
  run_id: string | null;
  last_check_at: OptionalInstant;
  last_success_at: OptionalInstant;
  sync: string;
  skip: OptionalJson<object>;
  suspension: OptionalJson<object>;
  silences: ColumnType<readonly object[], string | undefined, string>;
  approvals: ColumnType<readonly object[], string | undefined, string>;
  state: Json<object>;
  findings: Buffer | null;
  found_at: RecordedInstant;
  failing: Generated<boolean>;
  overdue_at: OptionalInstant;
  failed_checks: Generated<number>;
}

interface DriftIssueTable {
  id: string;
  repository_id: string;
  kind: 'project' | 'summary' | 'dashboard';
  project_key: string | null;
  state: 'posting' | 'open' | 'closed' | 'gone';
  number: number | null;
  url: string | null;
  hash: string | null;
  fingerprint: string | null;
  by_people_at: OptionalInstant;
  begun_at: RecordedInstant;
}

interface IssueReplyTable {
  id: string;
  key: string;
  repository_id: string;
  number: number;
  comment_id: string | null;
  view: Json<object>;
  stranger_id: string | null;
  state: Generated<'wanted' | 'posting' | 'posted' | 'given_up'>;
  created_at: RecordedInstant;
  posted_at: OptionalInstant;
}

interface IssueReactionTable {
  repository_id: string;
  comment_id: string;
  reaction: 'eyes' | 'rocket' | 'confused';
  done: Generated<boolean>;
}

interface NotificationTable {
  id: string;
  key: string;
  receiver: string;
  event: string;
  repository_id: string;
  project_key: string | null;
  payload: Json<object>;
  state: Generated<'wanted' | 'sent' | 'given_up'>;
  attempts: Generated<number>;
  due_at: RecordedInstant;
  error: string | null;
  created_at: RecordedInstant;
  sent_at: OptionalInstant;
}

interface CounterTable {
  name: string;
  label: string;
  /** bigint */
  value: string;
}
