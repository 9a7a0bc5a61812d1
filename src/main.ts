import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { createGithubWebhookSource } from './adapters/github/webhook-source.ts';
import type { ServerConfig } from './config/server-config.ts';
import { AccessToken } from './http/access-token.ts';
import { createMetrics } from './http/metrics.ts';
import { createMetricsServer } from './http/metrics-server.ts';
import { createServer, MAX_WEBHOOK_BYTES } from './http/server.ts';
import type { Infrastructure } from './infrastructure.ts';
import type { WebhookDoor } from './webhooks/receive-webhook.ts';

export interface RunningServer {
  /** Address that is listened on, without a slash at its end. */
  readonly url: string;
  /** Takes no more requests, and waits for those that are being answered. */
  close(): Promise<void>;
}

/** Composition root of the server: webhooks, pages, health and metrics. */
export async function startServer(infrastructure: Infrastructure, publicUrl: () => string): Promise<RunningServer> {
  const { config, logger } = infrastructure;
  const metrics = createMetrics(infrastructure);
  const app = await createServer({
    doors: openDoors(infrastructure),
    health: { findProblems: () => findProblems(infrastructure) },
    pages: { ...infrastructure, publicUrl },
    token: new AccessToken(infrastructure.secrets.webToken, infrastructure.now),
    allowedHosts: () => allowedHosts(app, config, publicUrl()),
    metrics,
    metricsNeedToken: config.metricsListen === undefined,
    logger,
  });
  await app.listen(config.listen);
  const own = config.metricsListen && (await createMetricsServer(metrics, config.metricsListen));
  return {
    url: addressOf(app),
    close: async () => {
      await app.close();
      await own?.close();
    },
  };
}

function openDoors({ config, deliveries, queue, logger }: Infrastructure): readonly WebhookDoor[] {
  const { github } = config;
  if (github === undefined) return [];
  const source = createGithubWebhookSource({ secrets: github.webhookSecrets, maxBytes: MAX_WEBHOOK_BYTES });
  return [{ host: github.host, source, deliveries, queue, logger }];
}

async function findProblems({ pool, queue }: Infrastructure): Promise<readonly string[]> {
  const checks: Promise<string | undefined>[] = [
    pool.query('select 1').then(
      () => undefined,
      () => 'the database does not answer',
    ),
    queue.depth().then(
      () => undefined,
      () => 'the queue does not answer',
    ),
  ];
  return (await Promise.all(checks)).filter((problem) => problem !== undefined);
}

/** Names under which a browser may reach the pages: the public one, and the address listened on. */
function allowedHosts(app: FastifyInstance, config: ServerConfig, publicUrl: string): readonly string[] {
  const { port } = app.server.address() as AddressInfo;
  const own = [config.listen.host, '127.0.0.1', 'localhost', '[::1]'].map((host) => `${host}:${port}`);
  return [new URL(publicUrl).host, ...own];
}

function addressOf(app: FastifyInstance): string {
  const { address, port, family } = app.server.address() as AddressInfo;
  const host = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address;
  return `http://${host}:${port}`;
}
