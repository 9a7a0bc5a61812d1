import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { HealthState } from '../../../core/drift/health.ts';
import { type DriftStanding, standingOf } from '../../../core/drift/standing.ts';
import type { ProjectKey } from '../../../core/project.ts';
import type {
  BranchProblem,
  DriftFigures,
  DriftOverview,
  ProjectCounts,
  ProjectFilter,
  ProjectOverview,
} from '../../../ports/drift-overview.ts';
import { toRepository } from '../rows.ts';
import type { Database } from '../schema.ts';
import { repositoryOf, toDriftProject } from './drift-rows.ts';

/** Nobody expects a check of it. */
const PAUSED: RawBuilder<boolean> = sql`(
  not p.listed or p.due_at is null or coalesce(p.skip ->> 'code' in ('archived', 'missing', 'disabled'), false)
  or (p.suspension is not null and coalesce((p.suspension ->> 'until')::timestamptz, 'infinity') > clock_timestamp()))`;

/** Outside of its windows a project waits, and is not late. */
const HEALTH: RawBuilder<HealthState> = sql`case
  when ${PAUSED} then 'paused'
  when p.failing then 'failing'
  when p.overdue_at < clock_timestamp() and p.skip ->> 'code' is distinct from 'window_closed' then 'overdue'
  when p.last_success_at is null then 'never_checked'
  when p.failed_checks > 0 then 'checks_failed'
  else 'ok' end`;

const DRIFTS: RawBuilder<boolean> = sql`coalesce(jsonb_typeof(p.state -> 'drift'), 'null') <> 'null'`;

/** The same as `standingOf`, where projects are looked for by it. */
const STANDING: RawBuilder<DriftStanding> = sql`case
  when ${DRIFTS} then case
    when not (p.state #>> '{drift,confirmed}')::boolean then 'unconfirmed'
    when p.state #>> '{drift,quiet}' is null then 'drift'
    else 'silenced' end
  when p.sync = 'unknown' and p.last_success_at is null then 'never'
  when p.sync in ('state_only', 'absorbed') then 'in_sync'
  else p.sync end`;

const SHOWN: RawBuilder<boolean> = sql`(p.listed or ${DRIFTS})`;

export function createDriftOverview(db: Kysely<Database>): DriftOverview {
  const select = () => selectOverviews(db);
  return {
    list: async ({ limit, after, ...filter }) => {
      let query = select().where(conditionOf(filter)).orderBy('p.project_key').limit(limit);
      if (after !== undefined) query = query.where('p.project_key', '>', after);
      return (await query.execute()).map(toOverview);
    },
    find: async (key: ProjectKey) => {
      const row = await select().where('p.project_key', '=', key).executeTakeFirst();
      return row && toOverview(row);
    },
    count: (filter) => count(db, filter),
    listProblems: async (limit) =>
      (await selectProblems(db).orderBy('problem_since').limit(limit).execute()).flatMap(toProblem),
    findProblem: async (repositoryId) => {
      const rows = await selectProblems(db).where('tracked_branches.repository_id', '=', repositoryId).execute();
      return rows.flatMap(toProblem)[0];
    },
    listWaiting: async (suspendedBefore, limit) => {
      const suspended = sql<boolean>`p.listed and p.suspension is not null and p.suspension ->> 'until' is null
        and (p.suspension ->> 'since')::timestamptz < ${suspendedBefore}`;
      const waiting = sql<boolean>`(${suspended} or ${HEALTH} = 'overdue')`;
      return (await select().where(waiting).orderBy('p.project_key').limit(limit).execute()).map(toOverview);
    },
    readFigures: () => readFigures(db),
  };
}

function selectProblems(db: Kysely<Database>) {
  return db
    .selectFrom('tracked_branches')
    .innerJoin('repositories', 'repositories.id', 'tracked_branches.repository_id')
    .select(['branch', 'problem', 'problem_since'])
    .select(['host', 'host_id', 'owner', 'name', 'default_branch', 'archived', 'private', 'url'])
    .where('problem', 'is not', null);
}

type ProblemRow = Awaited<ReturnType<ReturnType<typeof selectProblems>['execute']>>[number];

function toProblem({ branch, problem, problem_since, ...repository }: ProblemRow): readonly BranchProblem[] {
  if (problem === null || problem_since === null) return [];
  return [{ repository: toRepository(repository), branch, sentence: problem, since: problem_since }];
}

