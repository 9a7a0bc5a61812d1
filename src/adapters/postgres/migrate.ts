import { promises as fs } from 'node:fs';
import path from 'node:path';
import { type Kysely, sql } from 'kysely';
import { FileMigrationProvider, type MigrationProvider, Migrator } from 'kysely/migration';
import { SCHEMA } from './connection.ts';
import type { Database } from './schema.ts';

/** The database was written by a newer Holdfast. Nothing was changed. */
export class DatabaseNewerError extends Error {
  constructor(unknown: readonly string[]) {
    super(
      `The database was made by a newer Holdfast: it has the migrations ${unknown.join(', ')}, which this program does not know. Start the newer Holdfast, or restore the database from before the upgrade. Nothing was changed.`,
    );
    this.name = 'DatabaseNewerError';
  }
}

/** Any number that nothing else in the database takes as an advisory lock: "HOLDFAST" in ASCII. */
const LOCK_KEY = '5210485452386005844';
const TABLE = 'migrations';

/**
 * Brings the schema up to date: all pending migrations in one transaction. Several machines may start at once; they wait for each other.
 * @returns the names of the migrations that were run.
 * @throws DatabaseNewerError before anything is touched.
 */
export async function migrate(
  db: Kysely<Database>,
  provider: MigrationProvider = ownMigrations(),
): Promise<readonly string[]> {
  return db.connection().execute(async (connection) => {
    // Waiting for another machine's migration may take longer than any ordinary statement.
    await sql`set statement_timeout = 0`.execute(connection);
    await sql`select pg_advisory_lock(${LOCK_KEY}::bigint)`.execute(connection);
    try {
      await refuseNewer(connection, provider);
      return await runPending(connection, provider);
    } finally {
      await sql`select pg_advisory_unlock(${LOCK_KEY}::bigint)`.execute(connection);
      await sql`reset statement_timeout`.execute(connection);
    }
  });
}

/** `migrations/NNNN_name.ts` beside this file. */
function ownMigrations(): MigrationProvider {
  return new FileMigrationProvider({ fs, path, migrationFolder: path.join(import.meta.dirname, 'migrations') });
}

async function refuseNewer(connection: Kysely<Database>, provider: MigrationProvider): Promise<void> {
  const { unknown } = await inspectMigrations(connection, provider);
  if (unknown.length > 0) throw new DatabaseNewerError(unknown);
}

/** How the schema stands to this program: `made` once anything was migrated, `unknown` are the migrations of a newer program. Changes nothing. */
export async function inspectMigrations(
  db: Kysely<Database>,
  provider: MigrationProvider = ownMigrations(),
): Promise<{ readonly made: boolean; readonly pending: readonly string[]; readonly unknown: readonly string[] }> {
  const known = Object.keys(await provider.getMigrations());
  const table = sql.id(SCHEMA, TABLE);
  const exists = await sql<{
    found: boolean;
  }>`select to_regclass(${`${SCHEMA}.${TABLE}`}) is not null as found`.execute(db);
  if (!exists.rows[0]?.found) return { made: false, pending: known, unknown: [] };
  const { rows } = await sql<{ name: string }>`select name from ${table} order by name`.execute(db);
  const executed = rows.map((row) => row.name);
  return {
    made: true,
    pending: known.filter((name) => !executed.includes(name)),
    unknown: executed.filter((name) => !known.includes(name)),
  };
}

async function runPending(connection: Kysely<Database>, provider: MigrationProvider): Promise<string[]> {
  const migrator = new Migrator({
    db: connection,
    provider,
    migrationTableSchema: SCHEMA,
    migrationTableName: TABLE,
    migrationLockTableName: `${TABLE}_lock`,
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  const failed = results.find((result) => result.status === 'Error');
  if (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The database could not be brought up to date${failed ? ` (migration ${failed.migrationName})` : ''}: ${reason}. Nothing was changed.`,
      { cause: error },
    );
  }
  return results.map((result) => result.migrationName);
}
