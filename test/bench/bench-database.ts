import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../src/adapters/embedded-postgres/start-embedded-postgres.ts';

/** A PostgreSQL like the embedded one, which outlives Holdfast and counts statements. */
export interface BenchDatabase extends AsyncDisposable {
  readonly url: string;
  /** Statements (`BEGIN` and the like included) of all clients since the last call. */
  countStatements(): Promise<number>;
  query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

const LIBRARY = 'pg_stat_statements';

export async function startBenchDatabase(folder: string): Promise<BenchDatabase> {
  const options = { dataDirectory: join(folder, 'database'), logger: pino({ level: 'silent' }) };
  const first = await startEmbeddedPostgres(options);
  await ask(first.url.reveal(), `alter system set shared_preload_libraries = '${LIBRARY}'`);
  await first.stop();
  const server = await startEmbeddedPostgres(options);
  const url = server.url.reveal();
  await ask(url, `create extension ${LIBRARY}`);
  return {
    url,
    query: (sql) => ask(url, sql),
    countStatements: async () => {
      const [row] = await ask(
        url,
        `with counted as (select coalesce(sum(calls), 0)::int as n from ${LIBRARY}) select n, ${LIBRARY}_reset() from counted`,
      );
      return Number(row?.['n']);
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

async function ask(url: string, sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
