import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNotifier, type NotifierOptions } from '../../src/adapters/notifications/create-notifier.ts';
import type { DriftEvent } from '../../src/core/drift/notifications.ts';
import { addressTo, type NotificationPayload } from '../../src/core/drift/receivers.ts';
import { Secret } from '../../src/lib/secret.ts';
import { type Notification, NotDeliveredError } from '../../src/ports/notifier.ts';
import { buildProject, buildRepository, keyOf } from '../support/builders.ts';
import { type NotificationReceiverServer, startNotificationReceiver } from '../support/notification-receiver.ts';

const TLS = join(import.meta.dirname, '../fixtures/tls');
const SECRET = 'a-key-of-the-tests';
const NOW = new Date('2026-11-21T12:00:00.500Z');

let receiver: NotificationReceiverServer;
beforeEach(async () => {
  receiver = await startNotificationReceiver();
});
afterEach(() => receiver[Symbol.asyncDispose]());

const KINDS = { webhook: { kind: 'webhook', secret: new Secret(SECRET) }, slack: { kind: 'slack' } } as const;
type Kind = keyof typeof KINDS;

function notifier(kind: Kind, some: Partial<NotifierOptions> = {}) {
  const common = { proxyUrl: undefined, noProxy: [], ca: undefined, allowLinkLocal: false, now: () => NOW };
  const url = new Secret(`${receiver.url}/services/canary-path`);
  return createNotifier({ ...common, url, ...KINDS[kind], ...some } as NotifierOptions);
}

function notification(some: Partial<NotificationPayload> & { readonly dir?: string } = {}): Notification {
  const {
    event = 'drift_opened' as DriftEvent,
    sentence = 'Drift was found.',
    fingerprint = 'f00d',
    dir = 'prod',
  } = some;
  const about = { repository: buildRepository(), project: { key: keyOf(dir), project: buildProject({ dir }) } };
  const receivers = [{ name: 'r', events: [], repositories: [] }];
  const [first] = addressTo(receivers)({ event, key: 'k', fingerprint, sentence }, about);
  if (first === undefined) throw new Error('nobody is told');
  return { id: 'id-1', at: NOW, pageUrl: 'https://holdfast.example/projects/a%252Fb', payload: first.payload };
}

/** What it was that went wrong. */
const failure = (sending: Promise<void>): Promise<NotDeliveredError> =>
  sending.then(
    () => Promise.reject(new Error('it was delivered')),
    (error: unknown) => (error instanceof NotDeliveredError ? error : Promise.reject(error)),
  );

