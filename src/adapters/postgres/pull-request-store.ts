import { type Kysely, sql } from 'kysely';
import type { PullRequestId, PullRequestRecord } from '../../core/record.ts';
import { pullRequestId } from '../../core/record.ts';
import type { PullRequest } from '../../core/pull-request.ts';
import type { Repository, RepositoryRef } from '../../core/repository.ts';
import type { PullRequestStore } from '../../ports/pull-request-store.ts';
import { PLAN_COLUMNS, selectLocks, selectPullRequests, toLock, toPlan, toPullRequest, toRepository } from './rows.ts';
import type { Database } from './schema.ts';
import { transact } from './transact.ts';

export function createPullRequestStore(db: Kysely<Database>): PullRequestStore {
  return { ...facts(db), ...locks(db), ...plans(db) };
}

type FactCalls =
  | 'saveRepository'
  | 'findRepository'
  | 'save'
  | 'saveSeen'
  | 'find'
  | 'readVersion'
  | 'listOpen'
  | 'listSeenBefore'
  | 'markSeen';

function facts(db: Kysely<Database>): Pick<PullRequestStore, FactCalls> {
  const find = async (id: PullRequestId) => {
    const row = await selectPullRequests(db).where('pull_requests.id', '=', id).executeTakeFirst();
    return row && toPullRequest(row);
  };
  const save = (pull: PullRequest, seen: number | undefined): Promise<PullRequestRecord | undefined> => {
    const id = pullRequestId(pull.repository, pull.number);
    return transact(db, async (trx) => {
      await saveRepository(trx, pull.repository);
      if (!(await savePullRequest(trx, id, pull, seen))) return undefined;
      const row = await selectPullRequests(trx).where('pull_requests.id', '=', id).executeTakeFirst();
      return row && toPullRequest(row);
    });
  };
  return {
    find,
    saveRepository: (repository) => saveRepository(db, repository),
    findRepository: async (id) => {
      const row = await db.selectFrom('repositories').selectAll().where('id', '=', id).executeTakeFirst();
      return row && toRepository(row);
    },
    save: async (pull) => {
      const saved = await save(pull, undefined);
      if (saved === undefined) throw new Error(`pull request ${pull.number} was removed while it was being saved`);
      return saved;
    },
    saveSeen: save,
    readVersion: async (id) => {
      const row = await db.selectFrom('pull_requests').select('version').where('id', '=', id).executeTakeFirst();
      return row?.version ?? 0;
    },
    listOpen: async (repository, baseRef) => {
      let query = selectPullRequests(db)
        .where('pull_requests.repository_id', '=', repositoryId(repository))
        .where('pull_requests.state', '=', 'open')
        .orderBy('pull_requests.number');
      if (baseRef !== undefined) query = query.where('pull_requests.base_ref', '=', baseRef);
      return (await query.execute()).map(toPullRequest);
    },
    markSeen: async (id) => {
      await db.updateTable('pull_requests').set({ updated_at: sql`now()` }).where('id', '=', id).execute();
    },
    listSeenBefore: async (instant, limit) => {
      const rows = await selectPullRequests(db)
        .where((eb) =>
          eb.or([
            eb('pull_requests.state', '=', 'open'),
            eb('pull_requests.id', 'in', eb.selectFrom('project_locks').select('pull_request_id')),
          ]),
        )
        .where('pull_requests.updated_at', '<', instant)
        .orderBy('pull_requests.updated_at')
        .limit(limit)
        .execute();
      return rows.map(toPullRequest);
    },
  };
}

function repositoryId(repository: Pick<RepositoryRef, 'host' | 'id'>): string {
  return `${repository.host}/${repository.id}`;
}

async function saveRepository(db: Kysely<Database>, repository: Repository): Promise<void> {
  const values = {
    owner: repository.owner,
    name: repository.name,
    default_branch: repository.defaultBranch,
    archived: repository.archived,
    private: repository.private,
    url: repository.url,
  };
  await db
    .insertInto('repositories')
    .values({ id: repositoryId(repository), host: repository.host, host_id: repository.id, ...values })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ ...values, updated_at: sql`now()` }))
    .execute();
}

