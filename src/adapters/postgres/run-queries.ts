import { type Kysely, sql } from 'kysely';
import type { ProjectKey } from '../../core/project.ts';
import type { PullRequestId } from '../../core/record.ts';
import type { RunStore } from '../../ports/run-store.ts';
import { selectRuns, toRun } from './rows.ts';
import type { Database } from './schema.ts';

type QueryCalls =
  | 'findRun'
  | 'findRuns'
  | 'listRuns'
  | 'readOutput'
  | 'readArtifact'
  | 'queuePositions'
  | 'countByState'
  | 'findLastApplies';

/** What is asked of runs without changing them. */
export function runQueries(db: Kysely<Database>): Pick<RunStore, QueryCalls> {
  return {
    findRun: async (id) => {
      const row = await selectRuns(db).where('runs.id', '=', id).executeTakeFirst();
      return row && toRun(row);
    },
    findRuns: async (ids) => {
      if (ids.length === 0) return [];
      return (
        await selectRuns(db)
          .where('runs.id', 'in', [...ids])
          .execute()
      ).map(toRun);
    },
    listRuns: async ({ pullRequestId, batchId, projectKey, operations, limit, after }) => {
      let query = selectRuns(db).orderBy('runs.queued_at', 'desc').orderBy('runs.id').limit(limit);
      if (pullRequestId !== undefined) query = query.where('runs.pull_request_id', '=', pullRequestId);
      if (batchId !== undefined) query = query.where('runs.batch_id', '=', batchId);
      if (projectKey !== undefined) query = query.where('runs.project_key', '=', projectKey);
      if (operations !== undefined) query = query.where('runs.operation', 'in', [...operations]);
      if (after !== undefined) {
        // The runs of one batch are queued at the same instant, so the instant alone would lose some of them.
        query = query.where(
          sql<boolean>`(runs.queued_at < (select queued_at from runs where id = ${after})
            or (runs.queued_at = (select queued_at from runs where id = ${after}) and runs.id > ${after}))`,
        );
      }
      return (await query.execute()).map(toRun);
    },
    readOutput: (runId, fromSeq) =>
      db
        .selectFrom('run_output')
        .select(['seq', 'chunk'])
        .where('run_id', '=', runId)
        .where('seq', '>=', fromSeq)
        .orderBy('seq')
        .limit(500)
        .execute(),
    readArtifact: async (runId, name) => {
      const row = await db
        .selectFrom('artifacts')
        .select('content')
        .where('run_id', '=', runId)
        .where('name', '=', name)
        .executeTakeFirst();
      return row?.content;
    },
    queuePositions: async (runIds) => {
      if (runIds.length === 0) return new Map();
      const { rows } = await sql<{ id: string; position: number }>`
        select id, position::int from (
          select id, row_number() over (order by ready desc, priority desc, queued_at, id) as position from runs where state = 'queued'
        ) q where id = any(${[...runIds]})`.execute(db);
      return new Map(rows.map(({ id, position }) => [id, position]));
    },
    countByState: async () => {
      const rows = await db
        .selectFrom('runs')
        .select(['state', sql<number>`count(*)::int`.as('n')])
        .groupBy('state')
        .execute();
      return Object.fromEntries(rows.map((row) => [row.state, row.n]));
    },
    findLastApplies: async (projectKeys) => {
      if (projectKeys.length === 0) return new Map();
      const rows = await db
        .selectFrom('applies')
        .leftJoin('pull_requests as p', 'p.id', 'applies.pull_request_id')
        .distinctOn('applies.project_key')
        .select(['applies.project_key', 'p.id', 'p.number', 'p.url', 'p.state'])
        .where('applies.project_key', 'in', [...projectKeys])
        .orderBy('applies.project_key')
        .orderBy('applies.applied_at', 'desc')
        .execute();
      // What was put right on the tracked branch was applied from no pull request.
      return new Map(
        rows.flatMap(({ project_key: key, id, number, url, state }) =>
          id === null || number === null || url === null || state === null
            ? []
            : [[key as ProjectKey, { id: id as PullRequestId, number, url, state }]],
        ),
      );
    },
  };
}
