import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll } from 'vitest';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../src/adapters/embedded-postgres/start-embedded-postgres.ts';
import { type Connection, connectPostgres } from '../../src/adapters/postgres/connection.ts';
import { migrate } from '../../src/adapters/postgres/migrate.ts';
import { Secret } from '../../src/lib/secret.ts';

const logger = pino({ level: 'silent' });

interface TestServer {
  readonly postgres: EmbeddedPostgres;
  readonly dataDirectory: string;
}

/** One server per test file, started by the first test that wants a database. */
let server: Promise<TestServer> | undefined;
const open = new Set<TestDatabase>();

/** A database of a test's own, with the whole schema and no rows. */
export interface TestDatabase extends Connection, AsyncDisposable {
  readonly url: Secret;
  /** Closes the connections and drops the database. What a test forgets is closed at the end of its file. */
  close(): Promise<void>;
}

/** A migrated, empty database, copied from a template in some ten milliseconds. */
export async function createTestDatabase(): Promise<TestDatabase> {
  return createFrom('holdfast');
}

/** A database without any of Holdfast's tables. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return createFrom('template1');
}

/** Kills the server of this test file as a crash would; it comes back by itself within seconds. */
export async function crashTestServer(): Promise<void> {
  const pid = (await server)?.postgres.pid();
  if (pid === undefined) throw new Error('no database server is running');
  process.kill(pid, 'SIGKILL');
}

async function createFrom(template: string): Promise<TestDatabase> {
  server ??= startServer();
  const { postgres } = await server;
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(postgres.url, `create database ${name} template ${template}`);
  const url = new Secret(withDatabase(postgres.url, name));
  const connection = connectPostgres({ url, logger, applicationName: 'holdfast-test' });
  let closed: Promise<void> | undefined;
  const database: TestDatabase = {
    ...connection,
    url,
    close: () => (closed ??= drop()),
    [Symbol.asyncDispose]: () => database.close(),
  };
  const drop = async () => {
    open.delete(database);
    await connection.close();
    await administer(postgres.url, `drop database if exists ${name} with (force)`);
  };
  open.add(database);
  return database;
}

async function startServer(): Promise<TestServer> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'holdfast-test-pg-'));
  const postgres = await startEmbeddedPostgres({ dataDirectory, logger });
  const connection = connectPostgres({ url: postgres.url, logger });
  await migrate(connection.db);
  await connection.close();
  return { postgres, dataDirectory };
}

/** From another database, because one that is copied or dropped must have no guests. */
async function administer(url: Secret, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: withDatabase(url, 'postgres') });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

function withDatabase(url: Secret, name: string): string {
  const parsed = new URL(url.reveal());
  parsed.pathname = `/${name}`;
  return parsed.href;
}

afterAll(async () => {
  if (!server) return;
  const { postgres, dataDirectory } = await server;
  await Promise.all([...open].map((database) => database.close()));
  await postgres.stop();
  await rm(dataDirectory, { recursive: true, force: true });
});
