import { type Kysely, sql } from 'kysely';
import type { BatchNotes, BatchTrigger, RunPhase } from '../../core/batch.ts';
import type { ProjectKey } from '../../core/project.ts';
import type {
  BatchRecord,
  PlanRecord,
  ProjectLock,
  PullRequestId,
  PullRequestRecord,
  PullRequestRun,
  RunRecord,
} from '../../core/record.ts';
import { commitSha, type Repository } from '../../core/repository.ts';
import { isPullRequestOperation } from '../../core/run.ts';
import type { Database } from './schema.ts';

/** Runs with their batch. */
export function selectRuns(db: Kysely<Database>) {
  return db
    .selectFrom('runs')
    .innerJoin('batches', 'batches.id', 'runs.batch_id')
    .selectAll('runs')
    .select([
      'batches.trigger',
      'batches.actor_id',
      'batches.actor_login',
      'batches.head_sha',
      'batches.base_ref',
      'batches.base_sha',
      'batches.merge_sha',
      'batches.source_comment_id',
      'batches.notes',
      'batches.created_at as batch_created_at',
    ]);
}

type RunRow = Awaited<ReturnType<ReturnType<typeof selectRuns>['execute']>>[number];

export function toRun(row: RunRow): RunRecord {
  const facts = toRunFacts(row);
  const { operation } = row;
  if (!isPullRequestOperation(operation)) return { ...facts, operation, pullRequestId: undefined };
  return { ...facts, operation, pullRequestId: row.pull_request_id as PullRequestId };
}

/** Of a query that asks for runs of pull requests alone. */
export function toPullRequestRun(row: RunRow): PullRequestRun {
  const run = toRun(row);
  if (run.pullRequestId === undefined) throw new Error(`run ${run.id} is of no pull request`);
  return run;
}

function toRunFacts(row: RunRow): Omit<PullRequestRun, 'operation' | 'pullRequestId'> {
  return {
    id: row.id,
    batchId: row.batch_id,
    repositoryId: row.repository_id,
    projectKey: row.project_key as ProjectKey,
    project: row.project,
    state: row.state,
    ready: row.ready,
    attempts: row.attempts,
    result: row.result ?? undefined,
    progress: row.progress ?? undefined,
    phases: row.phases as readonly RunPhase[],
    applyStartedAt: row.apply_started_at ?? undefined,
    cancelReason: row.cancel_reason ?? undefined,
    queuedAt: row.queued_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    batch: toBatch({ ...row, id: row.batch_id, created_at: row.batch_created_at }),
  };
}

export function toBatch(row: {
  id: string;
  trigger: BatchTrigger;
  actor_id: string;
  actor_login: string;
  head_sha: string;
  base_ref: string;
  base_sha: string;
  merge_sha: string | null;
  source_comment_id: string | null;
  notes: BatchNotes;
  created_at: Date;
}): BatchRecord {
  return {
    id: row.id,
    trigger: row.trigger,
    actor: { id: row.actor_id, login: row.actor_login },
    headSha: row.head_sha,
    baseRef: row.base_ref,
    baseSha: row.base_sha,
    mergeSha: row.merge_sha ?? undefined,
    sourceCommentId: row.source_comment_id ?? undefined,
    notes: row.notes,
    createdAt: row.created_at,
  };
}

/** Pull requests with their repository. */
export function selectPullRequests(db: Kysely<Database>) {
  return db
    .selectFrom('pull_requests')
    .innerJoin('repositories', 'repositories.id', 'pull_requests.repository_id')
    .selectAll('pull_requests')
    .select([
      'repositories.host',
      'repositories.host_id',
      'repositories.owner',
      'repositories.name as repository_name',
      'repositories.default_branch',
      'repositories.archived',
      'repositories.private',
      'repositories.url as repository_url',
    ]);
}

type PullRequestRow = Awaited<ReturnType<ReturnType<typeof selectPullRequests>['execute']>>[number];

export function toPullRequest(row: PullRequestRow): PullRequestRecord {
  return {
    id: row.id as PullRequestId,
    version: row.version,
    planVersion: row.plan_version,
    repository: {
      host: row.host,
      id: row.host_id,
      owner: row.owner,
      name: row.repository_name,
      defaultBranch: row.default_branch,
      archived: row.archived,
      private: row.private,
      url: row.repository_url,
    },
    number: row.number,
    title: row.title,
    url: row.url,
    state: row.state,
    draft: row.draft,
    fork: row.fork,
    author: { id: row.author_id, login: row.author_login },
    headSha: commitSha(row.head_sha),
    headRef: row.head_ref,
    baseRef: row.base_ref,
    baseSha: commitSha(row.base_sha),
    labels: [],
    nodeId: row.node_id,
  };
}

export function toRepository(row: {
  host: string;
  host_id: string;
  owner: string;
  name: string;
  default_branch: string;
  archived: boolean;
  private: boolean;
  url: string;
}): Repository {
  return {
    host: row.host,
    id: row.host_id,
    owner: row.owner,
    name: row.name,
    defaultBranch: row.default_branch,
    archived: row.archived,
    private: row.private,
    url: row.url,
  };
}

/** Project locks with their holder. */
export function selectLocks(db: Kysely<Database>) {
  return db
    .selectFrom('project_locks')
    .innerJoin('pull_requests', 'pull_requests.id', 'project_locks.pull_request_id')
    .selectAll('project_locks')
    .select(['pull_requests.number', 'pull_requests.url']);
}

type LockRow = Awaited<ReturnType<ReturnType<typeof selectLocks>['execute']>>[number];

export function toLock(row: LockRow): ProjectLock {
  return {
    projectKey: row.project_key as ProjectKey,
    pullRequestId: row.pull_request_id as PullRequestId,
    number: row.number,
    url: row.url,
    dir: row.dir,
    workspace: row.workspace,
    name: row.name ?? undefined,
    who: row.actor_login,
    since: row.taken_at,
  };
}

export const PLAN_COLUMNS = [
  'id',
  'run_id',
  'project_key',
  'head_sha',
  'base_ref',
  'base_sha',
  'merge_sha',
  'inputs_digest',
  'canonical_digest',
  'empty',
] as const;

export function toPlan(row: {
  id: string;
  run_id: string;
  project_key: string;
  head_sha: string;
  base_ref: string;
  base_sha: string;
  merge_sha: string;
  inputs_digest: string;
  canonical_digest: string;
  empty: boolean;
}): PlanRecord {
  return {
    id: row.id,
    runId: row.run_id,
    projectKey: row.project_key as ProjectKey,
    headSha: row.head_sha,
    baseRef: row.base_ref,
    baseSha: row.base_sha,
    mergeSha: row.merge_sha,
    inputsDigest: row.inputs_digest,
    canonicalDigest: row.canonical_digest,
    empty: row.empty,
  };
}

/** Marks that something people see has changed; the publisher compares the counters. */
export async function wantPublication(trx: Kysely<Database>, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await trx
    .updateTable('pull_requests')
    .set({ publish_wanted: sql<number>`publish_wanted + 1`, publish_due: null })
    .where('id', 'in', [...ids].toSorted())
    .execute();
}
