import { type Kysely, sql } from 'kysely';

/** Why a plan is never applied was kept among what explains how a run ended. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`update runs set result = (result - 'explanation') || jsonb_build_object('applyRefusal', result->'explanation')
    where result->>'kind' = 'planned' and result ? 'explanation'`.execute(db);
}
