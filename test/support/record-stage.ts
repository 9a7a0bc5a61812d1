import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { createDeliveryStore } from '../../src/adapters/postgres/delivery-store.ts';
import { createDriftOverview } from '../../src/adapters/postgres/drift/drift-overview.ts';
import { createDriftStore } from '../../src/adapters/postgres/drift/drift-store.ts';
import { createReportStore } from '../../src/adapters/postgres/drift/report-store.ts';
import { createPublicationStore } from '../../src/adapters/postgres/publication-store.ts';
import { createPullRequestStore } from '../../src/adapters/postgres/pull-request-store.ts';
import { createRetention } from '../../src/adapters/postgres/retention.ts';
import { createRunStore } from '../../src/adapters/postgres/run-store.ts';
import type { BatchNotes, NewBatch } from '../../src/core/batch.ts';
import { type Project, type ProjectKey, projectKey } from '../../src/core/project.ts';
import type { PullRequest } from '../../src/core/pull-request.ts';
import type { Decision, PullRequestId, PullRequestRecord, Wakeups } from '../../src/core/record.ts';
import type { ClaimedRun, NewPlan, RunEnd, RunLimits } from '../../src/ports/run-store.ts';
import { BASE, buildAccount, buildNotes, buildProject, buildPullRequest, HEAD, MERGE } from './builders.ts';
import { createTestDatabase } from './postgres.ts';

const NO_LIMITS: RunLimits = { perWorker: 100, perRepository: 100 };
export const LEASE_MS = 30_000;

export type RecordStage = Awaited<ReturnType<typeof createRecordStage>>;

/** The stores on a database of their own, and what is done with them again and again. */
export async function createRecordStage() {
  const database = await createTestDatabase();
  const { db } = database;
  const stores = {
    deliveries: createDeliveryStore(db),
    runs: createRunStore(db),
    pulls: createPullRequestStore(db),
    publications: createPublicationStore(db),
    retention: createRetention(db),
    drift: createDriftStore(db, () => []),
    overview: createDriftOverview(db),
    reports: createReportStore(db),
  };
  let batches = 0;

  const open = (number: number, some: Partial<PullRequest> = {}): Promise<PullRequestRecord> =>
    stores.pulls.save(buildPullRequest({ number, url: `https://github.com/acme/infra/pull/${number}`, ...some }));

  const decide = async (pull: PullRequestRecord, decision: Partial<Decision>): Promise<Wakeups> => {
    const outcome = await stores.runs.decide(pull.id, pull.version, () => ({
      actor: 'ann',
      event: 'test',
      ...decision,
    }));
    if (outcome.kind === 'stale') throw new Error('the facts were stale');
    return outcome.wakeups;
  };

  const batch = (operation: 'plan' | 'apply', projects: readonly Project[], some: Partial<NewBatch> = {}): NewBatch => {
    batches += 1;
    return {
      triggerKey: `trigger-${batches}`,
      operation,
      trigger: 'command',
      actor: buildAccount('ann'),
      headSha: HEAD,
      baseSha: BASE,
      mergeSha: MERGE,
      sourceCommentId: undefined,
      notes: buildNotes(),
      runs: projects.map((project) => ({ projectKey: keyOf(project), project })),
      ...some,
    };
  };

  /** Queues an operation on these folders; answers the ids that are ready. */
  const queue = async (
    pull: PullRequestRecord,
    operation: 'plan' | 'apply',
    dirs: readonly (string | Partial<Project>)[],
    notes: Partial<BatchNotes> = {},
  ): Promise<readonly string[]> => {
    const projects = dirs.map((dir) => buildProject(typeof dir === 'string' ? { dir } : dir));
    const wanted = await decide(pull, { batch: batch(operation, projects, { notes: buildNotes(notes) }) });
    return wanted.runIds;
  };

  const claim = (worker = 'w1', limits: Partial<RunLimits> = {}, leaseMs = LEASE_MS): Promise<ClaimedRun | undefined> =>
    stores.runs.claimNext({ id: worker, leaseMs }, { ...NO_LIMITS, ...limits });

  /** The next run, which there must be, claimed and started. */
  const start = async (worker = 'w1', leaseMs = LEASE_MS): Promise<ClaimedRun> => {
    const run = await claim(worker, {}, leaseMs);
    if (run === undefined) throw new Error('nothing could be claimed');
    await stores.runs.start(run.lease);
    return run;
  };

  const takeLocks = (pull: PullRequestRecord, dirs: readonly string[]): Promise<Wakeups> =>
    decide(pull, { locks: dirs.map((dir) => ({ projectKey: dirKey(dir), project: buildProject({ dir }) })) });

  const auditOf = async (subject: string): Promise<readonly string[]> =>
    (await db.selectFrom('audit_log').select('event').where('subject', '=', subject).orderBy('id').execute()).map(
      (row) => row.event,
    );

  const counters = async (id: PullRequestId) =>
    db
      .selectFrom('pull_requests')
      .select(['publish_wanted as wanted', 'publish_done as done'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow();

  /** Every table is empty afterwards. */
  const forget = async (): Promise<void> => {
    await sql`truncate deliveries, repositories, audit_log, counters cascade`.execute(db);
  };

  return { ...stores, forget, database, db, open, decide, batch, queue, claim, start, takeLocks, auditOf, counters };
}

export function keyOf(project: Project): ProjectKey {
  return projectKey(buildPullRequest().repository, project, false);
}

export function dirKey(dir: string): ProjectKey {
  return keyOf(buildProject({ dir }));
}

const COUNTS = { add: 1, change: 0, destroy: 0, replace: 0, import: 0, move: 0, forget: 0, outputs: 0 };

/** The end of a plan that became the current one of its project. */
export function planned(some: Partial<NewPlan> = {}): RunEnd & { readonly plan: NewPlan } {
  const summary = {
    empty: some.empty ?? false,
    counts: COUNTS,
    changes: [],
    drifted: [],
    checks: [],
    canonicalDigest: 'canonical',
  };
  return {
    state: 'succeeded',
    result: { kind: 'planned', summary, warnings: [], applyRefusal: undefined },
    phases: [],
    plan: {
      id: randomUUID(),
      headSha: HEAD,
      baseRef: 'main',
      baseSha: BASE,
      mergeSha: MERGE,
      inputsDigest: 'inputs',
      canonicalDigest: 'canonical',
      empty: false,
      artifact: Buffer.from('artifact'),
      planText: Buffer.from('text'),
      ...some,
    },
  };
}

export function failedRun(applyBegun = false): RunEnd {
  const result = {
    kind: 'failed',
    explanation: 'it broke',
    diagnostics: [],
    output: '',
    applyBegun,
    erroredState: false,
  } as const;
  return { state: 'failed', result, phases: [] };
}

export const APPLIED: RunEnd = {
  state: 'succeeded',
  result: { kind: 'applied', counts: COUNTS, warnings: [], differences: [] },
  phases: [],
  apply: { sha: MERGE, inputsDigest: 'inputs', approvedDigest: 'canonical', appliedDigest: 'canonical' },
};
