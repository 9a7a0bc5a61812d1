import { type Kysely, sql } from 'kysely';
import type { SessionStore } from '../../ports/session-store.ts';
import type { Database } from './schema.ts';

export function createSessionStore(db: Kysely<Database>): SessionStore {
  return {
    end: async (id, expiresAt) => {
      await db.deleteFrom('ended_sessions').where('expires_at', '<', sql<Date>`now()`).execute();
      await db
        .insertInto('ended_sessions')
        .values({ id, expires_at: expiresAt })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    isEnded: async (id) => {
      const row = await db.selectFrom('ended_sessions').select('id').where('id', '=', id).executeTakeFirst();
      return row !== undefined;
    },
  };
}
