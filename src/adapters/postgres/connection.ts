import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Logger } from '../../ports/logger.ts';
import type { Secret } from '../../lib/secret.ts';
import type { Database } from './schema.ts';

/** The PostgreSQL schema that holds all of Holdfast's own tables. */
export const SCHEMA = 'holdfast';

export interface ConnectionOptions {
  /** A `postgresql://` URL; TLS by its `sslmode` and `sslrootcert` parameters. */
  readonly url: Secret;
  readonly logger: Logger;
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  /** Open connections at most. */
  readonly poolSize?: number;
  /** Of one statement, in milliseconds; what takes longer is broken off by the server. */
  readonly statementTimeoutMs?: number;
}

export interface Connection {
  readonly db: Kysely<Database>;
  /** The pool under `db`, for what speaks to PostgreSQL without kysely. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/**
 * Opens a pool; connects only when first used. A connection that breaks while idle is logged and replaced, never thrown: the statements that
 * meet an unreachable database get the error.
 */
export function connectPostgres(options: ConnectionOptions): Connection {
  const pool = new pg.Pool({
    connectionString: withSearchPath(options.url.reveal()),
    application_name: options.applicationName ?? 'holdfast',
    max: options.poolSize ?? 10,
    // Every open connection is a process of the server, so idle ones are let go.
    idleTimeoutMillis: 10_000,
    connectionTimeoutMillis: 10_000,
    statement_timeout: options.statementTimeoutMs ?? 30_000,
    // A transaction whose owner has forgotten it must not hold its locks for ever.
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
  });
  pool.on('error', (error) => {
    // Not the error itself: pg hangs the whole connection on it. While the pool is closed, connections may break as they like.
    if (!pool.ending) options.logger.warn({ reason: error.message }, 'an idle database connection broke');
  });
  // A connection that breaks while it is used tells whoever waits for it; without a listener it would end the program as well.
  pool.on('connect', (client) => client.on('error', () => {}));
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  return { db, pool, close: () => db.destroy() };
}

/** Table names are written without their schema; the connection finds them. Options that the operator put into the URL stay. */
function withSearchPath(url: string): string {
  const parsed = new URL(url);
  const own = parsed.searchParams.get('options');
  parsed.searchParams.set('options', `${own ? `${own} ` : ''}-c search_path=${SCHEMA}`);
  return parsed.href;
}
