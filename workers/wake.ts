import type { Wakeups } from '../src/core/record.ts';
import type { WorkerContext } from './context.ts';

/** How long a change of the pull request may wait for others to be published with it, milliseconds. */
export const PUBLISH_LATER_MS = 2_000;

/** Enqueues what a committed transaction made possible. A failure here costs time only: the sweep finds it again. */
export async function wake(
  { queue, logger }: Pick<WorkerContext, 'queue' | 'logger'>,
  wakeups: Wakeups,
  publish: 'now' | 'later' = 'now',
): Promise<void> {
  try {
    await Promise.all([
      ...wakeups.runIds.map((runId) => queue.enqueue('run', { runId })),
      ...wakeups.deliveries.map((delivery) => queue.enqueue('event', { host: delivery.host, deliveryId: delivery.id })),
      ...wakeups.pullRequestIds.map((pullRequestId) =>
        queue.enqueue(
          'publish',
          { pullRequestId, when: publish },
          publish === 'later' ? { delayMs: PUBLISH_LATER_MS } : {},
        ),
      ),
    ]);
  } catch (error) {
    logger.warn({ error }, 'the queue did not take a wake-up; the sweep will');
  }
}
