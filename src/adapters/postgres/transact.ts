import type { Kysely, Transaction } from 'kysely';
import pg from 'pg';
import { isUnreachable } from '../../lib/is-unreachable.ts';
import { RecordUnavailableError } from '../../ports/run-store.ts';
import type { Database } from './schema.ts';

/** serialization_failure and deadlock_detected: PostgreSQL undid everything, so the whole transaction may be tried again. */
const REPEATABLE = new Set(['40001', '40P01']);
const ATTEMPTS = 5;

/**
 * Codes of PostgreSQL that pass though it is there: the transaction was chosen as a victim or was idle for too long, a lock or the time for a
 * statement was not to be had. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const BUSY = /^(?:40|57014|55P03|25P0[34])/;

/** Runs a transaction, again when PostgreSQL chose it as the victim of a deadlock. Throws RecordUnavailableError when only the moment was wrong. */
export async function transact<T>(db: Kysely<Database>, work: (trx: Transaction<Database>) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (attempt < ATTEMPTS && error instanceof pg.DatabaseError && REPEATABLE.has(error.code ?? '')) continue;
      throw isPassing(error) ? new RecordUnavailableError(error) : error;
    }
  }
}

function isPassing(error: unknown): error is Error {
  return isUnreachable(error) || (error instanceof pg.DatabaseError && BUSY.test(error.code ?? ''));
}
