import type { DeliveryStore } from '../ports/delivery-store.ts';
import type { JobQueue } from '../ports/job-queue.ts';
import type { Logger } from '../ports/logger.ts';
import type { WebhookSource } from '../ports/vcs-host.ts';

export interface WebhookDoor {
  readonly host: string;
  readonly source: WebhookSource;
  readonly deliveries: DeliveryStore;
  readonly queue: JobQueue;
  readonly logger: Logger;
}

export interface WebhookAnswer {
  readonly status: 202 | 400 | 401 | 413 | 415 | 503;
  readonly message: string;
}

/** Verify, write down, answer. Nothing else happens inside the request: the event job does the work. */
export async function receiveWebhook(
  door: WebhookDoor,
  headers: Readonly<Record<string, string | undefined>>,
  body: Buffer,
): Promise<WebhookAnswer> {
  const verified = await door.source.verify(headers, body);
  if ('refusal' in verified) return { status: verified.refusal.status, message: verified.refusal.reason };
  const { delivery } = verified;
  const outcome = await store(door, { ...delivery, host: door.host, payload: body.toString('utf8') });
  if (outcome === undefined) return { status: 503, message: 'the delivery could not be stored; deliver it again' };
  if (outcome === 'repeated') return { status: 202, message: 'known already, nothing to do' };
  // Not waited for: the delivery is safe, and the sweep finds what nobody was woken for.
  void wakeWorker(door, delivery.id);
  return { status: 202, message: 'accepted' };
}

async function wakeWorker({ host, queue, logger }: WebhookDoor, deliveryId: string): Promise<void> {
  try {
    await queue.enqueue('event', { host, deliveryId });
  } catch (error) {
    logger.warn(
      { error, delivery: deliveryId },
      'the delivery is stored, but the queue did not take it; the sweep will',
    );
  }
}

/** What is not stored must not be answered as if it were: the host counts the delivery as failed, and it can be delivered again. */
async function store(
  door: WebhookDoor,
  delivery: Parameters<DeliveryStore['receive']>[0],
): Promise<'stored' | 'repeated' | undefined> {
  try {
    return await door.deliveries.receive(delivery);
  } catch (error) {
    door.logger.error({ error, delivery: delivery.id }, 'a delivery could not be stored');
    return undefined;
  }
}
