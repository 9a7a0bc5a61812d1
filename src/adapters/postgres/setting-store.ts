import type { Kysely } from 'kysely';
import type { Seal } from '../../lib/seal.ts';
import type { Database } from './schema.ts';

/** Single secret values of the installation. */
export interface SettingStore {
  /**
   * Keeps the value unless there is one; answers with what is kept, which stays sealed with the key it was first sealed with. Throws
   * UnsealError when that is not at hand.
   */
  ensure(key: string, value: string | Uint8Array): Promise<Buffer>;
  /** The same, and what is kept is sealed anew with the present key. */
  ensureSealedAnew(key: string, value: string | Uint8Array): Promise<Buffer>;
}

export function createSettingStore(db: Kysely<Database>, seal: Seal): SettingStore {
  const sealed = (key: string, value: string | Uint8Array) => seal.seal(value, key).toString('base64');
  const ensure = async (key: string, value: string | Uint8Array): Promise<Buffer> => {
    await db
      .insertInto('settings')
      .values({ key, value: sealed(key, value) })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .execute();
    const row = await db.selectFrom('settings').select('value').where('key', '=', key).executeTakeFirstOrThrow();
    return seal.open(Buffer.from(row.value, 'base64'), key);
  };
  return {
    ensure,
    ensureSealedAnew: async (key, value) => {
      const kept = await ensure(key, value);
      await db
        .updateTable('settings')
        .set({ value: sealed(key, kept) })
        .where('key', '=', key)
        .execute();
      return kept;
    },
  };
}
