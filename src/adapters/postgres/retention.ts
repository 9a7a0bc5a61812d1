import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Retention, RetentionKind } from '../../ports/retention.ts';
import type { Database } from './schema.ts';

/** Rows of one statement: its locks are short. */
const ROWS_AT_ONCE = 500;
/** Everything that belongs to a pull request goes with it. */
const PULL_REQUESTS_AT_ONCE = 20;
/** Statements of one call and kind. The next call goes on. */
const MOST_STATEMENTS = 100;

/** Removes, or empties, up to `limit` rows. By `ctid`, so that a row that somebody has changed meanwhile is another one and stays. */
interface Removal {
  readonly limit: number;
  readonly statement: (before: Date, limit: number) => RawBuilder<unknown>;
}

export function createRetention(db: Kysely<Database>): Retention {
  return {
    prune: async (kind, before) => {
      let total = 0;
      for (const removal of REMOVALS[kind]) total += await removeAll(db, removal, before);
      return total;
    },
  };
}

async function removeAll(db: Kysely<Database>, { limit, statement }: Removal, before: Date): Promise<number> {
  let total = 0;
  for (let statements = 0; statements < MOST_STATEMENTS; statements += 1) {
    const { numAffectedRows = 0n } = await statement(before, limit).execute(db);
    total += Number(numAffectedRows);
    if (Number(numAffectedRows) < limit) break;
  }
  return total;
}

const removeOutput: Removal = {
  limit: ROWS_AT_ONCE,
  statement: (before, limit) => sql`
    delete from run_output where ctid = any(array(
      select o.ctid from run_output o join runs r on r.id = o.run_id
      where o.stored_at < ${before} and r.finished_at is not null
      order by o.stored_at limit ${limit}))`,
};

const emptyPlans: Removal = {
  limit: ROWS_AT_ONCE,
  statement: (before, limit) => sql`
    update plans set plan_text = null, artifact = null where ctid = any(array(
      select ctid from plans
      where state <> 'current' and (plan_text is not null or artifact is not null) and created_at < ${before}
      order by created_at limit ${limit}))`,
};

const removeDeliveries: Removal = {
  limit: ROWS_AT_ONCE,
  statement: (before, limit) => sql`
    delete from deliveries where ctid = any(array(
      select ctid from deliveries where state <> 'received' and coalesce(handled_at, received_at) < ${before}
      order by coalesce(handled_at, received_at) limit ${limit}))`,
};

const removeNotifications: Removal = {
  limit: ROWS_AT_ONCE,
  statement: (before, limit) => sql`
    delete from notifications where ctid = any(array(
      select ctid from notifications where state <> 'wanted' and created_at < ${before}
      order by created_at limit ${limit}))`,
};

const isNewestApply = sql`not exists (
  select from applies n where n.project_key = a.project_key and (n.applied_at, n.run_id) > (a.applied_at, a.run_id))`;

/** A project's newest apply stays, and so its pull request: what comes later is compared with it. */
const removePullRequests: Removal = {
  limit: PULL_REQUESTS_AT_ONCE,
  statement: (before, limit) => sql`
    delete from pull_requests where ctid = any(array(
      select ctid from pull_requests p
      where p.state <> 'open' and p.updated_at < ${before} and not p.cleanup_pending and p.publish_wanted <= p.publish_done
        and not exists (select from project_locks l where l.pull_request_id = p.id)
        and not exists (
          select from batches b where b.pull_request_id = p.id and (b.finished_at is null or b.finished_at >= ${before}))
        and not exists (select from applies a where a.pull_request_id = p.id and ${isNewestApply})
      order by p.updated_at limit ${limit} for update skip locked))`,
};

/**
 * What a pull request is judged by stays: the newest batch of each operation, the newest run of each project and operation, current plans, and
 * a state that could not be stored.
 */
const removeBatches: Removal = {
  limit: ROWS_AT_ONCE,
  statement: (before, limit) => sql`
    delete from batches where ctid = any(array(
      select ctid from batches b
      where b.finished_at < ${before}
        and exists (
          select from batches n
          where n.pull_request_id = b.pull_request_id and n.operation = b.operation and n.created_at > b.created_at)
        and not exists (
          select from runs r where r.batch_id = b.id and not exists (
            select from runs n where n.pull_request_id = r.pull_request_id and n.project_key = r.project_key
              and n.operation = r.operation and (n.queued_at, n.id) > (r.queued_at, r.id)))
        and not exists (select from runs r join plans p on p.run_id = r.id where r.batch_id = b.id and p.state = 'current')
        and not exists (select from runs r join artifacts a on a.run_id = r.id where r.batch_id = b.id)
      order by b.finished_at limit ${limit}))`,
};

/** Runs on the tracked branch: the newest of each project and operation stays, and a state that could not be stored. */
const removeBranchBatches: Removal = {
  limit: ROWS_AT_ONCE,
  statement: (before, limit) => sql`
    delete from batches where ctid = any(array(
      select ctid from batches b
      where b.pull_request_id is null and b.finished_at < ${before}
        and not exists (
          select from runs r where r.batch_id = b.id and not exists (
            select from runs n where n.project_key = r.project_key and n.operation = r.operation
              and (n.queued_at, n.id) > (r.queued_at, r.id)))
        and not exists (select from runs r join artifacts a on a.run_id = r.id where r.batch_id = b.id)
      order by b.finished_at limit ${limit}))`,
};

const removeApplies: Removal = {
  limit: ROWS_AT_ONCE,
  statement: (before, limit) => sql`
    delete from applies where ctid = any(array(
      select ctid from applies a where a.applied_at < ${before} and not ${isNewestApply}
      order by a.applied_at limit ${limit}))`,
};

/** The newest answer to an apply is not folded away; it stays until its pull request goes. */
const removeReplies: Removal = {
  limit: ROWS_AT_ONCE,
  statement: (before, limit) => sql`
    delete from replies where ctid = any(array(
      select ctid from replies
      where created_at < ${before} and state in ('posted', 'given_up') and (kind <> 'apply' or minimized)
      order by created_at limit ${limit}))`,
};

const removeIssueReplies: Removal = {
  limit: ROWS_AT_ONCE,
  statement: (before, limit) => sql`
    delete from issue_replies where ctid = any(array(
      select ctid from issue_replies
      where created_at < ${before} and state in ('posted', 'given_up')
      order by created_at limit ${limit}))`,
};

const removeAudit: Removal = {
  limit: ROWS_AT_ONCE,
  statement: (before, limit) => sql`
    delete from audit_log where ctid = any(array(
      select ctid from audit_log where at < ${before} order by at limit ${limit}))`,
};

const REMOVALS: Readonly<Record<RetentionKind, readonly Removal[]>> = {
  logs: [removeOutput],
  plans: [emptyPlans],
  deliveries: [removeDeliveries, removeNotifications],
  runs: [removePullRequests, removeBatches, removeBranchBatches, removeApplies, removeReplies, removeIssueReplies],
  audit: [removeAudit],
};
