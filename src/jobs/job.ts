import { z } from 'zod';

/**
 * Every job: its payload, the key under which a waiting one is not added twice, and how often it is tried.
 * A payload carries ids only; the facts are read from PostgreSQL and the VCS host when the job runs.
 */
export const JOBS = {
  /** Handles one stored delivery. */
  event: {
    payload: z.object({ host: z.string(), deliveryId: z.string() }),
    key: (p: { host: string; deliveryId: string }) => `${p.host}/${p.deliveryId}`,
    attempts: 5,
    backoffMs: 2_000,
  },
  /** Wakes a worker, which claims whatever run is next. One attempt: whether to run again is decided in `core`. */
  run: {
    payload: z.object({ runId: z.string() }),
    key: (p: { runId: string }) => p.runId,
    attempts: 1,
    backoffMs: 0,
  },
  /** Brings one pull request's comments, statuses and check run to the wanted state. `later` waits for more to come. */
  publish: {
    payload: z.object({ pullRequestId: z.string(), when: z.enum(['now', 'later']) }),
    key: (p: { pullRequestId: string; when: string }) => `${p.pullRequestId}:${p.when}`,
    attempts: 8,
    backoffMs: 2_000,
  },
  /** Brings the issues that tell of one repository's drift to the wanted state, and posts what is answered there. `later` waits for more to come. */
  report: {
    payload: z.object({ repositoryId: z.string(), when: z.enum(['now', 'later']) }),
    key: (p: { repositoryId: string; when: string }) => `${p.repositoryId}:${p.when}`,
    attempts: 8,
    backoffMs: 2_000,
  },
  /** Finds what was lost: deliveries not handled, runs without a job or with a dead lease, publications undone. */
  sweep: {
    payload: z.object({}),
    key: () => 'sweep',
    attempts: 1,
    backoffMs: 0,
  },
  /** Retention, orphaned locks, closed pull requests, failed deliveries of the host. */
  cleanup: {
    payload: z.object({}),
    key: () => 'cleanup',
    attempts: 1,
    backoffMs: 0,
  },
  /** Looks for repositories whose branch is to be tracked for drift. */
  track: {
    payload: z.object({}),
    key: () => 'track',
    attempts: 1,
    backoffMs: 0,
  },
  /** Reads tracked branches that moved, starts the drift checks that are due, and sees to those that ended without a word. */
  drift: {
    payload: z.object({}),
    key: () => 'drift',
    attempts: 1,
    backoffMs: 0,
  },
  /** Decides to tell of drift checks that are overdue or suspended for long: nothing happens that would tell of them. */
  remind: {
    payload: z.object({}),
    key: () => 'remind',
    attempts: 1,
    backoffMs: 0,
  },
  /** Tells receivers outside of drift what waits for them in the outbox. */
  notify: {
    payload: z.object({}),
    key: () => 'notify',
    attempts: 1,
    backoffMs: 0,
  },
} as const;

export type JobName = keyof typeof JOBS;
export type JobPayload<N extends JobName> = z.infer<(typeof JOBS)[N]['payload']>;
