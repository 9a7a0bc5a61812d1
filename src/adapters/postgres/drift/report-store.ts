import { type Kysely, sql, type Transaction } from 'kysely';
import { isReportable } from '../../../core/drift/issue-action.ts';
import type { DriftState } from '../../../core/drift/lifecycle.ts';
import type { ProjectKey } from '../../../core/project.ts';
import type { ReportState, ReportStore } from '../../../ports/report-store.ts';
import { publishLeases, REPORTS, takePublishLease } from '../publish-leases.ts';
import { toRepository } from '../rows.ts';
import type { Database } from '../schema.ts';
import { transact } from '../transact.ts';
import { wantReport } from './drift-rows.ts';
import { issueReplies, readPending } from './issue-replies.ts';
import { reportIssues, toIssue } from './report-issues.ts';

export function createReportStore(db: Kysely<Database>): ReportStore {
  return {
    open: (repositoryId, worker) => transact(db, (trx) => open(trx, repositoryId, worker)),
    want: (repositoryId) => wantReport(db, repositoryId),
    ...publishLeases(db, REPORTS),
    ...reportIssues(db),
    ...issueReplies(db),
    ...facts(db),
  };
}

async function open(
  trx: Transaction<Database>,
  repositoryId: string,
  worker: { readonly id: string; readonly leaseMs: number },
): Promise<ReportState | undefined> {
  const taken = await takePublishLease(trx, REPORTS, repositoryId, worker);
  if (taken === undefined) return undefined;
  const row = await trx
    .selectFrom('tracked_branches')
    .innerJoin('repositories', 'repositories.id', 'tracked_branches.repository_id')
    .select(['branch', 'problem', 'host', 'host_id', 'owner', 'name', 'default_branch', 'archived', 'private', 'url'])
    .where('repository_id', '=', repositoryId)
    .executeTakeFirstOrThrow();
  const issues = await trx
    .selectFrom('drift_issues')
    .selectAll()
    .where('repository_id', '=', repositoryId)
    .where('state', '<>', 'gone')
    .execute();
  return {
    lease: { id: repositoryId, token: taken.token },
    repository: toRepository(row),
    branch: row.branch,
    problem: row.problem ?? undefined,
    wanted: taken.wanted,
    issues: issues.map(toIssue),
    ...(await readPending(trx, repositoryId)),
  };
}

function facts(db: Kysely<Database>): Pick<ReportStore, 'findLastApply' | 'findDrifting'> {
  return {
    findLastApply: async (key) => {
      const row = await db
        .selectFrom('applies')
        .leftJoin('pull_requests', 'pull_requests.id', 'applies.pull_request_id')
        .select(['applies.sha', 'applied_at', 'pull_requests.number', 'pull_requests.url'])
        .where('applies.project_key', '=', key)
        .orderBy('applied_at', 'desc')
        .orderBy('applies.run_id', 'desc')
        .limit(1)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      const { sha, applied_at: at, number, url } = row;
      return { sha, at, pull: number === null || url === null ? undefined : { number, url } };
    },
    findDrifting: async (keys) => {
      if (keys.length === 0) return [];
      const rows = await db
        .selectFrom('drift_projects')
        .leftJoin('drift_issues', (join) =>
          join
            .onRef('drift_issues.project_key', '=', 'drift_projects.project_key')
            .on('drift_issues.kind', '=', 'project')
            .on('drift_issues.state', '=', 'open'),
        )
        .select(['drift_projects.project_key', 'drift_projects.state', 'drift_issues.number', 'drift_issues.url'])
        .where('drift_projects.project_key', 'in', [...keys])
        .where(sql`drift_projects.state -> 'drift'`, 'is not', null)
        .execute();
      return rows.flatMap(({ project_key, state, number, url }) => {
        const known = state as DriftState;
        if (known.drift === undefined || !isReportable(known)) return [];
        const issue = number === null || url === null ? undefined : { number, url };
        return [{ projectKey: project_key as ProjectKey, firstSeenAt: new Date(known.drift.firstSeenAt), issue }];
      });
    },
  };
}
