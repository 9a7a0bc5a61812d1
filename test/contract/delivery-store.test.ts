import { beforeAll, beforeEach, expect, test } from 'vitest';
import { createRecordStage, type RecordStage } from '../support/record-stage.ts';

const HOST = 'github.com';
let stage: RecordStage;
beforeAll(async () => {
  stage = await createRecordStage();
});
beforeEach(() => stage.forget());

const receive = (id: string, payload = '{}') =>
  stage.deliveries.receive({ host: HOST, id, event: 'push', action: undefined, repository: 'acme/infra', payload });
const soon = () => new Date(Date.now() + 60_000);
const longAgo = () => new Date(Date.now() - 60_000);

test('a delivery is kept as it came, waiting to be handled', async () => {
  expect(await receive('1', '{"a":"ä"}')).toBe('stored');
  expect(await stage.deliveries.find(HOST, '1')).toMatchObject({
    host: HOST,
    id: '1',
    event: 'push',
    action: undefined,
    repository: 'acme/infra',
    payload: '{"a":"ä"}',
    state: 'received',
    attempts: 0,
  });
  expect(await stage.deliveries.find(HOST, '2')).toBeUndefined();
  expect(await stage.deliveries.find('gitlab.com', '1')).toBeUndefined();
});

test('a repeat changes nothing while the first waits and after it was handled', async () => {
  await receive('1', 'first');
  expect(await receive('1', 'second')).toBe('repeated');
  await stage.deliveries.markHandled(HOST, '1');
  expect(await receive('1', 'third')).toBe('repeated');
  expect(await stage.deliveries.find(HOST, '1')).toMatchObject({ payload: 'first', state: 'handled' });
});

test('the same delivery many times at once is stored once', async () => {
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => receive('1')));
  expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(1);
});

test('the same id of two hosts is two deliveries', async () => {
  await receive('1');
  const other = { host: 'ghe.example', id: '1', event: 'push', action: undefined, repository: undefined, payload: '' };
  expect(await stage.deliveries.receive(other)).toBe('stored');
});

test('one that failed for good may be delivered again; one that may still succeed is a repeat', async () => {
  await receive('1');
  await stage.deliveries.markFailed(HOST, '1', 'not yet', false);
  expect(await stage.deliveries.find(HOST, '1')).toMatchObject({ state: 'received', attempts: 1 });
  expect(await receive('1')).toBe('repeated');
  await stage.deliveries.markFailed(HOST, '1', 'never', true);
  expect(await stage.deliveries.find(HOST, '1')).toMatchObject({ state: 'failed', attempts: 2 });
  expect(await receive('1')).toBe('stored');
  expect(await stage.deliveries.find(HOST, '1')).toMatchObject({ state: 'received' });
});

test('a delivery that is handled is not marked as failed by a repeat of its job that comes late', async () => {
  await receive('1');
  await stage.deliveries.markHandled(HOST, '1');
  await stage.deliveries.markFailed(HOST, '1', 'late', true);
  expect(await stage.deliveries.find(HOST, '1')).toMatchObject({ state: 'handled' });
});

test('the sweep finds what waits, oldest first, and nothing that was handled or given up', async () => {
  for (const id of ['1', '2', '3', '4']) await receive(id);
  await stage.deliveries.markHandled(HOST, '2');
  await stage.deliveries.markFailed(HOST, '3', 'never', true);
  expect(await stage.deliveries.listUnhandled(soon(), 10)).toEqual([
    { host: HOST, id: '1' },
    { host: HOST, id: '4' },
  ]);
  expect(await stage.deliveries.listUnhandled(soon(), 1)).toEqual([{ host: HOST, id: '1' }]);
  expect(await stage.deliveries.listUnhandled(longAgo(), 10)).toEqual([]);
});

test('what is known are those handled or waiting, so that a failed one is asked for again', async () => {
  for (const id of ['1', '2', '3']) await receive(id);
  await stage.deliveries.markHandled(HOST, '2');
  await stage.deliveries.markFailed(HOST, '3', 'never', true);
  expect(await stage.deliveries.findKnown(HOST, ['1', '2', '3', '4'])).toEqual(new Set(['1', '2']));
  expect(await stage.deliveries.findKnown(HOST, [])).toEqual(new Set());
});

test('the newest delivery of each host is known', async () => {
  expect(await stage.deliveries.findLatest(HOST)).toBeUndefined();
  await receive('1');
  const latest = await stage.deliveries.findLatest(HOST);
  expect(Math.abs(Date.now() - (latest?.getTime() ?? 0))).toBeLessThan(60_000);
});
