import type { JobName, JobPayload } from '../jobs/job.ts';

export interface QueuedJob<N extends JobName = JobName> {
  readonly name: N;
  readonly payload: JobPayload<N>;
  readonly attempt: number;
  /** Aborted when this worker is told to stop, or the job was lost to another. */
  readonly signal: AbortSignal;
}

/** Thrown by a handler: try again not before this instant, without counting an attempt against the job. */
export class RetryLaterError extends Error {
  readonly retryAt: Date;

  constructor(message: string, retryAt: Date, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RetryLaterError';
    this.retryAt = retryAt;
  }
}

export type JobHandlers = { readonly [N in JobName]?: (job: QueuedJob<N>) => Promise<void> };

/**
 * Wakes workers up; PostgreSQL is the truth. At least once: a handler may run twice and must be idempotent.
 * A job with the same key that is still waiting is not added a second time; one that is running may be added once more, to run after it.
 */
export interface JobQueue {
  enqueue<N extends JobName>(
    name: N,
    payload: JobPayload<N>,
    options?: {
      readonly delayMs?: number;
      readonly priority?: number;
      /** Whoever asks anew does not wait for a running job of the same key, whose worker may be dead; one job per name of who asks. */
      readonly anewBy?: string;
    },
  ): Promise<void>;
  /** Starts serving; `concurrency` is per job name. */
  serve(handlers: JobHandlers, concurrency: Partial<Record<JobName, number>>): Promise<void>;
  /** Same key, same period on any number of machines: once per period. */
  repeat<N extends JobName>(name: N, payload: JobPayload<N>, everyMs: number): Promise<void>;
  /** How many jobs wait, per name; for metrics. */
  depth(): Promise<Readonly<Record<JobName, number>>>;
  /** Takes no more jobs and waits for the running ones, `graceMs` at most, then aborts their signals and waits again. */
  drain(graceMs: number): Promise<void>;
  close(): Promise<void>;
}
