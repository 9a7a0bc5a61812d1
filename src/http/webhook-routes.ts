import type { FastifyInstance, FastifyRequest } from 'fastify';
import { receiveWebhook, type WebhookDoor } from '../webhooks/receive-webhook.ts';
import { clientAddress } from './request-fields.ts';

/** GitHub sends up to 25 MB, but none of the events we use comes near this. */
export const MAX_WEBHOOK_BYTES = 3 * 1024 * 1024;

/** One route per VCS host. Headers are checked before a byte of the body is read, the length before it is parsed. */
export function registerWebhookRoutes(app: FastifyInstance, doors: readonly WebhookDoor[]): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_WEBHOOK_BYTES }, (_request, body, done) =>
    done(null, body),
  );
  for (const door of doors) {
    app.post(
      `/webhooks/${door.source.name}`,
      {
        bodyLimit: MAX_WEBHOOK_BYTES,
        onRequest: async (request, reply) => {
          const refusal = door.source.checkHeaders(flatHeaders(request));
          if (refusal === undefined) return undefined;
          // What follows on this connection is a body that nobody will read.
          void reply.header('connection', 'close');
          return reply.code(refusal.status).send({ message: refusal.reason });
        },
      },
      async (request, reply) => {
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const answer = await receiveWebhook(door, flatHeaders(request), body);
        if (answer.status !== 202)
          door.logger.warn({ status: answer.status, ip: clientAddress(request) }, `webhook refused: ${answer.message}`);
        return reply.code(answer.status).send({ message: answer.message });
      },
    );
  }
}

function flatHeaders(request: FastifyRequest): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
