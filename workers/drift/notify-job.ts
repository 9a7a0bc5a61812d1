import { projectPagePath } from '../../src/core/project.ts';
import { describeDuration } from '../../src/lib/duration.ts';
import type { PendingNotification } from '../../src/ports/notification-store.ts';
import { NotDeliveredError } from '../../src/ports/notifier.ts';
import type { WorkerContext } from '../context.ts';

/** Taken at once, and for how long: longer than all of them may need. */
const AT_ONCE = 20;
const HOLD_MS = 10 * 60_000;
/** One that hears nothing for this long is not told any more. */
const GIVE_UP_MS = 24 * 3_600_000;
const FIRST_RETRY_MS = 30_000;
const LONGEST_RETRY_MS = 3_600_000;
/** After this long what is left is for the next job, so that a stop is not held up. */
const WORK_MS = 60_000;

type NotifyContext = Pick<
  WorkerContext,
  'notifications' | 'notifiers' | 'publicUrl' | 'now' | 'logger' | 'stop' | 'counters'
>;

/** Tells receivers what waits for them. They do not wait for each other: one that hangs or is gone holds up nobody else. */
export async function notifyJob(context: NotifyContext): Promise<void> {
  const receivers = await context.notifications.listDueReceivers();
  const until = performance.now() + WORK_MS;
  await Promise.all(receivers.map((receiver) => tell(context, receiver, until)));
}

/** One after the other; after a failure the others wait as long, so that a receiver that is down is asked once at a time. */
async function tell(context: NotifyContext, receiver: string, until: number): Promise<void> {
  const { notifications, stop } = context;
  while (performance.now() < until && !stop.noMore.aborted) {
    const claimed = await notifications.claim(receiver, AT_ONCE, HOLD_MS);
    if (claimed.length === 0) return;
    for (const [index, one] of claimed.entries()) {
      const stopping = stop.noMore.aborted;
      const waitMs = stopping ? 0 : await deliver(context, receiver, one);
      if (waitMs === undefined) continue;
      const rest = claimed.slice(stopping ? index : index + 1).map(({ id }) => id);
      return notifications.release(rest, waitMs);
    }
  }
}

/** Answers how long the receiver is left alone, milliseconds; undefined: the next may follow. */
async function deliver(
  context: NotifyContext,
  receiver: string,
  one: PendingNotification,
): Promise<number | undefined> {
  const { notifications, logger } = context;
  const problem = await send(context, receiver, one);
  if (problem === undefined) {
    await notifications.saveSent(one.id);
    await context.counters.add('notifications', 'sent', 1);
    return undefined;
  }
  const waitMs = problem.retryAfterMs ?? Math.min(FIRST_RETRY_MS * 2 ** (one.attempts - 1), LONGEST_RETRY_MS);
  logger.warn(
    { receiver, notification: one.id, attempt: one.attempts, error: problem },
    'a notification did not arrive',
  );
  const age = context.now().getTime() - one.createdAt.getTime();
  if (age + waitMs > GIVE_UP_MS) await end(context, one, problem.message);
  else await notifications.retry(one.id, problem.message, waitMs);
  return waitMs;
}

async function send(
  { notifiers, publicUrl }: NotifyContext,
  receiver: string,
  { id, payload, createdAt }: PendingNotification,
): Promise<NotDeliveredError | undefined> {
  const notifier = notifiers.get(receiver);
  // Another machine may have a newer config already.
  if (notifier === undefined) return new NotDeliveredError(`The config has no receiver ${JSON.stringify(receiver)}`);
  try {
    await notifier.send({ id, at: createdAt, pageUrl: `${publicUrl}${projectPagePath(payload.project.key)}`, payload });
    return undefined;
  } catch (error) {
    if (error instanceof NotDeliveredError) return error;
    throw error;
  }
}

async function end(context: NotifyContext, one: PendingNotification, error: string): Promise<void> {
  await context.notifications.giveUp(one.id, error);
  await context.counters.add('notifications', 'given_up', 1);
  const age = describeDuration(context.now().getTime() - one.createdAt.getTime());
  context.logger.error({ notification: one.id, reason: error }, `a notification was given up after ${age}`);
}
