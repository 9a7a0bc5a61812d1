import { sql } from 'kysely';
import { createJobQueue } from '../../src/adapters/bullmq/create-job-queue.ts';
import type { Issue, Repository } from '../servers/github/state/model.ts';
import { BOT, type Stage } from './e2e-stage.ts';
import { recordingLogger } from './recording-logger.ts';
import { until } from './until.ts';

const PATIENCE_MS = 60_000;

/** What is on record of one project of a tracked branch. */
export interface ProjectOnRecord {
  readonly sync: string;
  readonly tip: string;
  readonly skip: { readonly code: string; readonly sentence: string } | undefined;
}

/** Drift checks of one stage, asked for and waited for. */
export interface DriftView {
  /** Has the repositories that are served looked for, and waits until the newest commit of this one is known. */
  track(repository: Repository): Promise<void>;
  /** Has every project of the repository checked, as a person would, and waits until all that follows is done. */
  check(repository: Repository): Promise<void>;
  /** The clock comes to where its projects are due. */
  makeDue(repository: Repository): Promise<void>;
  /** The schedule is looked at, and all that follows is done. */
  settle(): Promise<void>;
  project(repository: Repository, dir: string): Promise<ProjectOnRecord>;
  /** `OPERATION STATE` of each run on the tracked branch, oldest first. */
  runs(repository: Repository): Promise<readonly string[]>;
  /** Those that Holdfast opened, oldest first. */
  reports(repository: Repository): readonly Issue[];
}

export function createDriftView(stage: Stage): DriftView {
  const { db } = stage.database;
  const idOf = ({ id }: Repository): string => `127.0.0.1/${id}`;
  const wakeUp = async (name: 'track' | 'drift'): Promise<void> => {
    const backend = { kind: 'postgres', url: stage.database.url } as const;
    const queue = await createJobQueue({ backend, logger: recordingLogger() });
    await queue.enqueue(name, {});
    await queue.close();
  };
  const find = (repository: Repository) =>
    db.selectFrom('drift_projects').selectAll().where('repository_id', '=', idOf(repository)).execute();
  const settle = async (): Promise<void> => {
    // Said anew by the look at the schedule that follows; without this nobody could tell that there was one.
    await db.updateTable('drift_projects').set({ skip: null }).execute();
    await wakeUp('drift');
    await until(async () => {
      await stage.settle();
      const { rows } = await sql<{ open: number }>`select (
        (select count(*) from drift_projects where run_id is not null or (request is not null and skip is null)) +
        (select count(*) from drift_projects where listed and due_at <= now() and skip is null) +
        (select count(*) from tracked_branches where report_wanted > report_done or publish_lease_until > now())
      )::int as open`.execute(db);
      return rows[0]?.open === 0 || undefined;
    }, PATIENCE_MS);
    await stage.settle();
  };
  return {
    settle,
    track: async (repository) => {
      await wakeUp('track');
      const tip = await stage.github.tip(repository, repository.defaultBranch);
      await until(async () => {
        const projects = await find(repository);
        return (projects.length > 0 && projects.every((one) => one.tip === tip)) || undefined;
      }, PATIENCE_MS);
    },
    check: async (repository) => {
      const request = JSON.stringify({ kind: 'command', actor: { id: 'ops', login: 'ops' }, at: new Date() });
      await db
        .updateTable('drift_projects')
        .set({ request })
        .where('repository_id', '=', idOf(repository))
        .where('listed', '=', true)
        .execute();
      await settle();
    },
    makeDue: async (repository) => {
      await db
        .updateTable('drift_projects')
        .set({ due_at: sql<Date>`now()` })
        .where('repository_id', '=', idOf(repository))
        .execute();
    },
    project: async (repository, dir) => {
      const row = (await find(repository)).find(({ project }) => project.dir === dir);
      if (row === undefined) throw new Error(`no project ${dir} is on record`);
      return { sync: row.sync, tip: row.tip, skip: (row.skip as ProjectOnRecord['skip'] | null) ?? undefined };
    },
    runs: async (repository) => {
      const rows = await db
        .selectFrom('runs')
        .select(['operation', 'state'])
        .where('repository_id', '=', idOf(repository))
        .where('pull_request_id', 'is', null)
        .orderBy('queued_at')
        .execute();
      return rows.map(({ operation, state }) => `${operation} ${state}`);
    },
    reports: ({ issues }) =>
      [...issues.values()].filter(({ pull, author }) => pull === undefined && author.login === BOT),
  };
}
