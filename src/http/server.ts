import fastifyCookie from '@fastify/cookie';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from '../ports/logger.ts';
import { AccessToken } from './access-token.ts';
import { registerErrorHandling } from './error-response.ts';
import { type HealthChecks, registerHealthRoutes } from './health-routes.ts';
import { type PageSources, registerPageRoutes } from './page-routes.ts';
import { registerWebhookRoutes } from './webhook-routes.ts';
import type { WebhookDoor } from '../webhooks/receive-webhook.ts';

export interface HttpOptions {
  readonly doors: readonly WebhookDoor[];
  readonly health: HealthChecks;
  readonly pages: PageSources;
  readonly token: AccessToken;
  /** Hosts that a browser may name; anything else is refused, so that a rebound DNS name reaches nothing. */
  readonly allowedHosts: () => readonly string[];
  readonly metrics: () => Promise<string>;
  readonly metricsNeedToken: boolean;
  readonly logger: Logger;
}

/** From the first byte of a request to its last, milliseconds; a stranger must not hold a connection open. */
const REQUEST_TIMEOUT_MS = 10_000;
/** GitHub sends up to 25 MB, but none of the events we use comes near this. */
export const MAX_WEBHOOK_BYTES = 3 * 1024 * 1024;
const MAX_FORM_BYTES = 16 * 1024;

/** Builds the HTTP app and returns it unstarted. */
export async function createServer(options: HttpOptions): Promise<FastifyInstance> {
  const app = Fastify({
    logger: false,
    bodyLimit: MAX_FORM_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: 60_000,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
  });
  await app.register(fastifyCookie);
  registerErrorHandling(app, options.logger);
  registerHealthRoutes(app, options.health);
  await app.register(async (scope) => registerWebhookRoutes(scope, options.doors));
  await app.register(async (scope) => registerPageRoutes(scope, options));
  return app;
}
