import { DelayedError, type Job, type Processor, UnrecoverableError } from 'bullmq';
import { JOBS, type JobName, type JobPayload } from '../../jobs/job.ts';
import type { Logger } from '../../ports/logger.ts';
import { type QueuedJob, RetryLaterError } from '../../ports/job-queue.ts';

export type JobHandler<N extends JobName> = (job: QueuedJob<N>) => Promise<void>;

/** What BullMQ calls for every job of a name. */
export function jobProcessor<N extends JobName>(name: N, handle: JobHandler<N>, logger: Logger): Processor {
  // BullMQ makes an abort signal only for a processor that declares three parameters.
  return async (job: Job, token: string | undefined, signal: AbortSignal | undefined) => {
    const log = logger.child({ job: name, jobId: job.id });
    const payload = parsePayload(name, job.data);
    if (payload === undefined) {
      log.error({}, 'a job has a payload that this program does not understand; it is dropped');
      throw new UnrecoverableError('payload not understood');
    }
    try {
      await handle({ name, payload, attempt: job.attemptsMade + 1, signal: signal ?? new AbortController().signal });
    } catch (error) {
      if (error instanceof RetryLaterError) await postpone(job, token, error);
      log.error({ err: error, attempt: job.attemptsMade + 1, attempts: job.opts.attempts }, 'a job failed');
      // The backend stores what it is given, and the error may tell of things that must not be stored in clear.
      throw new Error('failed; the reason is in the log');
    }
  };
}

/** Never returns: BullMQ is told by an error of its own that the job was put back, which counts no attempt. */
async function postpone(job: Job, token: string | undefined, error: RetryLaterError): Promise<never> {
  await job.moveToDelayed(error.retryAt.getTime(), token);
  throw new DelayedError();
}

function parsePayload<N extends JobName>(name: N, data: unknown): JobPayload<N> | undefined {
  const result = JOBS[name].payload.safeParse(data);
  // The table gives every name its own schema, a relation that TypeScript does not follow through an index.
  return result.success ? (result.data as JobPayload<N>) : undefined;
}
