import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { createGithubWebhookSource } from '../../src/adapters/github/webhook-source.ts';
import { createDeliveryStore } from '../../src/adapters/postgres/delivery-store.ts';
import { createDriftOverview } from '../../src/adapters/postgres/drift/drift-overview.ts';
import { createDriftStore } from '../../src/adapters/postgres/drift/drift-store.ts';
import { createNotificationStore } from '../../src/adapters/postgres/notification-store.ts';
import { createPullRequestStore } from '../../src/adapters/postgres/pull-request-store.ts';
import { createSessionStore } from '../../src/adapters/postgres/session-store.ts';
import { createRunStore } from '../../src/adapters/postgres/run-store.ts';
import type { PullRequestOperation } from '../../src/core/run.ts';
import type { PullRequestRecord, RunRecord } from '../../src/core/record.ts';
import { outputContext } from '../../src/core/sealed-contexts.ts';
import { createServer, type HttpOptions } from '../../src/http/server.ts';
import { MAX_WEBHOOK_BYTES } from '../../src/http/webhook-routes.ts';
import { createSeal, type Seal } from '../../src/lib/seal.ts';
import { Secret } from '../../src/lib/secret.ts';
import type { DeliveryStore } from '../../src/ports/delivery-store.ts';
import type { DriftStore } from '../../src/ports/drift-store.ts';
import type { JobQueue } from '../../src/ports/job-queue.ts';
import type { PullRequestStore } from '../../src/ports/pull-request-store.ts';
import type { ClaimedRun, RunStore } from '../../src/ports/run-store.ts';
import { BASE, buildAccount, buildNotes, buildProject, buildPullRequest, HEAD, keyOf, MERGE } from './builders.ts';
import type { WebhookDoor } from '../../src/webhooks/receive-webhook.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import { recordingLogger } from './recording-logger.ts';

export const WEB_TOKEN = 'a-token-of-the-tests';
export const WEBHOOK_SECRET = 'a-secret-of-the-tests';

/** The HTTP side alone, over a real database; the queue only remembers what it was given. */
export interface HttpStage extends AsyncDisposable {
  readonly url: string;
  readonly app: FastifyInstance;
  readonly doors: readonly [WebhookDoor];
  readonly database: TestDatabase;
  readonly deliveries: DeliveryStore;
  readonly runs: RunStore;
  readonly pulls: PullRequestStore;
  readonly drift: DriftStore;
  readonly seal: Seal;
  readonly logger: ReturnType<typeof recordingLogger>;
  /** `NAME {payload}` of each job. */
  readonly jobs: string[];
  /** What `readyz` finds. */
  readonly problems: string[];
  /** A request that is logged in by cookie; redirects are not followed. */
  get(path: string, init?: RequestInit): Promise<Response>;
  /** Logs in and answers the cookie. */
  logIn(): Promise<string>;
}

export async function startHttpStage(some: Partial<HttpOptions> = {}): Promise<HttpStage> {
  const database = await createTestDatabase();
  const { db } = database;
  const runs = createRunStore(db);
  const pulls = createPullRequestStore(db);
  const drift = createDriftStore(db, () => []);
  const deliveries = createDeliveryStore(db);
  const seal = createSeal([new Secret(new Uint8Array(randomBytes(32)))]);
  const logger = recordingLogger();
  const jobs: string[] = [];
  const problems: string[] = [];
  const queue = rememberingQueue(jobs);
  const source = createGithubWebhookSource({
    secrets: [new Secret('an-older-secret'), new Secret(WEBHOOK_SECRET)],
    maxBytes: MAX_WEBHOOK_BYTES,
  });
  const doors = [{ host: 'github.com', source, deliveries, queue, logger }] as const;
  const app = await createServer({
    doors,
    health: { findProblems: async () => problems },
    pages: {
      runs,
      pulls,
      seal,
      queue,
      hosts: new Map([['github.com', { commentUrl: (pull, id) => `${pull.url}#comment-${id}` }]]),
      config: { sandbox: { kind: 'bubblewrap' }, notifications: [] },
      drift,
      overview: createDriftOverview(db),
      notifications: createNotificationStore(db),
      now: () => new Date(),
      logger,
    },
    webToken: new Secret(WEB_TOKEN),
    sessions: createSessionStore(db),
    publicUrl: () => url,
    allowedHosts: () => [new URL(url).host, 'holdfast.example'],
    trustedProxies: ['127.0.0.1'],
    metrics: async () => 'holdfast_up 1\n',
    metricsNeedToken: true,
    now: () => new Date(),
    logger,
    ...some,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  let cookie: Promise<string> | undefined;
  const logIn = () => (cookie ??= logInAt(url));
  return {
    ...{ url, app, doors, database, deliveries, runs, pulls, drift, seal, logger, jobs, problems, logIn },
    get: async (path, init = {}) =>
      fetch(`${url}${path}`, {
        redirect: 'manual',
        ...init,
        headers: { accept: 'text/html', cookie: await logIn(), ...(init.headers as Record<string, string>) },
      }),
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await database.close();
    },
  };
}

async function logInAt(url: string): Promise<string> {
  const response = await fetch(`${url}/login`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ token: WEB_TOKEN }),
  });
  return response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

