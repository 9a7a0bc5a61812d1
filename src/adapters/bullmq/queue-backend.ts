import type { Job, JobsOptions, Processor } from 'bullmq';
import type { JobName } from '../../jobs/job.ts';

/** What differs between PostgreSQL and Redis under BullMQ. All parts share the connections of the one backend. */
export interface QueueBackend {
  queue(name: JobName): Queue;
  worker(name: JobName, processor: Processor, limits: WorkerLimits): Worker;
  /** True for one caller of all machines, and for nobody else until nine tenths of the period are over by the backend's clock. */
  claimPeriod(name: string, periodMs: number): Promise<boolean>;
  close(): Promise<void>;
}

export interface WorkerLimits {
  readonly concurrency: number;
  readonly lockMs: number;
}

/** The part of BullMQ's queue that is used. */
export interface Queue {
  add(name: string, data: unknown, options: JobsOptions): Promise<unknown>;
  getJobCounts(...types: ('waiting' | 'prioritized')[]): Promise<Record<string, number>>;
  waitUntilReady(): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

/** The part of BullMQ's worker that is used. */
export interface Worker {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'failed', listener: (job: Job | undefined, error: Error) => void): unknown;
  on(event: 'stalled', listener: (jobId: string) => void): unknown;
  on(event: 'lockRenewalFailed', listener: (jobIds: string[]) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  cancelJob(jobId: string, reason: string): boolean;
  cancelAllJobs(reason: string): void;
  /** Takes no more jobs and waits for the running ones. */
  close(): Promise<void>;
}

/** Nine tenths, because timers are never exact: with the whole period, one that fires a moment early would be refused and wait for another. */
export const PERIOD_SHARE = 0.9;

/** Of BullMQ's event stream, which nothing here listens to. */
const KEPT_EVENTS = 100;
export const QUEUE_OPTIONS = { streams: { events: { maxLen: KEPT_EVENTS } } } as const;

/**
 * A job whose worker was killed is free again when its lock has run out and two checks have seen it, within `2 * lockMs`. Where `retryStalled`
 * is false BullMQ does not start it a second time: it fails, and the sweep decides from the record.
 */
export function workerOptions({ concurrency, lockMs }: WorkerLimits, retryStalled: boolean) {
  return {
    concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
    maxStalledCount: retryStalled ? 3 : 0,
    runRetryDelay: 1_000,
    autorun: true,
  } as const;
}
