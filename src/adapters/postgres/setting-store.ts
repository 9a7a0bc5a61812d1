import type { Kysely } from 'kysely';
import type { Seal } from '../../lib/seal.ts';
import type { Database } from './schema.ts';

/** Single secret values of the installation. */
export interface SettingStore {
  /**
   * Keeps the value unless there is one; answers with what is kept. It is sealed anew with the present key, so that a former one is needed
   * no longer. Throws UnsealError when the key it was sealed with is not at hand.
   */
  ensure(key: string, value: string | Uint8Array): Promise<Buffer>;
}

export function createSettingStore(db: Kysely<Database>, seal: Seal): SettingStore {
  const sealed = (key: string, value: string | Uint8Array) => seal.seal(value, key).toString('base64');
  return {
    ensure: async (key, value) => {
      await db
        .insertInto('settings')
        .values({ key, value: sealed(key, value) })
        .onConflict((conflict) => conflict.column('key').doNothing())
        .execute();
      const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirstOrThrow();
      const kept = seal.open(Buffer.from(row.value, 'base64'), key);
      await db
        .updateTable('settings')
        .set({ value: sealed(key, kept) })
        .where('key', '=', key)
        .execute();
      return kept;
    },
  };
}