function rememberingQueue(jobs: string[]): JobQueue {
  return {
    enqueue: async (name, payload) => void jobs.push(`${name} ${JSON.stringify(payload)}`),
    serve: async () => undefined,
    repeat: async () => undefined,
    depth: async () => ({
      event: 0,
      run: 0,
      publish: 0,
      report: 0,
      sweep: 0,
      cleanup: 0,
      track: 0,
      drift: 0,
      notify: 0,
      remind: 0,
    }),
    drain: async () => undefined,
    close: async () => undefined,
  };
}

export interface Delivery {
  readonly body: string | Buffer<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

/** A delivery as GitHub sends it, signed unless `secret` is another. */
export function signedDelivery(
  payload: string | Buffer<ArrayBuffer> | Readonly<Record<string, unknown>>,
  { event = 'push', id = randomUUID() as string, secret = WEBHOOK_SECRET } = {},
): Delivery {
  const body = typeof payload === 'string' || payload instanceof Buffer ? payload : JSON.stringify(payload);
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-github-delivery': id,
      'x-hub-signature-256': `sha256=${signature}`,
    },
  };
}

/** Records a pull request with a lock on, and a queued run of, each folder. */
export async function recordRuns(
  { runs, pulls }: Pick<HttpStage, 'runs' | 'pulls'>,
  order: { number?: number; dirs?: readonly string[]; operation?: PullRequestOperation; commentId?: string } = {},
): Promise<{ readonly pull: PullRequestRecord; readonly runs: readonly RunRecord[] }> {
  const { number = 7, dirs = ['prod'], operation = 'plan', commentId } = order;
  const url = `https://github.com/acme/infra/pull/${number}`;
  const pull = await pulls.save(buildPullRequest({ number, url }));
  const chosen = dirs.map((dir) => ({ projectKey: keyOf(dir), project: buildProject({ dir }) }));
  const key = randomUUID();
  await runs.decide(pull.id, pull.version, () => ({
    actor: 'ann',
    event: operation,
    locks: chosen,
    batch: {
      triggerKey: key,
      operation,
      trigger: commentId === undefined ? 'autoplan' : 'command',
      actor: buildAccount('ann'),
      headSha: HEAD,
      baseSha: BASE,
      mergeSha: MERGE,
      sourceCommentId: commentId,
      notes: buildNotes(),
      runs: chosen,
    },
  }));
  const state = await runs.readState(pull.id);
  return { pull, runs: state?.open ?? [] };
}

const WORKER = { id: 'worker-1', leaseMs: 60_000 };

/** Claims the next run and starts it. */
export async function startNextRun({ runs }: Pick<HttpStage, 'runs'>): Promise<ClaimedRun> {
  const run = await runs.claimNext(WORKER, { perWorker: 100, perRepository: 100 });
  if (run === undefined) throw new Error('there is no run to claim');
  await runs.start(run.lease);
  return run;
}

/** Stores a part of what the run prints. */
export async function print(
  { runs, seal }: Pick<HttpStage, 'runs' | 'seal'>,
  run: ClaimedRun,
  seq: number,
  text: string,
): Promise<void> {
  await runs.appendOutput(run.lease, seq, seal.seal(text, outputContext(run.id, seq)));
}
