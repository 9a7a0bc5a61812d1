import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobsOptions } from 'bullmq';
import { JOBS, type JobName, type JobPayload } from '../../jobs/job.ts';
import type { Secret } from '../../lib/secret.ts';
import type { Logger } from '../../ports/logger.ts';
import type { JobHandlers, JobQueue } from '../../ports/job-queue.ts';
import { type JobHandler, jobProcessor } from './job-processor.ts';
import { isOutage, type OutageLog, outageLog } from './outage-log.ts';
import { postgresBackend } from './postgres-backend.ts';
import type { Queue, QueueBackend, Worker } from './queue-backend.ts';
import { redisBackend } from './redis-backend.ts';

export interface JobQueueOptions {
  readonly backend:
    | { readonly kind: 'postgres'; readonly url: Secret }
    | { readonly kind: 'redis'; readonly url: Secret };
  readonly logger: Logger;
  /** First part of every key in Redis, for several Holdfasts on one Redis. In PostgreSQL each has a database of its own. */
  readonly prefix?: string;
  /** How long a worker that gave no sign of life keeps its jobs, in milliseconds; 30 s unless told. A job may last as long as it wants. */
  readonly lockMs?: number;
}

const NAMES = Object.keys(JOBS) as JobName[];
const DEFAULT_CONCURRENCY = 1;
const LOCK_MS = 30_000;
const CLOSE_PATIENCE_MS = 5_000;
/** Failed jobs are kept for a look; nothing depends on them. */
const KEPT_FAILURES = { count: 200, age: 7 * 24 * 3600 };

/**
 * The job queue on BullMQ, one queue per job name. A process that only enqueues never calls `serve`.
 * @throws when the backend cannot be reached at the start; a later outage is waited out.
 */
export async function createJobQueue(options: JobQueueOptions): Promise<JobQueue> {
  const outage = outageLog(options.logger);
  const { kind, url } = options.backend;
  const backend =
    kind === 'postgres'
      ? await postgresBackend(url, outage, options.logger)
      : await redisBackend(url, options.prefix ?? 'holdfast', outage, options.logger);
  return new BullmqJobQueue(backend, { outage, logger: options.logger, lockMs: options.lockMs ?? LOCK_MS });
}

class BullmqJobQueue implements JobQueue {
  readonly #backend: QueueBackend;
  readonly #outage: OutageLog;
  readonly #logger: Logger;
  readonly #lockMs: number;
  readonly #queues: ReadonlyMap<JobName, Queue>;
  readonly #workers = new Map<JobName, Worker>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #running = new Set<Promise<void>>();
  #lastEnd = 0;
  #drained: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(backend: QueueBackend, own: { outage: OutageLog; logger: Logger; lockMs: number }) {
    this.#backend = backend;
    this.#outage = own.outage;
    this.#logger = own.logger;
    this.#lockMs = own.lockMs;
    this.#queues = new Map(NAMES.map((name) => [name, backend.queue(name)]));
    for (const queue of this.#queues.values()) queue.on('error', (error) => this.#report(error));
  }

