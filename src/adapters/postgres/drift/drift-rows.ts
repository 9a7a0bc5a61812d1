import { type Kysely, sql } from 'kysely';
import { z } from 'zod';
import type {
  CheckRequest,
  DriftApproval,
  DriftProject,
  DriftProjectChanges,
} from '../../../core/drift/drift-project.ts';
import type { SyncState } from '../../../core/drift/drift.ts';
import { type DriftState, isFailing } from '../../../core/drift/lifecycle.ts';
import { overdueAt } from '../../../core/drift/notifications.ts';
import type { DriftSettings } from '../../../core/drift/settings.ts';
import type { SilenceRule } from '../../../core/drift/silence-rules.ts';
import type { Suspension } from '../../../core/drift/skip.ts';
import type { ProjectKey } from '../../../core/project.ts';
import { commitSha } from '../../../core/repository.ts';
import { toRepository } from '../rows.ts';
import type { Database } from '../schema.ts';
import { storableJson } from '../storable-json.ts';

/** Projects of tracked branches with their repository. */
export function selectDriftProjects(db: Kysely<Database>) {
  return db
    .selectFrom('drift_projects')
    .innerJoin('repositories', 'repositories.id', 'drift_projects.repository_id')
    .selectAll('drift_projects')
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

export type DriftProjectRow = Awaited<ReturnType<ReturnType<typeof selectDriftProjects>['execute']>>[number];

export function repositoryOf(row: DriftProjectRow) {
  return toRepository({ ...row, name: row.repository_name, url: row.repository_url });
}

export function toDriftProject(row: DriftProjectRow): DriftProject {
  return {
    key: row.project_key as ProjectKey,
    repositoryId: row.repository_id,
    project: row.project,
    settings: reviveDates(row.settings) as DriftSettings,
    inputsDigest: row.inputs_digest,
    tip: commitSha(row.tip),
    listed: row.listed,
    due: { schedule: row.schedule, dueAt: row.due_at ?? undefined },
    request: revived<CheckRequest>(row.request),
    runId: row.run_id ?? undefined,
    lastCheckAt: row.last_check_at ?? undefined,
    lastSuccessAt: row.last_success_at ?? undefined,
    baselineDigest: row.baseline_digest ?? undefined,
    sync: row.sync as SyncState,
    failedChecks: row.failed_checks,
    skip: revived<NonNullable<DriftProject['skip']>>(row.skip),
    suspension: revived<Suspension>(row.suspension),
    silences: row.silences.map((rule) => reviveDates(rule) as SilenceRule),
    approvals: row.approvals.map((approval) => reviveDates(approval) as DriftApproval),
    state: row.state as DriftState,
    findings: row.findings ?? undefined,
  };
}

function revived<T>(value: object | null): T | undefined {
  return value === null ? undefined : (reviveDates(value) as T);
}

/** The fields that are times in what is stored as JSON, apart from the state, which keeps its times as text. */
const TIMES = new Set(['at', 'since', 'until', 'expires']);
const instant = z.iso.datetime();

function reviveDates(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return TIMES.has(name) && instant.safeParse(value).success ? new Date(value) : value;
  if (Array.isArray(value)) return value.map((part: unknown) => reviveDates(part));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, reviveDates(part, key)]));
}

/** The columns that changes are written to. */
export function toColumns(changes: DriftProjectChanges) {
  const json = (value: object | undefined) => (value === undefined ? null : storableJson(value));
  const has = (name: keyof DriftProjectChanges) => Object.hasOwn(changes, name);
  return {
    ...(changes.due && { schedule: changes.due.schedule, due_at: changes.due.dueAt ?? null }),
    ...(has('request') && { request: json(changes.request) }),
    ...(has('runId') && { run_id: changes.runId ?? null }),
    ...(changes.lastCheckAt && { last_check_at: changes.lastCheckAt }),
    ...(changes.lastSuccessAt && { last_success_at: changes.lastSuccessAt }),
    ...(changes.baselineDigest !== undefined && { baseline_digest: changes.baselineDigest }),
    ...(changes.sync && { sync: changes.sync }),
    ...(changes.failedChecks !== undefined && { failed_checks: changes.failedChecks }),
    ...(has('skip') && { skip: json(changes.skip) }),
    ...(has('suspension') && { suspension: json(changes.suspension) }),
    ...(changes.silences && { silences: storableJson(changes.silences) }),
    ...(changes.approvals && { approvals: storableJson(changes.approvals) }),
    ...(changes.state && { state: storableJson(changes.state) }),
    ...(has('findings') && { findings: changes.findings ?? null }),
  };
}

/** Columns that follow from what was changed; the pages look for them. */
export function healthColumns(
  { key, settings }: Pick<DriftProject, 'key' | 'settings'>,
  { state, lastSuccessAt }: Pick<DriftProjectChanges, 'state' | 'lastSuccessAt'>,
) {
  return {
    ...(state && { failing: isFailing(state, settings) }),
    ...(lastSuccessAt && { overdue_at: overdueColumn({ key, settings }, lastSuccessAt) }),
  };
}

/** @param since the last check that succeeded, or since when the project is known. */
export function overdueColumn({ key, settings }: Pick<DriftProject, 'key' | 'settings'>, since: Date): Date | null {
  if (!settings.enabled) return null;
  return overdueAt({ project: key, schedule: settings.schedule, lastSuccessAt: since, foundAt: since }) ?? null;
}

/** Marks that the issues of a repository may have to say something else. */
export async function wantReport(trx: Kysely<Database>, repositoryId: string): Promise<void> {
  await trx
    .updateTable('tracked_branches')
    .set({ report_wanted: sql<number>`report_wanted + 1` })
    .where('repository_id', '=', repositoryId)
    .execute();
}
