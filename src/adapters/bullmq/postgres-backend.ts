import {
  type IQueueBackend,
  type PostgresConnectionOptions,
  PostgresQueueBackend,
  type QueueBaseOptions,
  runMigrations,
  withBackend,
} from 'bullmq';
import pg from 'pg';
import { JOBS } from '../../jobs/job.ts';
import type { Secret } from '../../lib/secret.ts';
import type { Logger } from '../../ports/logger.ts';
import type { OutageLog } from './outage-log.ts';
import { paceFetching } from './paced-backend.ts';
import { PERIOD_SHARE, QUEUE_OPTIONS, type QueueBackend, workerOptions } from './queue-backend.ts';
import { queuePool } from './queue-pool.ts';
import { SharedConnection } from './shared-connection.ts';

/** The PostgreSQL schema that holds BullMQ's tables and ours beside them. */
const SCHEMA = 'holdfast_queue';
/** One for the notifications, the rest for short statements; idle ones are closed. */
const POOL_SIZE = 8;

/**
 * BullMQ on PostgreSQL: one pool and one connection for notifications, shared by all queues and workers (BullMQ alone would keep one of the
 * latter per worker, each a process of the server).
 *
 * @throws when the database cannot be reached, or its queue tables were made by a newer BullMQ.
 */
export async function postgresBackend(url: Secret, outage: OutageLog, logger: Logger): Promise<QueueBackend> {
  const pool = new pg.Pool({
    connectionString: withSettings(url.reveal()),
    application_name: 'holdfast-queue',
    max: POOL_SIZE,
    idleTimeoutMillis: 10_000,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 30_000,
    keepAlive: true,
  });
  pool.on('error', (error) => outage.failed(error));
  try {
    await prepareSchema(pool);
    const connection = new SharedConnection(queuePool(pool, outage), SCHEMA);
    await connection.waitUntilReady();
    return backendOn(pool, connection, logger);
  } catch (error) {
    await pool.end();
    throw error;
  }
}

function backendOn(pool: pg.Pool, connection: SharedConnection, logger: Logger): QueueBackend {
  const factory = (name: string, options: QueueBaseOptions<PostgresConnectionOptions>): IQueueBackend =>
    paceFetching(new PostgresQueueBackend(connection, name, options));
  const { Queue, Worker } = withBackend(factory);
  return {
    queue: (name) => new Queue(name, { connection: connection.pool, ...QUEUE_OPTIONS }),
    // Whoever waits is woken by a notification or the next due time; asking besides is only for what was missed.
    worker: (name, processor, limits) =>
      new Worker(name, processor, {
        connection: connection.pool,
        drainDelay: 60,
        ...workerOptions(limits, JOBS[name].attempts > 1),
      }),
    claimPeriod: (name, periodMs) => claimPeriod(pool, name, periodMs),
    close: async () => {
      await connection.closeForGood();
      await pool
        .end()
        .catch((error: unknown) => logger.warn({ err: error }, 'the queue database was not closed orderly'));
    },
  };
}

/** Under BullMQ's own lock and in its transaction, so that machines may start at once; our table is made under another lock of the same kind. */
async function prepareSchema(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await runMigrations(client, SCHEMA);
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('${SCHEMA}.period'))`);
    await client.query(
      `create table if not exists ${SCHEMA}.period (name text primary key, claimed_at timestamptz not null)`,
    );
    await client.query('commit');
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** A claim from the future (the clock was set back) counts as run out. */
async function claimPeriod(pool: pg.Pool, name: string, periodMs: number): Promise<boolean> {
  const claim = await pool.query(
    `insert into period as p (name, claimed_at) values ($1, now())
     on conflict (name) do update set claimed_at = excluded.claimed_at
       where p.claimed_at <= now() - $2 * interval '1 millisecond' or p.claimed_at > now()
     returning name`,
    [name, Math.round(periodMs * PERIOD_SHARE)],
  );
  return claim.rowCount === 1;
}

/**
 * Table names are found without their schema. Commits do not wait for the disk: jobs are wake-ups, and what a crash of the server takes of the
 * last moment (three times `wal_writer_delay`, 0.6 s) the sweep finds again in the record. Order and wholeness of what stays are not touched
 * (https://www.postgresql.org/docs/18/wal-async-commit.html).
 */
function withSettings(url: string): string {
  const parsed = new URL(url);
  const own = parsed.searchParams.get('options');
  const settings = `-c search_path=${SCHEMA} -c synchronous_commit=off`;
  parsed.searchParams.set('options', own ? `${own} ${settings}` : settings);
  return parsed.href;
}
