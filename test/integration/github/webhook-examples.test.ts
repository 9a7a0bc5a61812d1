import { createHmac, generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGithubHost } from '../../../src/adapters/github/github-host.ts';
import { createGithubWebhookSource } from '../../../src/adapters/github/webhook-source.ts';
import { usedEvents } from '../../../src/adapters/github/permissions.ts';
import { InvalidDeliveryError } from '../../../src/core/host-error.ts';
import { Secret } from '../../../src/lib/secret.ts';
import type { VcsHost } from '../../../src/ports/vcs-host.ts';
import { type GithubStub, routes, startGithubStub } from '../../support/github-stub.ts';
import { silentLog, tokenHost } from '../../unit/adapters/github/fixtures.ts';

interface Example {
  readonly event: string;
  readonly payload: Record<string, unknown>;
}

interface Definition {
  readonly name: string;
  readonly examples: readonly Record<string, unknown>[];
}

const require = createRequire(import.meta.url);
/** github.com's, and those of an Enterprise Server, which lack fields. */
const definitions = ['api.github.com', 'ghes-35'].flatMap((host): readonly Definition[] =>
  require(`@octokit/webhooks-examples/${host}/index.json`),
);
const all: readonly Example[] = definitions.flatMap(({ name, examples }) =>
  examples.map((payload) => ({ event: name, payload })),
);
const used = all.filter(({ event }) => usedEvents.some((name) => name === event));

let stub: GithubStub;
let withToken: VcsHost;
let asApp: VcsHost;

beforeAll(async () => {
  stub = await startGithubStub(
    routes({
      'GET /user': { json: { id: 99, login: 'holdfast-bot' } },
      'GET /app': { json: { id: 41, slug: 'holdfast' } },
      'GET /app/installations': { json: [{ id: 5, permissions: { metadata: 'read' } }] },
      'POST /app/installations/5/access_tokens': {
        status: 201,
        json: { token: 't', expires_at: '2099-01-01T00:00:00Z' },
      },
      'GET /users/holdfast%5Bbot%5D': { json: { id: 500, login: 'holdfast[bot]' } },
    }),
  );
  withToken = tokenHost(stub.url);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  asApp = createGithubHost({
    apiUrl: stub.url,
    cloneUrlTemplate: 'https://github.test/{owner}/{repo}.git',
    auth: {
      kind: 'app',
      appId: '29310',
      privateKey: new Secret(privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()),
    },
    log: silentLog,
  });
});
afterAll(() => stub.close());

/** An event, nothing, or a refusal in words; everything else is a crash. */
async function outcome(host: VcsHost, { event, payload }: Example): Promise<string> {
  try {
    const found = await host.interpret({ id: 'd', event, payload: JSON.stringify(payload) });
    return found?.kind ?? 'nothing';
  } catch (error) {
    if (error instanceof InvalidDeliveryError) return 'invalid';
    throw error;
  }
}

describe("GitHub's published examples", () => {
  test('are all understood or none of our business, in both modes', async () => {
    expect(all.length).toBeGreaterThan(200);
    const seen = new Map<string, number>();
    for (const example of all) {
      for (const host of [withToken, asApp]) {
        const kind = await outcome(host, example);
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
      }
    }
    expect(seen.has('invalid')).toBe(false);
    // Published comments are on issues, and published buttons of no App: those two are not among them.
    expect([...seen.keys()].sort()).toEqual([
      'issue',
      'issue_comment',
      'nothing',
      'pull_request',
      'push',
      'repository',
      'rerun',
      'review',
    ]);
  });

  test('pass the door when they are signed, and not when they are not', async () => {
    const source = createGithubWebhookSource({ secrets: [new Secret('s')], maxBytes: 3 * 1024 * 1024 });
    for (const { event, payload } of all) {
      const body = Buffer.from(JSON.stringify(payload));
      const headers = {
        'content-type': 'application/json',
        'x-github-event': event,
        'x-github-delivery': 'd-1',
        'x-hub-signature-256': `sha256=${createHmac('sha256', 's').update(body).digest('hex')}`,
      };
      expect(await source.verify(headers, body)).toMatchObject({ delivery: { event } });
      const forged = Buffer.from(`${body.toString()} `);
      expect(await source.verify(headers, forged)).toMatchObject({ refusal: { status: 401 } });
    }
  });
});

/** What a changed field is changed into: other types, sizes, and text that means something elsewhere. */
const oddValue = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double(),
  fc.string({ maxLength: 40 }),
  fc.constantFrom('', '__proto__', '../..', 'refs/heads/', '\u0000', '-1', '1e309', 'x'.repeat(10_000)),
  fc.constant([]),
  fc.constant({}),
  fc.jsonValue({ maxDepth: 2 }),
);

function pathsOf(value: unknown, depth: number): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null || depth === 0) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    [key],
    ...pathsOf(inner, depth - 1).map((path) => [key, ...path]),
  ]);
}

function changed(payload: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof payload !== 'object' || payload === null) return payload;
  const copy: Record<string, unknown> = { ...payload };
  if (value === undefined && rest.length === 0) delete copy[key];
  else copy[key] = changed(copy[key], rest, value);
  return copy;
}

const mutation = fc.constantFrom(...used).chain((example) =>
  fc
    .array(fc.tuple(fc.constantFrom(...pathsOf(example.payload, 3)), fc.option(oddValue, { nil: undefined })), {
      minLength: 1,
      maxLength: 4,
    })
    .map((changes) => ({
      event: example.event,
      payload: changes.reduce<unknown>((payload, [path, value]) => changed(payload, path, value), example.payload),
    })),
);

test('thousands of mutations of them are understood, ignored or refused in words, never a crash', async () => {
  const property = fc.asyncProperty(mutation, fc.boolean(), async ({ event, payload }, app) => {
    await outcome(app ? asApp : withToken, { event, payload: payload as Record<string, unknown> });
  });
  await fc.assert(property, { numRuns: 12_000, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false });
}, 30_000);
