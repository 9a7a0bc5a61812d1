import { type Kysely, sql } from 'kysely';

/** The base branch that a plan was made for: retargeting a pull request changes neither its commits nor the digest of its inputs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['batches', 'plans'] as const) {
    const name = sql.table(table);
    await sql`alter table ${name} add column base_ref text`.execute(db);
    // What was planned before is taken to be for the branch that the pull request goes into now.
    await sql`update ${name} set base_ref = p.base_ref from pull_requests p where p.id = ${name}.pull_request_id`.execute(
      db,
    );
    await sql`alter table ${name} alter column base_ref set not null`.execute(db);
  }
}
