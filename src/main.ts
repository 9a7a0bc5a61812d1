import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { createGithubWebhookSource } from './adapters/github/webhook-source.ts';
import type { ServerConfig } from './config/server-config.ts';
import { createMetrics } from './http/metrics.ts';
import { createMetricsServer } from './http/metrics-server.ts';
import { createServer } from './http/server.ts';
import { MAX_WEBHOOK_BYTES } from './http/webhook-routes.ts';
import type { Infrastructure } from './infrastructure.ts';
import type { WebhookDoor } from './webhooks/receive-webhook.ts';

/** How long database and queue may take to answer before they count as out of reach, milliseconds. */
const ANSWER_MS = 3_000;

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
    pages: infrastructure,
    webToken: infrastructure.secrets.webToken,
    sessions: infrastructure.sessions,
    publicUrl,
    now: infrastructure.now,
    trustedProxies: config.trustedProxies,
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
  const problems = await Promise.all([
    problemUnless(pool.query('select 1'), 'the database does not answer'),
    problemUnless(queue.depth(), 'the queue does not answer'),
  ]);
  return problems.filter((problem) => problem !== undefined);
}

/** Clients wait for an unreachable server for longer than who asks whether we are well. */
async function problemUnless(answer: Promise<unknown>, problem: string): Promise<string | undefined> {
  const late = new AbortController();
  const answered = answer.then(
    () => undefined,
    () => problem,
  );
  const tooLate = delay(ANSWER_MS, problem, { signal: late.signal, ref: false }).catch(() => problem);
  return Promise.race([answered, tooLate]).finally(() => late.abort());
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
