import type { Kysely, Transaction } from 'kysely';
import type { Database } from './schema.ts';

/** serialization_failure and deadlock_detected: PostgreSQL undid everything, so the whole transaction may be tried again. */
const REPEATABLE = new Set(['40001', '40P01']);
const ATTEMPTS = 5;

/** Runs a transaction, again when PostgreSQL chose it as the victim of a deadlock. */
export async function transact<T>(db: Kysely<Database>, work: (trx: Transaction<Database>) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await db.transaction().execute(work);
    } catch (error) {
      if (attempt >= ATTEMPTS || !isRepeatable(error)) throw error;
    }
  }
}

function isRepeatable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && REPEATABLE.has(String(error.code));
}
