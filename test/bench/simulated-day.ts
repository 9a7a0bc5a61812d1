import { createDriftStore } from '../../src/adapters/postgres/drift/drift-store.ts';
import { createPullRequestStore } from '../../src/adapters/postgres/pull-request-store.ts';
import { createRunStore } from '../../src/adapters/postgres/run-store.ts';
import { connectPostgres } from '../../src/adapters/postgres/connection.ts';
import { decideFindings } from '../../src/core/drift/decide-check.ts';
import type { DriftFindings } from '../../src/core/drift/drift.ts';
import { projectKey } from '../../src/core/project.ts';
import type { DriftStore } from '../../src/ports/drift-store.ts';
import type { ClaimedRun } from '../../src/ports/run-store.ts';
import { Secret } from '../../src/lib/secret.ts';
import { scheduleDue } from '../../workers/drift/schedule-due.ts';
import type { RunContext } from '../../workers/run-context.ts';
import { buildProject, buildRepository, HEAD } from '../support/builders.ts';
import { buildDriftSettings } from '../support/drift-builders.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import type { BenchDatabase } from './bench-database.ts';

/** Of the simulated clock. */
export const TICK_MS = 30_000;
const MINUTE_MS = 60_000;
/** Far more than are ever due at once: what is measured is the schedule, and not a lack of workers. */
const SLOTS = 400;
const LEASE_MS = 600_000;
const IN_SYNC: DriftFindings = {
  sync: 'in_sync',
  inputs: 'unchanged',
  complete: true,
  resources: [],
  outputs: [],
  failedChecks: [],
  fingerprint: undefined,
  canonicalDigest: 'digest',
};

export interface DaySize {
  readonly projects: number;
  readonly repositories: number;
  readonly everyMs: number;
}

/** A check that was begun: of which project, when, and when it was due. Times are of the simulated clock, milliseconds. */
export interface Start {
  readonly key: string;
  readonly at: number;
  readonly dueAt: number;
}

/** Schedule and record as they are, a clock that is set by hand, and checks that take some of its time and find nothing. */
export interface SimulatedDay extends AsyncDisposable {
  readonly starts: readonly Start[];
  /** What each look at the schedule took, real milliseconds. */
  readonly looks: readonly number[];
  /** One look at the schedule, with what has ended by then. */
  tick(now: number): Promise<void>;
  /** The process dies and another comes: nothing is left but the record. */
  restart(): Promise<void>;
}

interface Running {
  readonly run: ClaimedRun;
  readonly endsAt: number;
}

