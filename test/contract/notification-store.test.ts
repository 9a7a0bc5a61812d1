import { beforeEach, describe, expect, test } from 'vitest';
import { createCounterStore } from '../../src/adapters/postgres/counter-store.ts';
import { createNotificationStore } from '../../src/adapters/postgres/notification-store.ts';
import type { NotificationStore } from '../../src/ports/notification-store.ts';
import { wantNotification } from '../support/notification-rows.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const HOLD_MS = 60_000;
let database: TestDatabase;
let store: NotificationStore;

beforeEach(async () => {
  database = await createTestDatabase();
  store = createNotificationStore(database.db);
  return () => database.close();
});

const want = (some: Parameters<typeof wantNotification>[1] = {}) => wantNotification(database.db, some);
const claimedIds = async (receiver = 'ops', limit = 10) =>
  (await store.claim(receiver, limit, HOLD_MS)).map(({ id }) => id);
const only = async () => {
  const [record, ...others] = await store.list({ limit: 10 });
  expect(others).toEqual([]);
  return record;
};

describe('the outbox of notifications', () => {
  test('gives each to one worker only, the oldest first', async () => {
    const ids: string[] = [];
    for (const dir of ['a', 'b', 'c']) ids.push(await want({ dir }));
    const [first, second] = await Promise.all([claimedIds('ops', 2), claimedIds('ops', 2)]);
    expect([...first, ...second].toSorted()).toEqual(ids.toSorted());
    expect(first).toEqual(first.toSorted((a, b) => ids.indexOf(a) - ids.indexOf(b)));
    expect(await claimedIds()).toEqual([]);
  });

  test('keeps receivers apart, and names those for whom something is due', async () => {
    const id = await want({ receiver: 'ops' });
    await want({ receiver: 'audit' });
    await want({ receiver: 'later', dueAt: new Date(Date.now() + 60_000) });
    expect((await store.listDueReceivers()).toSorted()).toEqual(['audit', 'ops']);
    expect(await claimedIds('ops')).toEqual([id]);
    expect(await store.listDueReceivers()).toEqual(['audit']);
  });

  test('tells of one project in its order: what follows waits until the first is sent or given up', async () => {
    const [opened, resolved] = [await want(), await want({ event: 'drift_resolved' })];
    const elsewhere = await want({ dir: 'stage' });
    expect(await claimedIds()).toEqual([opened, elsewhere]);
    expect(await claimedIds()).toEqual([]);
    await store.retry(opened, 'It answered 500', 60_000);
    expect(await claimedIds()).toEqual([]);
    await store.giveUp(opened, 'It answered 500');
    expect(await claimedIds()).toEqual([resolved]);
  });

  test('hands out again what a worker died with, and counts that attempt', async () => {
    const id = await want();
    await store.claim('ops', 10, 1);
    const again = await store.claim('ops', 10, HOLD_MS);
    expect(again).toMatchObject([{ id, attempts: 2 }]);
    expect(again[0]?.payload).toMatchObject({ event: 'drift_opened', project: { dir: 'prod' } });
  });

  test('tries again after a while, and remembers how it failed', async () => {
    const id = await want();
    await claimedIds();
    await store.retry(id, 'It answered 500', 60_000);
    expect(await claimedIds()).toEqual([]);
    expect(await only()).toMatchObject({ state: 'wanted', attempts: 1, error: 'It answered 500' });
    await store.retry(id, 'It answered 500', 0);
    expect(await claimedIds()).toEqual([id]);
    await store.saveSent(id);
    expect(await only()).toMatchObject({ state: 'sent', attempts: 2, error: undefined, sentAt: expect.any(Date) });
  });

  test('takes back what was not tried, without counting it', async () => {
    const id = await want();
    await claimedIds();
    await store.release([id], 0);
    expect(await store.claim('ops', 10, HOLD_MS)).toMatchObject([{ id, attempts: 1 }]);
    await store.release([], 0);
  });

  test('changes nothing of what is sent or given up', async () => {
    const id = await want();
    await store.saveSent(id);
    await store.giveUp(id, 'too late');
    await store.retry(id, 'too late', 0);
    await store.release([id], 0);
    expect(await only()).toMatchObject({ state: 'sent', error: undefined });
    expect(await claimedIds()).toEqual([]);
  });
});

describe('the delivery log', () => {
  test('has the newest first, and pages through all of it once', async () => {
    const at = new Date('2026-11-21T12:00:00Z');
    const ids: string[] = [];
    for (let n = 0; n < 7; n += 1)
      ids.push(await want({ dir: `d${n}`, createdAt: n < 3 ? at : new Date(at.getTime() + n) }));
    const seen: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await store.list({ limit: 3, ...(after && { after }) });
      if (page.length === 0) break;
      seen.push(...page.map(({ id }) => id));
      after = page.at(-1)?.id;
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
    expect(seen.slice(0, 4)).toEqual(ids.slice(3).toReversed());
  });

  test('can be narrowed to one state, and counts each', async () => {
    const [sent, lost] = [await want(), await want({ dir: 'stage' })];
    await want({ dir: 'dev' });
    await store.saveSent(sent);
    await store.giveUp(lost, 'gone');
    expect(await store.list({ state: 'given_up', limit: 10 })).toMatchObject([{ id: lost, error: 'gone' }]);
    expect(await store.countByState()).toEqual({ wanted: 1, sent: 1, given_up: 1 });
  });
});

test('counters add up, each by itself', async () => {
  const counters = createCounterStore(database.db);
  await Promise.all(Array.from({ length: 20 }, () => counters.add('drift_checks', 'drift', 1)));
  await counters.add('drift_checks', 'in_sync', 3);
  await counters.add('issue_writes', 'open', 0);
  expect(await counters.read()).toEqual([
    { name: 'drift_checks', label: 'drift', value: 20 },
    { name: 'drift_checks', label: 'in_sync', value: 3 },
  ]);
});
