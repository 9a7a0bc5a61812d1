import { sql, type Transaction } from 'kysely';
import type { NewReply, PullRequestId } from '../../core/record.ts';
import type { PublicationState } from '../../ports/publication-store.ts';
import { PULL_REQUESTS, takePublishLease } from './publish-leases.ts';
import { selectPullRequests, toPullRequest } from './rows.ts';
import type { Database } from './schema.ts';

/** Gives the pull request to one publisher, with all it has to know; in one transaction, so that nobody has what they cannot read. */
export async function openPublication(
  db: Transaction<Database>,
  id: PullRequestId,
  worker: { readonly id: string; readonly leaseMs: number },
): Promise<PublicationState | undefined> {
  const taken = await takePublishLease(db, PULL_REQUESTS, id, worker);
  if (taken === undefined) return undefined;
  const row = await selectPullRequests(db).where('pull_requests.id', '=', id).executeTakeFirstOrThrow();
  const replies = await db
    .selectFrom('replies')
    .selectAll()
    .where('pull_request_id', '=', id)
    .where('state', 'in', ['wanted', 'posting'])
    .orderBy('created_at')
    .execute();
  const reactions = await db
    .selectFrom('reactions')
    .selectAll()
    .where('pull_request_id', '=', id)
    .where('done', '=', false)
    .execute();
  const statuses = await readStatuses(db, row);
  const merge = await db
    .selectFrom('merges')
    .selectAll()
    .where('pull_request_id', '=', id)
    .where('state', '=', 'wanted')
    .executeTakeFirst();
  return {
    lease: { id, token: taken.token },
    openedAt: taken.at,
    pull: toPullRequest(row),
    wanted: taken.wanted,
    done: taken.done,
    comment:
      row.comment_id === null
        ? undefined
        : {
            id: row.comment_id,
            nodeId: row.comment_node_id ?? '',
            hash: row.comment_hash ?? '',
            editedAt: row.comment_edited_at ?? new Date(0),
          },
    checkRun: toCheckRun(row),
    replies: replies.map((reply) => ({
      id: reply.id,
      reply: { key: reply.key, kind: reply.kind, view: reply.view } as NewReply,
      mayExist: reply.state === 'posting',
    })),
    reactions: reactions.map((reaction) => ({ commentId: reaction.comment_id, reaction: reaction.reaction })),
    ...statuses,
    outdated: await readOutdated(db, id),
    merge: merge && { headSha: merge.head_sha, method: merge.method ?? undefined },
  };
}

/**
 * A commit may be the head of several pull requests, which share its statuses. What waits there is not ended for one of them while
 * another that is open has published the same.
 */
async function readStatuses(
  db: Transaction<Database>,
  pull: { readonly id: string; readonly repository_id: string; readonly head_sha: string; readonly state: string },
): Promise<Pick<PublicationState, 'statuses' | 'leftPending' | 'shared'>> {
  const { rows } = await sql<{ sha: string; context: string; hash: string; shared: boolean }>`
    select s.sha, s.context, s.hash, s.hash like 'pending%' and exists (
      select 1 from pull_requests p join published_statuses o on o.pull_request_id = p.id
      where p.repository_id = ${pull.repository_id} and p.id <> s.pull_request_id and p.state = 'open' and p.head_sha = s.sha
        and o.sha = s.sha and o.context = s.context) as shared
    from published_statuses s
    where s.pull_request_id = ${pull.id} and (s.sha = ${pull.head_sha} or s.hash like 'pending%')`.execute(db);
  const others = await sql<{ context: string }>`
    select distinct o.context
    from pull_requests p join published_statuses o on o.pull_request_id = p.id and o.sha = p.head_sha
    where p.repository_id = ${pull.repository_id} and p.id <> ${pull.id} and p.state = 'open'
      and p.head_sha = ${pull.head_sha}`.execute(db);
  const ours = rows.filter((row) => !row.shared);
  const atHead = (pull.state === 'open' ? rows : ours).filter((row) => row.sha === pull.head_sha);
  return {
    statuses: new Map(atHead.map((row) => [row.context, row.hash])),
    shared: new Set(others.rows.map((row) => row.context)),
    leftPending: ours.filter((row) => row.sha !== pull.head_sha).map(({ sha, context }) => ({ sha, context })),
  };
}

/** While it is being made it has no id, and its batch in place of the hash. */
function toCheckRun(row: {
  readonly check_run_id: string | null;
  readonly check_run_sha: string | null;
  readonly check_run_hash: string | null;
}): PublicationState['checkRun'] {
  const { check_run_id: id, check_run_sha: sha, check_run_hash: hash } = row;
  if (sha === null || hash === null) return undefined;
  return id === null ? { id: undefined, sha, externalId: hash } : { id, sha, hash };
}

/** Answers to earlier applies; the newest stays open, be it posted already or about to be. */
async function readOutdated(db: Transaction<Database>, id: PullRequestId): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('replies')
    .select(['comment_node_id', 'minimized'])
    .where('pull_request_id', '=', id)
    .where('kind', '=', 'apply')
    .where('state', '<>', 'given_up')
    .orderBy('created_at', 'desc')
    .offset(1)
    .execute();
  return rows.filter((row) => !row.minimized && row.comment_node_id !== null).map((row) => row.comment_node_id ?? '');
}
