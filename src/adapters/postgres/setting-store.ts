import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

/** Single values of the installation. */
export interface SettingStore {
  /** Keeps the value unless there is one; answers with what is kept. */
  ensure(key: string, value: string): Promise<string>;
}

export function createSettingStore(db: Kysely<Database>): SettingStore {
  return {
    ensure: async (key, value) => {
      await db
        .insertInto('settings')
        .values({ key, value })
        .onConflict((conflict) => conflict.column('key').doNothing())
        .execute();
      const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirstOrThrow();
      return row.value;
    },
  };
}
