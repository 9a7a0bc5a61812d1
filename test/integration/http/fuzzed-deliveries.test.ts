import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { Agent, request } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGithubStub, type GithubStub, routes } from '../../support/github-stub.ts';
import {
  type Delivery,
  type HttpStage,
  signedDelivery,
  startHttpStage,
  WEBHOOK_SECRET,
} from '../../support/http-stage.ts';
import { startHoldfast } from '../../support/holdfast-process.ts';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';

interface Example {
  readonly event: string;
  readonly text: string;
}

const require = createRequire(import.meta.url);
const examples: readonly Example[] = ['api.github.com', 'ghes-35'].flatMap((host) =>
  (require(`@octokit/webhooks-examples/${host}/index.json`) as { name: string; examples: object[] }[]).flatMap(
    ({ name, examples: payloads }) => payloads.map((payload) => ({ event: name, text: JSON.stringify(payload) })),
  ),
);

/** How a payload is spoilt; all but the first sort may still be JSON. */
const spoil: fc.Arbitrary<(text: string) => string | Buffer<ArrayBuffer>> = fc.oneof(
  fc.constant((text: string) => text),
  fc
    .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 255 }))
    .map(([where, bits]) => (text: string) => {
      const bytes = Buffer.from(text);
      const at = Math.min(bytes.length - 1, Math.floor(where * bytes.length));
      bytes[at] = (bytes[at] ?? 0) ^ bits;
      return bytes;
    }),
  fc
    .double({ min: 0, max: 1, noNaN: true })
    .map((where) => (text: string) => text.slice(0, Math.floor(where * text.length))),
  fc
    .integer({ min: 100, max: 100_000 })
    .map((depth) => (text: string) => `{"nested":${'['.repeat(depth)}${']'.repeat(depth)},${text.slice(1)}`),
  fc
    .integer({ min: 100, max: 50_000 })
    .map(
      (depth) => (text: string) => `{"repository":${'{"full_name":'.repeat(depth)}1${'}'.repeat(depth)},"x":${text}}`,
    ),
  fc
    .constantFrom('1e999', '-1e999', '9'.repeat(400), '-0', '1e-999', '0.1'.padEnd(3_000, '3'))
    .map((number) => (text: string) => text.replaceAll(/:\d+/g, `:${number}`)),
  fc
    .constantFrom(
      'null',
      '[]',
      '{}',
      'true',
      '"\\u0000"',
      '"\\ud800"',
      '{"__proto__":{"action":"x"}}',
      `"${'x'.repeat(50_000)}"`,
    )
    .chain((value) =>
      fc
        .constantFrom(
          /"action":"[^"]*"/,
          /"full_name":"[^"]*"/,
          /"number":\d+/,
          /"id":\d+/,
          /"state":"[^"]*"/,
          /"repository":/,
        )
        .map(
          (place) => (text: string) =>
            text.replace(place, (match) =>
              match.endsWith(':') ? `${match}${value},"_":` : `${match.slice(0, match.indexOf(':'))}:${value}`,
            ),
        ),
    ),
  fc.constant((text: string) => `{"action":"x","action":"y","__proto__":null,"constructor":{},${text.slice(1)}`),
  fc
    .constantFrom('', 'null', '[]', '""', '0', 'true', '\ufeff{}', '{}{}', '{"a":1', '{]', '\0')
    .map((body) => () => body),
);

const headers = fc.oneof(
  { weight: 9, arbitrary: fc.constant({}) },
  fc.record(
    {
      'x-github-event': fc.constantFrom('', 'PUSH', '../x', 'ping', 'p'.repeat(65), 'installation_repositories'),
      'x-github-delivery': fc.constantFrom('', ' ', '1', '\u00e9', 'x'.repeat(64), "'; drop table deliveries; --"),
      'x-hub-signature-256': fc.constantFrom('', 'sha256=', 'sha1=abc', `sha256=${'0'.repeat(64)}`),
      'content-type': fc.constantFrom(
        '',
        'application/json; charset=utf-16',
        'application/x-www-form-urlencoded',
        'application/JSON',
        '*/*',
      ),
      'content-encoding': fc.constantFrom('gzip', 'br', 'identity'),
    },
    { requiredKeys: [] },
  ),
);

