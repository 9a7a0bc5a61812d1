import type { Wakeups } from '../core/record.ts';
import type { JobName, JobPayload } from './job.ts';

/** How long a change of the pull request may wait for others to be published with it, milliseconds. */
const PUBLISH_LATER_MS = 2_000;
/** How long after it was wanted people see that something was noticed. Most plans are there sooner. */
export const FIRST_SIGN_MS = 5_000;

export type Publish = 'now' | 'later' | 'if_slow';
/** How long a change of a drift report may wait for others to be published with it: checks come in rows. */
const REPORT_LATER_MS = 3_000;
const DELAY_MS: Readonly<Record<Publish, number>> = { now: 0, later: PUBLISH_LATER_MS, if_slow: FIRST_SIGN_MS };

/** What is needed of the queue and the logger. */
export interface WakeContext {
  readonly queue: {
    enqueue<N extends JobName>(
      name: N,
      payload: JobPayload<N>,
      options?: { readonly delayMs?: number; readonly anewBy?: string },
    ): Promise<void>;
  };
  readonly logger: { warn(fields: object, message: string): void };
}

/**
 * `publish`: `if_slow` leaves a plan time to be there before anything is said of it.
 * `report`: `now` for what people wait for.
 * `anewBy`: who finds it again does not wait for a job that a dead worker may have left.
 */
export interface WakeOptions {
  readonly publish?: Publish;
  readonly report?: 'now' | 'later';
  readonly anewBy?: string;
}

/** Enqueues what a committed transaction made possible. A failure here costs time only: the sweep finds it again. */
export async function wake(
  { queue, logger }: WakeContext,
  wakeups: Wakeups,
  { publish = 'now', report = 'later', ...anew }: WakeOptions = {},
): Promise<void> {
  try {
    await Promise.all([
      ...wakeups.runIds.map((runId) => queue.enqueue('run', { runId }, anew)),
      ...wakeups.deliveries.map((delivery) =>
        queue.enqueue('event', { host: delivery.host, deliveryId: delivery.id }, anew),
      ),
      ...wakeups.pullRequestIds.map((pullRequestId) =>
        queue.enqueue(
          'publish',
          { pullRequestId, when: publish === 'now' ? 'now' : 'later' },
          publish === 'now' ? anew : { delayMs: DELAY_MS[publish] },
        ),
      ),
      ...(wakeups.repositoryIds ?? []).map((repositoryId) =>
        queue.enqueue(
          'report',
          { repositoryId, when: report },
          report === 'now' ? anew : { ...anew, delayMs: REPORT_LATER_MS },
        ),
      ),
    ]);
  } catch (error) {
    logger.warn({ error }, 'the queue did not take a wake-up; the sweep will');
  }
}
