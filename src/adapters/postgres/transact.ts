import type { Kysely, Transaction } from 'kysely';
import pg from 'pg';
import { RecordUnavailableError } from '../../ports/run-store.ts';
import type { Database } from './schema.ts';

/** serialization_failure and deadlock_detected: PostgreSQL undid everything, so the whole transaction may be tried again. */
const REPEATABLE = new Set(['40001', '40P01']);
const ATTEMPTS = 5;

/**
 * Classes and codes of PostgreSQL that pass: the connection broke, it was chosen as a victim, resources are short, it is shutting down or starting, a
 * lock or the time for a statement was not to be had, a standby takes no writes yet. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const PASSING = /^(?:08|40|53|57P|57014|55P03|25006|25P0[34])/;
/** What pg and its pool say of a connection that is lost or cannot be had; they give no code. */
const LOST =
  /^(?:Connection terminated|Client (?:has encountered a connection error|was closed)|timeout e|Query read timeout)/;

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
  if (error instanceof pg.DatabaseError) return PASSING.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  // The operating system's: ECONNREFUSED, ECONNRESET, EPIPE, ENOENT of a socket and the like.
  return 'syscall' in error || LOST.test(error.message);
}