/** All but the findings. */
function selectOverviews(db: Kysely<Database>) {
  return db
    .selectFrom('drift_projects as p')
    .innerJoin('repositories as r', 'r.id', 'p.repository_id')
    .leftJoin('tracked_branches as b', 'b.repository_id', 'p.repository_id')
    .select(['p.project_key', 'p.repository_id', 'p.project', 'p.settings', 'p.listed', 'p.tip', 'p.inputs_digest'])
    .select(['p.baseline_digest', 'p.schedule', 'p.due_at', 'p.starts_per_minute', 'p.request', 'p.run_id'])
    .select(['p.last_check_at', 'p.last_success_at', 'p.sync', 'p.skip', 'p.suspension', 'p.silences', 'p.state'])
    .select(['p.approvals', 'p.found_at', 'p.failing', 'p.overdue_at', 'p.failed_checks'])
    .select(['r.host', 'r.host_id', 'r.owner', 'r.name as repository_name', 'r.default_branch', 'r.archived'])
    .select(['r.private', 'r.url as repository_url', 'b.branch', HEALTH.as('health')])
    .leftJoin('drift_issues as i', (join) =>
      join
        .onRef('i.project_key', '=', 'p.project_key')
        .onRef('i.repository_id', '=', 'p.repository_id')
        .on('i.kind', '=', 'project')
        .on('i.state', 'in', ['open', 'closed']),
    )
    .select(['i.number as issue_number', 'i.url as issue_url', 'i.state as issue_state']);
}

type Row = Awaited<ReturnType<ReturnType<typeof selectOverviews>['execute']>>[number];

function toOverview(row: Row): ProjectOverview {
  const whole = { ...row, findings: null };
  const { findings: _, ...project } = toDriftProject(whole);
  const { issue_number: number, issue_url: url, issue_state: state } = row;
  return {
    project,
    repository: repositoryOf(whole),
    branch: row.branch ?? row.default_branch,
    standing: standingOf(project),
    health: row.health,
    issue: number === null || url === null ? undefined : { number, url, open: state === 'open' },
    foundAt: row.found_at,
  };
}

function conditionOf({ repositoryId, standing, health }: ProjectFilter): RawBuilder<boolean> {
  const conditions = [
    SHOWN,
    ...(repositoryId === undefined ? [] : [sql<boolean>`p.repository_id = ${repositoryId}`]),
    ...(standing === undefined ? [] : [sql<boolean>`${STANDING} = ${standing}`]),
    ...(health === undefined ? [] : [sql<boolean>`${HEALTH} = ${health}`]),
  ];
  return sql`${sql.join(conditions, sql` and `)}`;
}

async function count(db: Kysely<Database>, filter: ProjectFilter): Promise<ProjectCounts> {
  const { rows } = await sql<{ standing: DriftStanding; health: HealthState; count: number }>`
    select ${STANDING} as standing, ${HEALTH} as health, count(*)::int as count
    from drift_projects p where ${conditionOf(filter)} group by 1, 2`.execute(db);
  const sumBy = <K>(of: (row: (typeof rows)[number]) => K) => {
    const sums = new Map<K, number>();
    for (const row of rows) sums.set(of(row), (sums.get(of(row)) ?? 0) + row.count);
    return sums;
  };
  return {
    all: rows.reduce((sum, row) => sum + row.count, 0),
    standing: sumBy((row) => row.standing),
    health: sumBy((row) => row.health),
  };
}

interface TimesRow {
  readonly success: Date | null;
  readonly due: Date | null;
}

async function readFigures(db: Kysely<Database>): Promise<DriftFigures> {
  const projects = await sql<DriftFigures['projects'][number]>`
    select r.host || '/' || r.owner || '/' || r.name as repository, ${STANDING} as standing, count(*)::int as count
    from drift_projects p join repositories r on r.id = p.repository_id
    where p.listed group by 1, 2 order by 1, 2`.execute(db);
  const times = await sql<TimesRow>`
    select min(coalesce(p.last_success_at, p.found_at)) filter (where not ${PAUSED}) as success,
      min(p.due_at) filter (where p.run_id is null and p.skip is null and p.due_at <= clock_timestamp()) as due
    from drift_projects p where p.listed`.execute(db);
  const unreadable = await db
    .selectFrom('tracked_branches')
    .select(sql<number>`count(*)::int`.as('count'))
    .where('problem', 'is not', null)
    .executeTakeFirst();
  return {
    projects: projects.rows,
    health: (await count(db, {})).health,
    unreadableBranches: unreadable?.count ?? 0,
    oldestSuccess: times.rows[0]?.success ?? undefined,
    oldestDue: times.rows[0]?.due ?? undefined,
  };
}
