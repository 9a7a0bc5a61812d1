import fastifyCookie from '@fastify/cookie';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from '../ports/logger.ts';
import type { SessionStore } from '../ports/session-store.ts';
import type { WebhookDoor } from '../webhooks/receive-webhook.ts';
import { AccessToken } from './access-token.ts';
import { registerErrorHandling } from './error-response.ts';
import { type HealthChecks, registerHealthRoutes } from './health-routes.ts';
import { PageAccess } from './page-access.ts';
import { registerPageRoutes } from './page-routes.ts';
import type { PageSources } from './page-sources.ts';
import { registerSecurityHeaders } from './security-headers.ts';
import { registerWebhookRoutes } from './webhook-routes.ts';
import type { Secret } from '../lib/secret.ts';

export interface HttpOptions {
  readonly doors: readonly WebhookDoor[];
  readonly health: HealthChecks;
  readonly pages: PageSources;
  readonly webToken: Secret;
  readonly sessions: SessionStore;
  /** How people reach the pages, without a slash at its end. */
  readonly publicUrl: () => string;
  /** Hosts that a browser may name; anything else is refused, so that a rebound DNS name reaches nothing. */
  readonly allowedHosts: () => readonly string[];
  /** Addresses and networks (CIDR) of proxies, which tell the client's address in `X-Forwarded-For`. */
  readonly trustedProxies: readonly string[];
  readonly metrics: () => Promise<string>;
  readonly metricsNeedToken: boolean;
  readonly now: () => Date;
  readonly logger: Logger;
  readonly timeouts?: HttpTimeouts;
}

/** Milliseconds. */
export interface HttpTimeouts {
  /** From the first byte of a request to its last, and of silence on a connection; a stranger must not hold one open. */
  readonly requestMs: number;
  /** How long requests that are being answered may take when the server stops. */
  readonly closeMs: number;
}

const TIMEOUTS: HttpTimeouts = { requestMs: 10_000, closeMs: 5_000 };
const MAX_BODY_BYTES = 16 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;

/** Builds the HTTP app and returns it unstarted. */
export async function createServer(options: HttpOptions): Promise<FastifyInstance> {
  const { requestMs, closeMs } = options.timeouts ?? TIMEOUTS;
  const app = Fastify({
    logger: false,
    trustProxy: [...options.trustedProxies],
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: requestMs,
    connectionTimeout: requestMs,
    keepAliveTimeout: 60_000,
    // Node looks for late requests every 30 s unless told, whatever the limits are.
    http: { headersTimeout: requestMs, connectionsCheckingInterval: requestMs / 5, maxHeaderSize: MAX_HEADER_BYTES },
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
  });
  closeInTime(app, closeMs);
  const access = new PageAccess({
    token: new AccessToken(options.webToken, options.now),
    sessions: options.sessions,
    publicUrl: options.publicUrl,
    now: options.now,
  });
  await app.register(fastifyCookie);
  registerSecurityHeaders(app);
  registerErrorHandling(app, options.health, options.logger);
  registerHealthRoutes(app, options.health, access);
  await app.register(async (scope) => registerWebhookRoutes(scope, options.doors));
  await app.register(async (scope) => registerPageRoutes(scope, { ...options, access }));
  return app;
}

/** Closing waits for the answers that are on their way; a connection that is stuck must not keep the program from stopping. */
function closeInTime(app: FastifyInstance, closeMs: number): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
    setTimeout(() => app.server.closeAllConnections(), closeMs).unref();
  });
  // Else a connection that is kept alive after its last answer would be waited for.
  app.addHook('onSend', async (_request, reply) => {
    if (closing) void reply.header('connection', 'close');
  });
}
