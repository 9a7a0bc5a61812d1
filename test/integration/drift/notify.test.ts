import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNotifier } from '../../../src/adapters/notifications/create-notifier.ts';
import { createCounterStore } from '../../../src/adapters/postgres/counter-store.ts';
import { createNotificationStore } from '../../../src/adapters/postgres/notification-store.ts';
import { Secret } from '../../../src/lib/secret.ts';
import type { NotificationRecord } from '../../../src/ports/notification-store.ts';
import type { Notifier } from '../../../src/ports/notifier.ts';
import { notifyJob } from '../../../workers/drift/notify-job.ts';
import { wantNotification } from '../../support/notification-rows.ts';
import { type NotificationReceiverServer, startNotificationReceiver } from '../../support/notification-receiver.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

const SECRET = 'a-key-of-the-tests';
const HOUR_MS = 3_600_000;

let database: TestDatabase;
let receiver: NotificationReceiverServer;
beforeEach(async () => {
  database = await createTestDatabase();
  receiver = await startNotificationReceiver();
});
afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
  await database.close();
});

const want = (some: Parameters<typeof wantNotification>[1] = {}) => wantNotification(database.db, some);
const log = (): Promise<readonly NotificationRecord[]> => createNotificationStore(database.db).list({ limit: 100 });
/** Makes everything due, as if time had passed. */
const passTime = () => database.db.updateTable('notifications').set({ due_at: new Date() }).execute();

function webhook(url = receiver.url): Notifier {
  const outside = { proxyUrl: undefined, noProxy: [], ca: undefined, allowLinkLocal: false };
  return createNotifier({
    ...outside,
    kind: 'webhook',
    url: new Secret(url),
    secret: new Secret(SECRET),
    now: () => new Date(),
    timeoutMs: 5_000,
  });
}

function stage(notifiers: Readonly<Record<string, Notifier>> = { ops: webhook() }) {
  const noMore = new AbortController();
  const logger = recordingLogger();
  const context = {
    notifications: createNotificationStore(database.db),
    notifiers: new Map(Object.entries(notifiers)),
    counters: createCounterStore(database.db),
    publicUrl: 'https://holdfast.example',
    now: () => new Date(),
    logger,
    stop: { noMore: noMore.signal, atOnce: new AbortController().signal },
  };
  return { context, noMore, logger, run: () => notifyJob(context) };
}

/** As the documentation tells receivers to do it. */
function verify({ headers, body }: NotificationReceiverServer['received'][number]): boolean {
  const timestamp = String(headers['x-holdfast-timestamp']);
  const fresh = Math.abs(Date.now() / 1_000 - Number(timestamp)) < 300;
  const expected = createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex');
  return fresh && headers['x-holdfast-signature-256'] === `sha256=${expected}`;
}

