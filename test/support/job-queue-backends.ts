import type { JobQueueOptions } from '../../src/adapters/bullmq/create-job-queue.ts';
import { Redis } from 'ioredis';
import { crashTestServer, createEmptyDatabase } from './postgres.ts';
import { startRedis } from './redis.ts';
import { until } from './until.ts';

/** A fresh, empty backend for one test. */
export interface TestQueueBackend extends AsyncDisposable {
  readonly options: JobQueueOptions['backend'];
  /** The server dies as in a crash, and is back some seconds later. */
  crashForAWhile(): Promise<void>;
  /** Everything that is stored, as text. */
  dump(): Promise<string>;
}

export async function postgresTestBackend(): Promise<TestQueueBackend> {
  const database = await createEmptyDatabase();
  return {
    options: { kind: 'postgres', url: database.url },
    crashForAWhile: crashTestServer,
    dump: async () => {
      const jobs = await database.pool.query('select * from holdfast_queue.job');
      const events = await database.pool.query('select * from holdfast_queue.event');
      return JSON.stringify([jobs.rows, events.rows]);
    },
    [Symbol.asyncDispose]: async () => {
      await until(() =>
        database.pool.query('select 1').then(
          () => true,
          () => false,
        ),
      );
      await database.close();
    },
  };
}

export async function redisTestBackend(): Promise<TestQueueBackend> {
  const redis = await startRedis();
  let restart: Promise<void> = Promise.resolve();
  return {
    options: { kind: 'redis', url: redis.url },
    crashForAWhile: async () => {
      await redis.kill();
      restart = new Promise((resolve) => setTimeout(resolve, 1_500)).then(() => redis.start());
    },
    dump: () => dumpRedis(redis.url.reveal()),
    [Symbol.asyncDispose]: async () => {
      await restart;
      await redis.close();
    },
  };
}

async function dumpRedis(url: string): Promise<string> {
  const client = new Redis(url);
  const parts = [];
  for (const key of await client.keys('*')) {
    const type = await client.type(key);
    if (type === 'hash') parts.push(await client.hgetall(key));
    if (type === 'stream') parts.push(await client.xrange(key, '-', '+'));
    if (type === 'string') parts.push(await client.get(key));
  }
  client.disconnect();
  return JSON.stringify(parts);
}
