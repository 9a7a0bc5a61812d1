import { type Kysely, sql, type Transaction } from 'kysely';
import type { BranchProject } from '../../../core/drift/drift-project.ts';
import { NO_DRIFT } from '../../../core/drift/lifecycle.ts';
import { keepDue, meanStartsPerMinute } from '../../../core/drift/schedule.ts';
import type { ProjectKey } from '../../../core/project.ts';
import { commitSha } from '../../../core/repository.ts';
import type { DriftStore, TrackedBranch } from '../../../ports/drift-store.ts';
import { toRepository } from '../rows.ts';
import type { Database } from '../schema.ts';
import { storableJson } from '../storable-json.ts';
import { transact } from '../transact.ts';
import { overdueColumn, wantReport } from './drift-rows.ts';

type BranchCalls = 'track' | 'untrack' | 'listBranches' | 'claimPolls' | 'pollSoon' | 'saveProblem' | 'syncProjects';

/** Which branches are tracked, and which projects they have. */
export function branches(db: Kysely<Database>): Pick<DriftStore, BranchCalls> {
  return {
    track: async (repository, branch) => {
      await db
        .insertInto('tracked_branches')
        .values({ repository_id: `${repository.host}/${repository.id}`, branch })
        .onConflict((conflict) =>
          conflict
            .column('repository_id')
            .doUpdateSet({ branch, synced_tip: null })
            .where('tracked_branches.branch', '<>', branch),
        )
        .execute();
    },
    untrack: (repositoryId) =>
      transact(db, async (trx) => {
        await unlist(trx, repositoryId, []);
        await trx
          .updateTable('tracked_branches')
          .set({ synced_tip: null, polled_at: null })
          .where('repository_id', '=', repositoryId)
          .execute();
        await wantReport(trx, repositoryId);
      }),
    listBranches: async () => (await selectBranches(db).orderBy('repository_id').execute()).map(toBranch),
    claimPolls: async (polledBefore, limit) => {
      const claimed = await db
        .updateTable('tracked_branches')
        .set({ polled_at: sql`clock_timestamp()` })
        .where('repository_id', 'in', (eb) =>
          eb
            .selectFrom('tracked_branches')
            .select('repository_id')
            .where((or) => or.or([or('polled_at', 'is', null), or('polled_at', '<', polledBefore)]))
            .orderBy(sql`polled_at nulls first`)
            .limit(limit)
            .forUpdate()
            .skipLocked(),
        )
        .returning('repository_id')
        .execute();
      const ids = claimed.map((row) => row.repository_id);
      if (ids.length === 0) return [];
      return (await selectBranches(db).where('repository_id', 'in', ids).execute()).map(toBranch);
    },
    pollSoon: async (repositoryId) => {
      await db
        .updateTable('tracked_branches')
        .set({ polled_at: null })
        .where('repository_id', '=', repositoryId)
        .execute();
    },
    saveProblem: async (repositoryId, sentence) => {
      await db
        .updateTable('tracked_branches')
        .set({
          problem: sentence ?? null,
          problem_since: sentence === undefined ? null : sql<Date>`coalesce(problem_since, clock_timestamp())`,
          report_wanted: sql<number>`report_wanted + 1`,
        })
        .where('repository_id', '=', repositoryId)
        .where('problem', 'is distinct from', sentence ?? null)
        .execute();
    },
    syncProjects: (repositoryId, { tip, settingsDigest, projects }, now) =>
      transact(db, async (trx) => {
        await unlist(
          trx,
          repositoryId,
          projects.map(({ key }) => key),
        );
        const known = await readDueStates(trx, repositoryId);
        for (const project of projects) await saveProject(trx, repositoryId, tip, project, known, now);
        await trx
          .updateTable('tracked_branches')
          .set({ tip, synced_tip: tip, settings_digest: settingsDigest, problem: null, problem_since: null })
          .where('repository_id', '=', repositoryId)
          .execute();
        await wantReport(trx, repositoryId);
      }),
  };
}

function selectBranches(db: Kysely<Database>) {
  return db
    .selectFrom('tracked_branches')
    .innerJoin('repositories', 'repositories.id', 'tracked_branches.repository_id')
    .selectAll('tracked_branches')
    .select(['host', 'host_id', 'owner', 'name', 'default_branch', 'archived', 'private', 'url']);
}

function toBranch(row: Awaited<ReturnType<ReturnType<typeof selectBranches>['execute']>>[number]): TrackedBranch {
  return {
    repositoryId: row.repository_id,
    repository: toRepository(row),
    branch: row.branch,
    syncedTip: row.synced_tip === null ? undefined : commitSha(row.synced_tip),
    settingsDigest: row.settings_digest ?? undefined,
    polledAt: row.polled_at ?? undefined,
    problem:
      row.problem === null || row.problem_since === null
        ? undefined
        : { sentence: row.problem, since: row.problem_since },
  };
}

async function unlist(trx: Transaction<Database>, repositoryId: string, kept: readonly ProjectKey[]): Promise<void> {
  await trx
    .updateTable('drift_projects')
    .set({ listed: false, due_at: null, request: null })
    .where('repository_id', '=', repositoryId)
    .where('listed', '=', true)
    .where(sql<boolean>`project_key <> all(${[...kept]}::text[])`)
    .execute();
}

async function readDueStates(trx: Transaction<Database>, repositoryId: string) {
  const rows = await trx
    .selectFrom('drift_projects')
    .select(['project_key', 'schedule', 'due_at', 'listed', 'last_success_at', 'found_at'])
    .where('repository_id', '=', repositoryId)
    .execute();
  // One that comes back, or is switched on again, begins anew: its due time went with it.
  return new Map(
    rows.flatMap(({ project_key, listed, schedule, due_at, last_success_at, found_at }) =>
      listed && due_at !== null
        ? [[project_key, { schedule, dueAt: due_at, waitsSince: last_success_at ?? found_at }] as const]
        : [],
    ),
  );
}

async function saveProject(
  trx: Transaction<Database>,
  repositoryId: string,
  tip: string,
  { key, project, settings, inputsDigest }: BranchProject,
  known: Awaited<ReturnType<typeof readDueStates>>,
  now: Date,
): Promise<void> {
  const due = keepDue(known.get(key), settings.schedule, key, now);
  const values = {
    project: storableJson(project),
    settings: storableJson(settings),
    listed: true,
    tip,
    inputs_digest: inputsDigest,
    schedule: due.schedule,
    due_at: settings.enabled ? (due.dueAt ?? null) : null,
    starts_per_minute: settings.enabled ? meanStartsPerMinute(settings) : 0,
    overdue_at: overdueColumn({ key, settings }, known.get(key)?.waitsSince ?? now),
  };
  await trx
    .insertInto('drift_projects')
    .values({
      ...values,
      project_key: key,
      repository_id: repositoryId,
      sync: 'unknown',
      state: storableJson(NO_DRIFT),
      baseline_digest: await lastAppliedInputs(trx, key),
    })
    .onConflict((conflict) => conflict.column('project_key').doUpdateSet(values))
    .execute();
}

async function lastAppliedInputs(trx: Transaction<Database>, key: ProjectKey): Promise<string | null> {
  const row = await trx
    .selectFrom('applies')
    .select('inputs_digest')
    .where('project_key', '=', key)
    .orderBy('applied_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.inputs_digest ?? null;
}