export async function simulateDay(database: BenchDatabase, size: DaySize, start: number): Promise<SimulatedDay> {
  const logger = recordingLogger();
  const connection = connectPostgres({ url: new Secret(database.url), logger });
  const { db } = connection;
  const runs = createRunStore(db);
  const store = createDriftStore(db, () => []);
  await listProjects(db, store, size, start);
  const starts: Start[] = [];
  const looks: number[] = [];
  let running: readonly Running[] = [];
  let worker = 1;
  const owner = () => `simulated-${worker}`;

  const look = async (now: number): Promise<void> => {
    const begun: Start[] = [];
    const drift: Pick<DriftStore, 'schedule'> = {
      schedule: (decide, at) =>
        store.schedule((facts) => {
          const decision = decide(facts);
          const due = new Map(
            facts.due.map(({ project }) => [project.key, project.due.dueAt?.getTime() ?? Number.NaN]),
          );
          begun.push(...decision.start.map((key) => ({ key, at: now, dueAt: due.get(key) ?? Number.NaN })));
          return decision;
        }, at),
    };
    const runIds: string[] = [];
    const queue = { enqueue: async (_name: string, payload: { runId: string }) => void runIds.push(payload.runId) };
    const config = {
      minimumFreeBytes: 0,
      repositories: ['**'],
      credentials: [],
      parallelism: { global: SLOTS },
      drift: { limits: {} },
    };
    const context = { drift, queue, logger, config, workDirectory: '/', now: () => new Date(now) };
    const startedAt = performance.now();
    await scheduleDue(context as unknown as RunContext);
    looks.push(performance.now() - startedAt);
    starts.push(...begun);
    // The record notes such times by the database's own clock, which knows nothing of ours.
    if (runIds.length > 0)
      await db
        .updateTable('runs')
        .set({ queued_at: new Date(now) })
        .where('id', 'in', runIds)
        .execute();
  };

  const claim = async (now: number): Promise<void> => {
    const limits = { perWorker: SLOTS, perRepository: SLOTS };
    for (;;) {
      const run = await runs.claimNext({ id: owner(), leaseMs: LEASE_MS }, limits);
      if (run === undefined) return;
      await runs.start(run.lease);
      running = [...running, { run, endsAt: now + checkMs(starts.length + running.length) }];
    }
  };

  const end = async ({ run }: Running, now: number): Promise<void> => {
    const result = { kind: 'checked', sync: 'in_sync', drifting: 0, differing: 0 } as const;
    await store.finish(run.lease, { state: 'succeeded', result, phases: [] }, (project) =>
      decideFindings(project, {
        findings: IN_SYNC,
        sha: HEAD,
        inputsDigest: 'inputs',
        runId: run.id,
        putRightBy: undefined,
        now: new Date(now),
        seal: (stored) => Buffer.from(JSON.stringify(stored)),
      }),
    );
  };

  return {
    starts,
    looks,
    tick: async (now) => {
      const ended = running.filter(({ endsAt }) => endsAt <= now);
      running = running.filter(({ endsAt }) => endsAt > now);
      await Promise.all(ended.map((one) => end(one, now)));
      await look(now);
      await claim(now);
    },
    restart: async () => {
      running = [];
      worker += 1;
      await runs.recover((id) => id !== owner());
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

/** From ten seconds to a minute and a half, never the same twice in a row. */
function checkMs(seed: number): number {
  return 10_000 + ((seed * 7_919) % 80_000);
}

async function listProjects(
  db: Parameters<typeof createPullRequestStore>[0],
  store: DriftStore,
  { projects, repositories, everyMs }: DaySize,
  start: number,
): Promise<void> {
  const pulls = createPullRequestStore(db);
  const each = Math.ceil(projects / repositories);
  for (let at = 0; at < repositories; at += 1) {
    const repository = buildRepository({ id: String(at), name: `repository-${at}` });
    const count = Math.min(each, projects - at * each);
    const listed = Array.from({ length: count }, (_, index) => {
      const project = buildProject({ dir: `p${index}` });
      const settings = buildDriftSettings({ schedule: { kind: 'every', everyMs } });
      return { key: projectKey(repository, project, false), project, settings, inputsDigest: 'inputs' };
    });
    await pulls.saveRepository(repository);
    await store.track(repository, 'main');
    const read = { tip: HEAD, settingsDigest: 'settings', projects: listed };
    await store.syncProjects(`${repository.host}/${repository.id}`, read, new Date(start));
  }
}

/** The most starts within one minute of the clock. */
export function busiestMinute(starts: readonly Start[]): number {
  const counts = new Map<number, number>();
  for (const { at } of starts) {
    const minute = Math.floor(at / MINUTE_MS);
    counts.set(minute, (counts.get(minute) ?? 0) + 1);
  }
  return Math.max(...counts.values());
}

/** The longest time without a start, of each project, milliseconds; from the beginning and to the end of the day as well. */
export function longestGaps(starts: readonly Start[], from: number, to: number): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  const gaps = new Map<string, number>();
  const note = (key: string, at: number) => {
    gaps.set(key, Math.max(gaps.get(key) ?? 0, at - (last.get(key) ?? from)));
    last.set(key, at);
  };
  for (const { key, at } of starts) note(key, at);
  for (const key of last.keys()) note(key, to);
  return gaps;
}
