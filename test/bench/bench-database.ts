import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres/start-embedded-postgres.ts';

type Rows = readonly Readonly<Record<string, unknown>>[];

/** A PostgreSQL like the embedded one, which outlives Holdfast and counts statements. */
export interface BenchDatabase extends AsyncDisposable {
  readonly url: string;
  /** Statements of all clients (`BEGIN` and the like included) since the last call. */
  countStatements(): Promise<number>;
  query(sql: string): Promise<Rows>;
}

const LIBRARY = 'pg_stat_statements';
const COUNT = `with counted as materialized (select coalesce(sum(calls), 0)::int as n from ${LIBRARY}) select n, ${LIBRARY}_reset() from counted`;

/** The embedded database keeps its superuser out, who alone may count statements: this one, in a temporary folder, lets him in. */
export async function startBenchDatabase(): Promise<BenchDatabase> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'holdfast-bench-database-'));
  const options = { dataDirectory, logger: pino({ level: 'silent' }) };
  await (await startEmbeddedPostgres(options)).stop();
  const cluster = join(dataDirectory, 'postgres/cluster');
  await appendFile(join(cluster, 'postgresql.conf'), `\nshared_preload_libraries = '${LIBRARY}'\n`);
  await appendFile(join(cluster, 'pg_hba.conf'), 'local all postgres trust\n');
  const server = await startEmbeddedPostgres(options);
  const url = server.url.reveal();
  const superuser = new URL(url);
  superuser.username = 'postgres';
  await ask(superuser.href, `create extension ${LIBRARY}`);
  return {
    url,
    query: (sql) => ask(superuser.href, sql),
    countStatements: async () => Number((await ask(superuser.href, COUNT))[0]?.['n']),
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await rm(dataDirectory, { recursive: true, force: true });
    },
  };
}

async function ask(url: string, sql: string): Promise<Rows> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
