import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import pg from 'pg';
import type { Secret } from '../../lib/secret.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Database } from './schema.ts';

/** First key of the session locks that stand for workers: "HOLD" in ASCII; the second is a hash of the worker's id. */
const LOCK_CLASS = 1_213_156_420;
const RECONNECT_MS = 500;
/**
 * A worker that neither holds its session lock nor has given a sign of life for this long is dead, milliseconds. A living one that
 * lost its session renews several times in that time. Also how long a restarted server waits before it believes a missing session.
 */
export const SILENCE_MS = 6_000;

export interface WorkerPresence {
  close(): Promise<void>;
}

export interface PresenceOptions {
  readonly url: Secret;
  readonly workerId: string;
  readonly logger: Logger;
}

/**
 * Holds a session lock of PostgreSQL that stands for this worker. PostgreSQL drops it the moment the process dies, so that others need
 * not wait until its leases run out. A session that breaks is opened again; behind a pooler that shares sessions the lock may outlive its
 * worker, and then the leases decide.
 * @throws when the database cannot be reached at the start.
 */
export async function announceWorker(options: PresenceOptions): Promise<WorkerPresence> {
  const closing = new AbortController();
  let client = await openSession(options, onLost);
  function onLost(): void {
    if (!closing.signal.aborted) void reopen();
  }
  async function reopen(): Promise<void> {
    options.logger.warn(
      { worker: options.workerId },
      'the session that stands for this worker broke; it is opened again',
    );
    while (!closing.signal.aborted) {
      try {
        client = await openSession(options, onLost);
        return;
      } catch {
        await delay(RECONNECT_MS, undefined, { ref: false });
      }
    }
  }
  return {
    close: async () => {
      closing.abort();
      await client.end().catch(() => undefined);
    },
  };
}

async function openSession({ url, workerId }: PresenceOptions, onLost: () => void): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url.reveal(),
    application_name: 'holdfast-presence',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  });
  let opened = false;
  const lose = (): void => {
    if (!opened) return;
    opened = false;
    client.end().catch(() => undefined);
    onLost();
  };
  client.on('error', lose);
  client.on('end', lose);
  try {
    await client.connect();
    // A machine that vanished without a word is noticed by the server in half a minute instead of hours. Not everywhere settable: Unix sockets.
    await client.query('set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3');
    await client.query('select pg_advisory_lock_shared($1::int, $2::int)', [LOCK_CLASS, workerKey(workerId)]);
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  opened = true;
  return client;
}

/** Reads which workers hold their session lock now. Two ids may share a key: then a dead one seems alive until its lease runs out. */
export async function readPresentWorkers(db: Kysely<Database>): Promise<(workerId: string) => boolean> {
  const present = await readWorkerKeys(db);
  return (workerId) => present.has(workerKey(workerId));
}

/** How many workers are alive. */
export async function countPresentWorkers(db: Kysely<Database>): Promise<number> {
  return (await readWorkerKeys(db)).size;
}

async function readWorkerKeys(db: Kysely<Database>): Promise<ReadonlySet<number>> {
  const { rows } = await sql<{ key: number }>`
    select objid::int4 as key from pg_locks
    where locktype = 'advisory' and classid::int4 = ${LOCK_CLASS} and objsubid = 2 and granted
      and database = (select oid from pg_database where datname = current_database())`.execute(db);
  return new Set(rows.map((row) => row.key));
}

/** Whether the server has been up long enough for living workers to be back. */
export const SERVER_IS_SETTLED = sql<boolean>`pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => ${SILENCE_MS / 1000})`;

function workerKey(workerId: string): number {
  return createHash('sha256').update(workerId).digest().readInt32BE(0);
}
