import { createHmac } from 'node:crypto';
import type { Secret } from '../../lib/secret.ts';
import type { Notification, Notifier } from '../../ports/notifier.ts';
import { postJson, type Receiver } from './post-json.ts';

/** Grows when something is taken away or means something else; what is added changes nothing for those who read it. */
const BODY_VERSION = 1;

/**
 * Signed JSON. The signature is over the time, a dot and the body, so that what was overheard is of no use later: whoever receives it
 * compares the time with the own clock, and the signature in constant time.
 */
export function createWebhookNotifier(
  receiver: Receiver,
  { secret, now }: { readonly secret: Secret; readonly now: () => Date },
): Notifier {
  return {
    send: async (notification) => {
      const body = JSON.stringify(toBody(notification));
      const timestamp = String(Math.floor(now().getTime() / 1_000));
      const signature = createHmac('sha256', secret.reveal()).update(`${timestamp}.${body}`).digest('hex');
      await postJson(receiver, body, {
        'x-holdfast-event': notification.payload.event,
        'x-holdfast-delivery': notification.id,
        'x-holdfast-timestamp': timestamp,
        'x-holdfast-signature-256': `sha256=${signature}`,
      });
    },
  };
}

function toBody({ id, at, pageUrl, payload }: Notification) {
  const { event, sentence, fingerprint, repository, project } = payload;
  return {
    version: BODY_VERSION,
    id,
    event,
    at: at.toISOString(),
    sentence,
    fingerprint: fingerprint ?? null,
    repository,
    project: { ...project, name: project.name ?? null, url: pageUrl },
  };
}
