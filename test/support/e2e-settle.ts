import { sql } from 'kysely';
import type { GithubServer } from '../servers/github/github-server.ts';
import type { TestDatabase } from './postgres.ts';

const TIMEOUT_MS = 120_000;
const EVERY_MS = 20;

interface Unfinished {
  readonly deliveries: string[] | null;
  readonly runs: string[] | null;
  readonly publications: string[] | null;
}

/** Waits until nothing is on its way any more: what a test then does not see will not come. The record says so, so nobody has to guess a time. */
export async function settleDatabase(github: GithubServer, database: TestDatabase, log: () => string): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    await github.settled();
    const seen = github.deliveries.length;
    const unfinished = await readUnfinished(database);
    const open = Object.values(unfinished).flatMap((list) => list ?? []);
    if (open.length === 0 && github.deliveries.length === seen) return;
    if (performance.now() > deadline) {
      throw new Error(`still unfinished after ${TIMEOUT_MS} ms: ${JSON.stringify(unfinished)}\n${log().slice(-6_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

async function readUnfinished({ db }: TestDatabase): Promise<Unfinished> {
  const { rows } = await sql<Unfinished>`select
    (select array_agg(event || ' ' || id) from deliveries where state = 'received') as deliveries,
    (select array_agg(operation || ' ' || state || ' ' || id) from runs where state in ('queued', 'claimed', 'running')) as runs,
    (select array_agg(id) from pull_requests where publish_wanted > publish_done or publish_lease_until > now()) as publications
  `.execute(db);
  return rows[0] ?? { deliveries: null, runs: null, publications: null };
}
