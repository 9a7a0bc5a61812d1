import { sql } from 'kysely';
import { inspectMigrations } from '../../adapters/postgres/migrate.ts';
import { type Finding, good, note, problem } from './finding.ts';
import type { OpenedDatabase } from './open-database.ts';

const KINDS: Readonly<Record<OpenedDatabase['kind'], string>> = {
  external: '',
  embedded: ', embedded',
  running: ', embedded in the Holdfast that is running',
  new: ', embedded; it can be started, and is made at the first start',
};

/** Whether it answers, is new enough, and fits this program. */
export async function checkDatabase({ db, kind }: OpenedDatabase): Promise<readonly Finding[]> {
  const answer = await sql<{ version: string; mayCreate: boolean }>`
    select current_setting('server_version') as version,
      has_database_privilege(current_database(), 'create') as "mayCreate"`.execute(db);
  const { version = '?', mayCreate = false } = answer.rows[0] ?? {};
  const findings = [good(`database: PostgreSQL ${version}${KINDS[kind]}`)];
  if (kind === 'new') return findings;
  const { unknown, pending, made } = await inspectMigrations(db);
  if (unknown.length > 0) {
    const text = `the database was made by a newer Holdfast (${unknown.join(', ')})`;
    return [...findings, problem(text, 'Start the newer Holdfast, or restore the database from before the upgrade.')];
  }
  if (!made && !mayCreate) {
    const mend = 'grant create on database ... to ...;';
    return [
      ...findings,
      problem('the database user may not create the schemas that Holdfast keeps its tables in', mend),
    ];
  }
  if (pending.length > 0 && made)
    findings.push(note(`${pending.length} migrations are due; the next start makes them`));
  if (!made) findings.push(note('the database is empty; the first start makes the tables'));
  return findings;
}