describe('the job that tells of drift', () => {
  test('sends each once, signed, with the address of the project’s page, and keeps a log of it', async () => {
    const ids = [await want(), await want({ dir: 'stage', event: 'drift_resolved' })];
    const { run } = stage();
    await run();
    await run();
    expect(receiver.received.map(({ headers }) => headers['x-holdfast-delivery']).toSorted()).toEqual(ids.toSorted());
    expect(receiver.received.every(verify)).toBe(true);
    const [first] = receiver.received;
    expect(JSON.parse(first?.body ?? '')).toMatchObject({
      version: 1,
      event: 'drift_opened',
      project: { url: 'https://holdfast.example/projects/github.com%2F42%2Fprod%2Fdefault' },
    });
    expect(await log()).toMatchObject([{ state: 'sent' }, { state: 'sent' }]);
    expect(await createCounterStore(database.db).read()).toEqual([{ name: 'notifications', label: 'sent', value: 2 }]);
  });

  test('tries again after a failure, later each time, and with the same id', async () => {
    const id = await want();
    receiver.answer = (response) => response.writeHead(500).end('broken');
    const { run, logger } = stage();
    await run();
    await run();
    expect(receiver.received).toHaveLength(1);
    const [failed] = await log();
    expect(failed).toMatchObject({ state: 'wanted', attempts: 1, error: 'It answered 500: broken' });
    const waitMs = (record: NotificationRecord | undefined) => (record?.dueAt.getTime() ?? 0) - Date.now();
    expect(waitMs(failed)).toBeGreaterThan(20_000);
    expect(waitMs(failed)).toBeLessThanOrEqual(30_000);
    await passTime();
    await run();
    expect(waitMs((await log())[0])).toBeGreaterThan(50_000);
    receiver.answer = (response) => response.writeHead(200).end('ok');
    await passTime();
    await run();
    expect(await log()).toMatchObject([{ state: 'sent', attempts: 3, error: undefined }]);
    expect(receiver.received.map(({ headers }) => headers['x-holdfast-delivery'])).toEqual([id, id, id]);
    expect(logger.entries.map(({ message }) => message)).toContain('a notification did not arrive');
    expect(JSON.stringify(logger.entries)).not.toContain(SECRET);
  });

  test('comes when the receiver said', async () => {
    await want();
    receiver.answer = (response) => response.writeHead(429, { 'retry-after': '600' }).end();
    await stage().run();
    const [record] = await log();
    expect((record?.dueAt.getTime() ?? 0) - Date.now()).toBeGreaterThan(500_000);
  });

  test('asks a receiver that is down once, and keeps the others of it for later', async () => {
    for (const dir of ['a', 'b', 'c']) await want({ dir });
    receiver.answer = (response) => response.writeHead(503).end();
    await stage().run();
    expect(receiver.received).toHaveLength(1);
    expect((await log()).map(({ attempts }) => attempts).toSorted()).toEqual([0, 0, 1]);
    receiver.answer = (response) => response.writeHead(204).end();
    await passTime();
    await stage().run();
    expect((await log()).every(({ state }) => state === 'sent')).toBe(true);
  });

  test('lets nobody wait for somebody else', async () => {
    await using other = await startNotificationReceiver();
    receiver.answer = () => undefined;
    await want({ receiver: 'hangs' });
    await want({ receiver: 'ops' });
    const quick = webhook(other.url);
    const running = stage({ hangs: webhook(), ops: quick }).run();
    while (other.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await log()).find((one) => one.receiver === 'hangs')).toMatchObject({ state: 'wanted', error: undefined });
    await running;
    expect((await log()).find((one) => one.receiver === 'hangs')).toMatchObject({ error: 'No answer came within 5 s' });
  });

  test('tells of one project in its order, also after a failure', async () => {
    await want();
    await want({ event: 'drift_resolved' });
    receiver.answer = (response) => response.writeHead(500).end();
    const { run } = stage();
    await run();
    await run();
    receiver.answer = (response) => response.writeHead(204).end();
    await passTime();
    await run();
    expect(receiver.received.map(({ headers }) => headers['x-holdfast-event'])).toEqual([
      'drift_opened',
      'drift_opened',
      'drift_resolved',
    ]);
  });

  test('gives up after a day', async () => {
    await want({ createdAt: new Date(Date.now() - 25 * HOUR_MS) });
    receiver.answer = (response) => response.writeHead(500).end();
    const { run, logger } = stage();
    await run();
    expect(await log()).toMatchObject([{ state: 'given_up', error: 'It answered 500', attempts: 1 }]);
    expect(logger.entries.map(({ message }) => message)).toContain('a notification was given up after 1 day');
    await passTime();
    await run();
    expect(receiver.received).toHaveLength(1);
  });

  test('keeps for a while what is for somebody that this machine’s config does not know', async () => {
    await want({ receiver: 'gone' });
    await want({ receiver: 'long-gone', createdAt: new Date(Date.now() - 25 * HOUR_MS) });
    await stage().run();
    const states = Object.fromEntries((await log()).map((one) => [one.receiver, `${one.state}: ${one.error}`]));
    expect(states).toEqual({
      gone: 'wanted: The config has no receiver "gone"',
      'long-gone': 'given_up: The config has no receiver "long-gone"',
    });
  });

  test('two of them at once send nothing twice', async () => {
    for (let n = 0; n < 30; n += 1) await want({ dir: `d${n}` });
    await Promise.all([stage().run(), stage().run(), stage().run()]);
    const ids = receiver.received.map(({ headers }) => headers['x-holdfast-delivery']);
    expect(ids).toHaveLength(30);
    expect(new Set(ids).size).toBe(30);
  });

  test('a worker that is killed between sending and saving has it sent again, with the same id', async () => {
    const id = await want();
    const { context } = stage();
    const killed = { ...context.notifications, saveSent: () => Promise.reject(new Error('killed')) };
    await expect(notifyJob({ ...context, notifications: killed })).rejects.toThrow('killed');
    await passTime();
    await stage().run();
    expect(receiver.received.map(({ headers }) => headers['x-holdfast-delivery'])).toEqual([id, id]);
    expect(await log()).toMatchObject([{ state: 'sent' }]);
  });

  test('a stop leaves the rest for whoever comes next, at once', async () => {
    for (const dir of ['a', 'b', 'c']) await want({ dir });
    const { run, noMore } = stage();
    receiver.answer = (response) => {
      noMore.abort();
      response.writeHead(204).end();
    };
    await run();
    expect(receiver.received).toHaveLength(1);
    await stage().run();
    expect(receiver.received).toHaveLength(3);
  });
});