/** `seen`: only if the recorded version is still this one. Answers whether it was written. */
async function savePullRequest(
  db: Kysely<Database>,
  id: PullRequestId,
  pull: PullRequest,
  seen: number | undefined,
): Promise<boolean> {
  const values = {
    title: pull.title,
    url: pull.url,
    state: pull.state,
    draft: pull.draft,
    fork: pull.fork,
    author_id: pull.author.id,
    author_login: pull.author.login,
    head_sha: pull.headSha,
    head_ref: pull.headRef,
    base_ref: pull.baseRef,
    base_sha: pull.baseSha,
    node_id: pull.nodeId,
  };
  const changed = sql<boolean>`(pull_requests.title, pull_requests.url, pull_requests.state, pull_requests.draft, pull_requests.fork, pull_requests.head_sha, pull_requests.head_ref, pull_requests.base_ref, pull_requests.base_sha)
    is distinct from (excluded.title, excluded.url, excluded.state, excluded.draft, excluded.fork, excluded.head_sha, excluded.head_ref, excluded.base_ref, excluded.base_sha)`;
  const plannedAnew = sql<boolean>`(pull_requests.state, pull_requests.draft, pull_requests.head_sha, pull_requests.base_ref)
    is distinct from (excluded.state, excluded.draft, excluded.head_sha, excluded.base_ref)`;
  const result = await db
    .insertInto('pull_requests')
    .values({ id, repository_id: repositoryId(pull.repository), number: pull.number, version: 1, ...values })
    .onConflict((conflict) => {
      const update = conflict.column('id').doUpdateSet({
        ...values,
        version: sql`pull_requests.version + case when ${changed} then 1 else 0 end`,
        plan_version: sql`pull_requests.plan_version + case when ${plannedAnew} then 1 else 0 end`,
        // One that is opened again keeps what it has.
        cleanup_pending: sql`pull_requests.cleanup_pending and (pull_requests.state = 'open' or excluded.state <> 'open')`,
        updated_at: sql`now()`,
      });
      return seen === undefined ? update : update.where('pull_requests.version', '=', seen);
    })
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows) > 0;
}

function locks(db: Kysely<Database>): Pick<PullRequestStore, 'listLocks'> {
  return {
    listLocks: async () => {
      const rows = await selectLocks(db)
        .innerJoin('repositories', 'repositories.id', 'project_locks.repository_id')
        .select([
          sql<string>`repositories.owner || '/' || repositories.name`.as('repository'),
          sql<number[]>`array(select p.number from lock_waits w join pull_requests p on p.id = w.pull_request_id
            where w.project_key = project_locks.project_key and p.state = 'open' order by w.since)`.as('waiting'),
        ])
        .orderBy('project_locks.taken_at')
        .execute();
      return rows.map((row) => ({ ...toLock(row), repository: row.repository, waiting: row.waiting }));
    },
  };
}

type PlanCalls = 'findCurrentPlan' | 'readPlanArtifact' | 'readPlanTexts';

function plans(db: Kysely<Database>): Pick<PullRequestStore, PlanCalls> {
  return {
    findCurrentPlan: async (id, projectKey) => {
      const row = await db
        .selectFrom('plans')
        .select(PLAN_COLUMNS)
        .where('pull_request_id', '=', id)
        .where('project_key', '=', projectKey)
        .where('state', '=', 'current')
        .executeTakeFirst();
      return row && toPlan(row);
    },
    readPlanArtifact: async (planId) => {
      const row = await db.selectFrom('plans').select('artifact').where('id', '=', planId).executeTakeFirst();
      return row?.artifact ?? undefined;
    },
    readPlanTexts: async (runIds) => {
      if (runIds.length === 0) return new Map();
      const rows = await db
        .selectFrom('plans')
        .select(['run_id', 'plan_text'])
        .where('run_id', 'in', [...runIds])
        .where('plan_text', 'is not', null)
        .execute();
      return new Map(rows.flatMap(({ run_id: id, plan_text: text }) => (text === null ? [] : [[id, text] as const])));
    },
  };
}