describe.each(['webhook', 'slack'] as const)('a %s', (kind) => {
  test('is posted once, as JSON, to the address as it is', async () => {
    await notifier(kind).send(notification());
    expect(receiver.received).toHaveLength(1);
    expect(receiver.received[0]?.path).toBe('/services/canary-path');
    expect(receiver.received[0]?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toBeTypeOf('object');
  });

  test('that is refused says how, when to come again, and nothing of the address', async () => {
    receiver.answer = (response) =>
      response.writeHead(429, { 'retry-after': '30' }).end('<b>slow\u001B[31m down</b>\n'.repeat(500));
    const error = await failure(notifier(kind).send(notification()));
    expect(error.message).toMatch(/^It answered 429: <b>slow down<\/b>/);
    expect(error.message.length).toBeLessThan(300);
    expect(error.retryAfterMs).toBe(30_000);
    expect(error.message).not.toContain('canary');
    receiver.answer = (response) => response.writeHead(500).end();
    expect(await failure(notifier(kind).send(notification()))).toMatchObject({
      message: 'It answered 500',
      retryAfterMs: undefined,
    });
  });

  test('follows no redirect', async () => {
    receiver.answer = (response) => response.writeHead(307, { location: `${receiver.url}/elsewhere` }).end();
    const error = await failure(notifier(kind).send(notification()));
    expect(error.message).toBe('It answered 307, a redirect, which is not followed');
    expect(receiver.received).toHaveLength(1);
  });

  test('waits for a bounded time', async () => {
    receiver.answer = () => undefined;
    const error = await failure(notifier(kind, { timeoutMs: 300 }).send(notification()));
    expect(error.message).toBe('No answer came within 0.3 s');
    receiver.answer = (response) => void response.writeHead(500).write('a beginning');
    expect((await failure(notifier(kind, { timeoutMs: 300 }).send(notification()))).message).toContain('No answer');
  });

  test('waits no longer for a connection either', async () => {
    const begun = performance.now();
    const url = new Secret('http://[fe80::1]/');
    await failure(notifier(kind, { url, allowLinkLocal: true, timeoutMs: 300 }).send(notification()));
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test('has arrived with the answer’s first line, whatever becomes of the rest', async () => {
    receiver.answer = (response) => {
      response.writeHead(200, { 'content-length': '100' }).write('a beginning');
      setTimeout(() => response.destroy(), 50);
    };
    await notifier(kind).send(notification());
  });

  test('that finds nobody says so', async () => {
    const url = new Secret('http://127.0.0.1:1/canary');
    const error = await failure(notifier(kind, { url }).send(notification()));
    expect(error.message).toMatch(/^It cannot be reached: .*ECONNREFUSED/);
    expect(error.message).not.toContain('canary');
  });

  test('does not go to a name that turns out to be link-local either', async () => {
    const asked: string[] = [];
    const at = (address: string): LookupFunction => {
      return (host, _options, callback) => {
        asked.push(host);
        callback(null, [{ address, family: 4 }]);
      };
    };
    const url = new Secret(receiver.url.replace('127.0.0.1', 'hook.example'));
    const error = await failure(notifier(kind, { url, lookup: at('169.254.169.254') }).send(notification()));
    expect(error.message).toContain('hook.example is at a link-local address');
    await notifier(kind, { url, lookup: at('127.0.0.1') }).send(notification());
    expect(receiver.received).toHaveLength(1);
    expect(asked).toEqual(['hook.example', 'hook.example']);
  });

  test('trusts the certificates that the operator names, and no others', async () => {
    const cert = readFileSync(join(TLS, 'loopback.pem'), 'utf8');
    await using secure = await startNotificationReceiver({
      key: readFileSync(join(TLS, 'loopback.key'), 'utf8'),
      cert,
    });
    const url = new Secret(secure.url);
    const error = await failure(notifier(kind, { url }).send(notification()));
    expect(error.message).toMatch(/^It cannot be reached: .*certificate/);
    await notifier(kind, { url, ca: cert }).send(notification());
    expect(secure.received).toHaveLength(1);
  });

  test.each(['http://169.254.169.254/latest/meta-data', 'http://[fe80::1]/x', 'http://2852039166/'])(
    'does not go to %s, unless the operator says so',
    async (address) => {
      const url = new Secret(address);
      const error = await failure(notifier(kind, { url }).send(notification()));
      expect(error.message).toContain('is at a link-local address');
      const allowed = await failure(notifier(kind, { url, allowLinkLocal: true, timeoutMs: 200 }).send(notification()));
      expect(allowed.message).not.toContain('link-local');
    },
  );
});

describe('a webhook', () => {
  test('says all that it knows in a body of a version, and signs it with the time', async () => {
    await notifier('webhook').send(notification());
    const { headers, body } = receiver.received[0] ?? { headers: {}, body: '' };
    expect(JSON.parse(body)).toEqual({
      version: 1,
      id: 'id-1',
      event: 'drift_opened',
      at: NOW.toISOString(),
      sentence: 'Drift was found.',
      fingerprint: 'f00d',
      repository: { host: 'github.com', id: '42', name: 'acme/infra', url: 'https://github.com/acme/infra' },
      project: {
        key: keyOf('prod'),
        title: 'prod',
        dir: 'prod',
        workspace: 'default',
        name: null,
        url: 'https://holdfast.example/projects/a%252Fb',
      },
    });
    const timestamp = String(Math.floor(NOW.getTime() / 1_000));
    const expected = createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex');
    expect(headers).toMatchObject({
      'x-holdfast-event': 'drift_opened',
      'x-holdfast-delivery': 'id-1',
      'x-holdfast-timestamp': timestamp,
      'x-holdfast-signature-256': `sha256=${expected}`,
    });
  });
});

describe('a message to Slack', () => {
  const textOf = async (told: Notification): Promise<string> => {
    await notifier('slack').send(told);
    const message = JSON.parse(receiver.received.at(-1)?.body ?? '') as { text: string };
    expect(message).toMatchObject({ mrkdwn: false, unfurl_links: false, unfurl_media: false });
    return message.text;
  };

  test('names project, what happened and where to read on', async () => {
    expect(await textOf(notification())).toBe(
      'Drift: prod of acme/infra\nDrift was found. (f00d)\nhttps://holdfast.example/projects/a%252Fb',
    );
  });

  test.each([
    ['<!channel> <@U1> <https://evil.example|pay>', /<[!@h]/],
    ['@channel @here @ann', /@(?=[a-z])/],
    ['[pay](https://evil.example)', /\]\(|:\/\/evil/],
    ['https://evil.example/x www.evil.example', /:\/\/evil|www\.evil/],
    ['one\ntwo\u2028three\u001B[31m', /two\n|\u2028|\[31m/],
    ['&lt;!channel&gt;', /&lt;!/],
  ])('cannot be made to mention, link or break: %s', async (hostile, dangerous) => {
    const told = notification({ sentence: hostile, dir: hostile });
    const text = await textOf(told);
    expect(text.split('\n')).toHaveLength(3);
    expect(text).not.toMatch(dangerous);
  });
});
