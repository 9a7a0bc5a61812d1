import { sql } from 'kysely';
import type { MigrationProvider } from 'kysely/migration';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { connectPostgres } from '../../src/adapters/postgres/connection.ts';
import { DatabaseNewerError, migrate } from '../../src/adapters/postgres/migrate.ts';
import * as init from '../../src/adapters/postgres/migrations/0001_init.ts';
import { Secret } from '../../src/lib/secret.ts';
import { createEmptyDatabase, createTestDatabase } from '../support/postgres.ts';

const logger = pino({ level: 'silent' });

test('an empty database gets every table, in a schema of its own', async () => {
  await using database = await createEmptyDatabase();
  expect(await migrate(database.db)).toContain('0001_init');
  const tables = await sql<{ schema: string }>`
    select distinct table_schema as schema from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema')`.execute(
    database.db,
  );
  expect(tables.rows).toEqual([{ schema: 'holdfast' }]);
  expect(await database.db.selectFrom('runs').selectAll().execute()).toEqual([]);
});

test('what was recorded before is taken over: the base branch of plans, under which number a pull request was planned, why a plan is not applied', async () => {
  await using database = await createEmptyDatabase();
  const first: MigrationProvider = { getMigrations: async () => ({ '0001_init': init }) };
  await migrate(database.db, first);
  await sql
    .raw(`
    insert into repositories values ('r', 'h', '1', 'acme', 'infra', 'main', false, true, 'u');
    insert into pull_requests (id, repository_id, number, title, url, state, draft, fork, author_id, author_login, head_sha, head_ref, base_ref, base_sha, node_id, version)
      values ('p', 'r', 1, 't', 'u', 'open', false, false, '1', 'ann', 'h', 'b', 'release', 'b', 'n', 3);
    insert into batches (id, pull_request_id, trigger_key, operation, trigger, actor_id, actor_login, head_sha, base_sha, notes)
      values ('b', 'p', 'k', 'plan', 'autoplan', '1', 'ann', 'h', 'b', '{}');
    insert into runs (id, batch_id, pull_request_id, repository_id, project_key, project, operation, state, ready, result)
      values ('u', 'b', 'p', 'r', 'key', '{}', 'plan', 'succeeded', true, '{"kind": "planned", "explanation": "it would be lost"}'),
        ('f', 'b', 'p', 'r', 'other', '{}', 'plan', 'failed', true, '{"kind": "failed", "explanation": "it broke"}');
    insert into plans (id, run_id, pull_request_id, project_key, head_sha, base_sha, merge_sha, inputs_digest, canonical_digest, empty, state)
      values ('l', 'u', 'p', 'key', 'h', 'b', 'm', 'i', 'c', false, 'current')`)
    .execute(database.db);
  expect(await migrate(database.db)).toContain('0003_base_ref');
  for (const table of ['batches', 'plans'] as const)
    expect(await database.db.selectFrom(table).select('base_ref').execute()).toEqual([{ base_ref: 'release' }]);
  expect(await database.db.selectFrom('pull_requests').select('plan_version').execute()).toEqual([{ plan_version: 3 }]);
  const runs = await database.db.selectFrom('runs').select('result').orderBy('id').execute();
  expect(runs.map((run) => run.result)).toEqual([
    { kind: 'failed', explanation: 'it broke' },
    { kind: 'planned', applyRefusal: 'it would be lost' },
  ]);
});

test('what is up to date is left alone', async () => {
  await using database = await createTestDatabase();
  expect(await migrate(database.db)).toEqual([]);
});

test('machines that start at once migrate once, and each finds a usable database', async () => {
  await using database = await createEmptyDatabase();
  const machines = Array.from({ length: 5 }, () => connectPostgres({ url: database.url, logger }));
  const results = await Promise.all(machines.map((machine) => migrate(machine.db)));
  await Promise.all(machines.map((machine) => machine.close()));
  const effective = results.filter((names) => names.length > 0);
  expect(effective).toHaveLength(1);
});

test('a newer database refuses an older program, in words, and stays as it is', async () => {
  await using database = await createTestDatabase();
  await sql`insert into migrations (name, timestamp) values ('9999_future', '2030-01-01T00:00:00Z')`.execute(
    database.db,
  );
  const refusal = migrate(database.db);
  await expect(refusal).rejects.toThrow(DatabaseNewerError);
  await expect(refusal).rejects.toThrow(/newer Holdfast.*9999_future/);
});

test('a migration that fails changes nothing and is named', async () => {
  await using database = await createEmptyDatabase();
  const provider: MigrationProvider = {
    getMigrations: async () => ({
      '0001_good': { up: async (db) => void (await sql`create table holdfast.good (id int)`.execute(db)) },
      '0002_bad': { up: async (db) => void (await sql`select 1/0`.execute(db)) },
    }),
  };
  await expect(migrate(database.db, provider)).rejects.toThrow(/0002_bad.*division by zero/);
  const found = await sql<{ good: string | null }>`select to_regclass('holdfast.good')::text as good`.execute(
    database.db,
  );
  expect(found.rows[0]?.good).toBeNull();
});

test('the migration lock outlasts the statement time-out of ordinary connections', async () => {
  await using database = await createEmptyDatabase();
  const impatient = connectPostgres({ url: database.url, logger, statementTimeoutMs: 200, poolSize: 1 });
  const provider: MigrationProvider = {
    getMigrations: async () => ({
      '0001_slow': { up: async (db) => void (await sql`select pg_sleep(0.6)`.execute(db)) },
    }),
  };
  expect(await migrate(impatient.db, provider)).toEqual(['0001_slow']);
  await expect(sql`select pg_sleep(1)`.execute(impatient.db)).rejects.toThrow(/statement timeout/);
  await impatient.close();
});

test('an unreachable database is an error of the statement, not of the process', async () => {
  const connection = connectPostgres({ url: new Secret('postgresql://nobody:x@127.0.0.1:1/none'), logger });
  await expect(sql`select 1`.execute(connection.db)).rejects.toThrow(/ECONNREFUSED/);
  await connection.close();
});