const delivery = fc
  .tuple(fc.constantFrom(...examples), spoil, headers, fc.boolean(), fc.boolean())
  .map(([{ event, text }, change, more, forged, known]): Delivery & { readonly forged: boolean } => {
    const body = change(text);
    const signed = signedDelivery(body, {
      event,
      id: known ? 'a-known-id' : randomUUID(),
      secret: forged ? 'not-the-secret' : WEBHOOK_SECRET,
    });
    return { body, forged, headers: { ...signed.headers, ...more } };
  });

let stage: HttpStage;
let stub: GithubStub;
beforeAll(async () => {
  stage = await startHttpStage();
  stub = await startGithubStub(routes({}));
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await stub.close();
});

const agent = new Agent({ keepAlive: true, maxSockets: 16 });
afterAll(() => agent.destroy());

/** The answer's status; 0 when the connection was closed without one. */
function send(url: string, { body, headers: fields }: Delivery): Promise<number> {
  return new Promise((resolve) => {
    const post = request(
      `${url}/webhooks/github`,
      { method: 'POST', agent, headers: { ...fields, 'content-length': Buffer.byteLength(body) } },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    post.on('error', () => resolve(0));
    post.end(body);
  });
}

async function inParallel<T>(items: readonly T[], count: number, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: count }, async () => {
      for (const item of waiting) await work(item);
    }),
  );
}

const RUNS = 3_200;

test('thousands of spoilt deliveries: not one 5xx, no forged one stored, and every 202 in the table', async () => {
  const sent = fc.sample(delivery, { numRuns: RUNS, seed: 20_261_121 });
  const statuses = new Map<number, number>();
  const accepted = new Set<string>();
  await inParallel(sent, 16, async (one) => {
    const status = await send(stage.url, one);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (status === 202) accepted.add(one.headers['x-github-delivery'] ?? '');
    if (status === 202 && one.forged) throw new Error(`a forged delivery was accepted: ${JSON.stringify(one.headers)}`);
  });
  expect([...statuses.keys()].filter((status) => ![0, 202, 400, 401, 413, 415].includes(status))).toEqual([]);
  // A refusal by the headers alone closes the connection, under the feet of whoever is still sending.
  expect(statuses.get(0) ?? 0).toBeLessThan(RUNS / 10);
  expect(statuses.get(202) ?? 0).toBeGreaterThan(RUNS / 10);
  expect(statuses.get(401) ?? 0).toBeGreaterThan(RUNS / 10);
  const stored = await stage.database.db.selectFrom('deliveries').select('id').execute();
  expect(new Set(stored.map((row) => row.id))).toEqual(accepted);
  expect(stage.logger.entries.filter((entry) => entry.level === 'error')).toEqual([]);
  expect((await fetch(`${stage.url}/healthz`)).status).toBe(200);
}, 120_000);

test('a whole Holdfast takes hundreds of them, handles every one it took, and lives', async () => {
  await using cleaning = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-fuzz-'));
  cleaning.defer(() => rm(folder, { recursive: true, force: true }));
  const database = cleaning.use(await createTestDatabase());
  const holdfast = cleaning.use(
    await startHoldfast({
      HOLDFAST_DATA_DIR: folder,
      HOLDFAST_DATABASE_URL: database.url.reveal(),
      HOLDFAST_LISTEN: '127.0.0.1:0',
      HOLDFAST_WEB_TOKEN: 'a-token-of-the-tests',
      HOLDFAST_REPOSITORIES: '127.0.0.1/**',
      HOLDFAST_GITHUB_API_URL: stub.url,
      HOLDFAST_GITHUB_CLONE_URL: `${stub.url}/{owner}/{repo}.git`,
      HOLDFAST_GITHUB_TOKEN: 'a-token',
      HOLDFAST_GITHUB_WEBHOOK_SECRET: WEBHOOK_SECRET,
      HOLDFAST_SANDBOX: 'none',
    }),
  );
  const sent = fc.sample(delivery, { numRuns: 600, seed: 7 });
  const answers: number[] = [];
  await inParallel(sent, 8, async (one) => void answers.push(await send(holdfast.url, one)));
  expect(answers.filter((status) => status >= 500)).toEqual([]);
  await until(async () => {
    const { rows } = await database.pool.query(
      "select 1 from holdfast.deliveries where state = 'received' and attempts = 0 limit 1",
    );
    return rows.length === 0 || undefined;
  });
  expect((await fetch(`${holdfast.url}/readyz`)).status).toBe(200);
  expect(holdfast.log()).not.toMatch(/unhandled|uncaught/i);
});