  async enqueue<N extends JobName>(
    name: N,
    payload: JobPayload<N>,
    options: { delayMs?: number; priority?: number; anewBy?: string } = {},
  ): Promise<void> {
    if (this.#closed) throw new Error(`The queue is closed; the job ${name} was not added.`);
    await this.#queue(name).add(name, payload, jobOptions(name, payload, options));
  }

  async serve(handlers: JobHandlers, concurrency: Partial<Record<JobName, number>>): Promise<void> {
    if (this.#drained) throw new Error('The queue is draining; it does not serve again.');
    for (const name of NAMES) {
      const handler = handlers[name];
      if (!handler) continue;
      if (this.#workers.has(name)) throw new Error(`The queue already serves ${name}.`);
      this.#workers.set(
        name,
        this.#startWorker(name, handler as JobHandler<typeof name>, concurrency[name] ?? DEFAULT_CONCURRENCY),
      );
    }
    await Promise.all([...this.#workers.values()].map((worker) => worker.waitUntilReady()));
  }

  /**
   * By a timer in each process and a claim in the backend, not by BullMQ's schedulers: their chain ends when Redis loses its memory or a link
   * is not written, several machines that set one up on PostgreSQL at once get it twice, and their jobs escape the key.
   */
  async repeat<N extends JobName>(name: N, payload: JobPayload<N>, everyMs: number): Promise<void> {
    const period = `${name}:${keyOf(name, payload)}`;
    const tick = async () => {
      if (this.#closed || this.#drained) return;
      if (await this.#backend.claimPeriod(period, everyMs)) await this.enqueue(name, payload);
    };
    const timer = setInterval(() => void tick().catch((error: unknown) => this.#report(error)), everyMs);
    timer.unref();
    this.#timers.add(timer);
    await tick();
  }

  async depth(): Promise<Readonly<Record<JobName, number>>> {
    const counts = NAMES.map(async (name) => {
      const { waiting = 0, prioritized = 0 } = await this.#queue(name).getJobCounts('waiting', 'prioritized');
      return [name, waiting + prioritized] as const;
    });
    return Object.fromEntries(await Promise.all(counts)) as Record<JobName, number>;
  }

  drain(graceMs: number): Promise<void> {
    this.#drained ??= this.#drain(graceMs);
    return this.#drained;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #drain(graceMs: number): Promise<void> {
    this.#lastEnd = Date.now();
    const workers = [...this.#workers.values()];
    const stop = setTimeout(() => {
      for (const worker of workers) worker.cancelAllJobs('this worker stops');
    }, graceMs);
    const closed = Promise.all(workers.map((worker) => worker.close()));
    await Promise.race([closed, this.#handlersEnded()]);
    clearTimeout(stop);
  }

  /** While its backend is away BullMQ's worker does not close; when no handler has run for a while there is nothing to wait for. */
  async #handlersEnded(): Promise<void> {
    while (this.#running.size > 0 || Date.now() - this.#lastEnd < CLOSE_PATIENCE_MS) {
      await Promise.allSettled(this.#running);
      await delay(100, undefined, { ref: false });
    }
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.drain(0);
    this.#outage.close();
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    await this.#backend.close();
  }

  #startWorker<N extends JobName>(name: N, handler: JobHandler<N>, concurrency: number): Worker {
    const tracked: JobHandler<N> = (job) => this.#track(handler(job));
    const worker = this.#backend.worker(name, jobProcessor(name, tracked, this.#logger), {
      concurrency,
      lockMs: this.#lockMs,
    });
    worker.on('error', (error) => this.#report(error));
    worker.on('stalled', (jobId) => this.#logger.warn({ job: name, jobId }, 'a job was left by a worker that died'));
    worker.on('lockRenewalFailed', (jobIds) => {
      for (const jobId of jobIds) worker.cancelJob(jobId, 'the job was given to another worker');
    });
    return worker;
  }

  #track(work: Promise<void>): Promise<void> {
    const tracked = work.finally(() => {
      this.#running.delete(tracked);
      this.#lastEnd = Date.now();
    });
    this.#running.add(tracked);
    return tracked;
  }

  #queue(name: JobName): Queue {
    const queue = this.#queues.get(name);
    if (!queue) throw new Error(`There is no job ${name}.`);
    return queue;
  }

  /** An outage is said once; everything else is said as it comes. */
  #report(error: unknown): void {
    if (isOutage(error)) this.#outage.failed(error);
    else this.#logger.error({ err: error }, 'the queue met an error');
  }
}

function deduplicationKey(key: string, anewBy: string | undefined): string {
  return anewBy === undefined ? key : `${key} anew by ${anewBy}`;
}

function keyOf<N extends JobName>(name: N, payload: JobPayload<N>): string {
  // The table gives every name its own key function, a relation that TypeScript does not follow through an index.
  return (JOBS[name].key as (payload: JobPayload<N>) => string)(payload);
}

/**
 * `keepLastIfActive` is the port's promise: a waiting job of the same key is not added twice, one that comes while the first is running waits
 * for it. `reschedule` lets one that is wanted at once pull a delayed one forward instead of being swallowed by it.
 */
function jobOptions<N extends JobName>(
  name: N,
  payload: JobPayload<N>,
  wanted: { delayMs?: number; priority?: number; anewBy?: string },
): JobsOptions {
  const { attempts, backoffMs } = JOBS[name];
  const delay = wanted.delayMs ?? 0;
  return {
    // Not BullMQ's counter: on a PostgreSQL with wal_level = minimal it starts over after a crash, and a job would vanish in an older one.
    jobId: randomUUID(),
    deduplication: {
      id: deduplicationKey(keyOf(name, payload), wanted.anewBy),
      keepLastIfActive: true,
      reschedule: delay <= 0,
    },
    attempts,
    ...(backoffMs > 0 ? { backoff: { type: 'exponential', delay: backoffMs } } : {}),
    ...(delay > 0 ? { delay } : {}),
    ...(wanted.priority === undefined ? {} : { priority: wanted.priority }),
    removeOnComplete: true,
    removeOnFail: KEPT_FAILURES,
    stackTraceLimit: 0,
  };
}
