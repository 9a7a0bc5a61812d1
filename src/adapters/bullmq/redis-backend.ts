import { createRedisBackend, type QueueBaseOptions, withBackend } from 'bullmq';
import { Redis } from 'ioredis';
import semver from 'semver';
import { JOBS } from '../../jobs/job.ts';
import type { Secret } from '../../lib/secret.ts';
import type { Logger } from '../../ports/logger.ts';
import type { OutageLog } from './outage-log.ts';
import { paceFetching } from './paced-backend.ts';
import { PERIOD_SHARE, QUEUE_OPTIONS, type QueueBackend, workerOptions } from './queue-backend.ts';

/** BullMQ's recommendation (https://docs.bullmq.io/guide/redis-tm-compatibility). */
const OLDEST_VERSION = '6.2.0';
const START_PATIENCE_MS = 10_000;
/** Of one command of those who put jobs in: they report an outage rather than wait for its end. */
const COMMAND_TIMEOUT_MS = 5_000;

/** BullMQ on Redis (also Valkey). @throws when it cannot be reached or is too old. */
export async function redisBackend(
  url: Secret,
  prefix: string,
  outage: OutageLog,
  logger: Logger,
): Promise<QueueBackend> {
  const common = { retryStrategy: (times: number) => Math.min(times * 200, 2_000), connectionName: 'holdfast' };
  const producer = new Redis(url.reveal(), { ...common, commandTimeout: COMMAND_TIMEOUT_MS, maxRetriesPerRequest: 1 });
  // BullMQ demands that a worker's commands wait for the end of an outage.
  const consumer = new Redis(url.reveal(), { ...common, maxRetriesPerRequest: null, lazyConnect: true });
  for (const client of [producer, consumer]) {
    client.on('error', (error) => outage.failed(error));
    client.on('ready', () => outage.recovered());
  }
  const close = async () => {
    producer.disconnect();
    consumer.disconnect();
  };
  try {
    await inspectServer(producer, url, logger);
  } catch (error) {
    await close();
    throw error;
  }
  const factory = (...args: Parameters<typeof createRedisBackend>) => paceFetching(createRedisBackend(...args));
  const { Queue, Worker } = withBackend<
    ReturnType<typeof createRedisBackend>,
    NonNullable<QueueBaseOptions['connection']>
  >(factory);
  // Our own check says the same through the log.
  const shared = { prefix, skipVersionCheck: true };
  return {
    queue: (name) => new Queue(name, { connection: producer, ...shared, ...QUEUE_OPTIONS }),
    worker: (name, processor, limits) =>
      new Worker(name, processor, {
        connection: consumer,
        ...shared,
        drainDelay: 10,
        ...workerOptions(limits, JOBS[name].attempts > 1),
      }),
    claimPeriod: async (name, periodMs) =>
      (await producer.set(`${prefix}:period:${name}`, '1', 'PX', Math.round(periodMs * PERIOD_SHARE), 'NX')) === 'OK',
    close,
  };
}

async function inspectServer(client: Redis, url: Secret, logger: Logger): Promise<void> {
  const { host } = new URL(url.reveal());
  let info: string;
  try {
    info = await withPatience(client);
  } catch (error) {
    throw new Error(`The queue's Redis at ${host} cannot be used: ${messageOf(error)}. Check HOLDFAST_REDIS_URL.`, {
      cause: error,
    });
  }
  const version = semver.coerce(/^redis_version:(\S+)/m.exec(info)?.[1]);
  if (version && semver.lt(version, OLDEST_VERSION)) {
    throw new Error(`The queue's Redis at ${host} is version ${version}; at least ${OLDEST_VERSION} is needed.`);
  }
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy && policy !== 'noeviction') {
    logger.warn(
      { policy },
      'the queue\'s Redis may throw jobs away when its memory is full; set "maxmemory-policy noeviction"',
    );
  }
}

/** The first failed attempt says why, and usually at once; ioredis itself would try on for ever. */
function withPatience(client: Redis): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no answer within ${START_PATIENCE_MS / 1000} s`)),
      START_PATIENCE_MS,
    );
    client.once('error', reject);
    client
      .info()
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer);
        client.off('error', reject);
      });
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
