import { type Kysely, sql } from 'kysely';
import type { DeliveryStore } from '../../ports/delivery-store.ts';
import type { Database } from './schema.ts';

export function createDeliveryStore(db: Kysely<Database>): DeliveryStore {
  return {
    receive: async (delivery) => {
      const result = await db
        .insertInto('deliveries')
        .values({
          host: delivery.host,
          id: delivery.id,
          event: delivery.event,
          action: delivery.action ?? null,
          repository: delivery.repository ?? null,
          payload: delivery.payload,
          state: 'received',
          error: null,
        })
        .onConflict((conflict) =>
          conflict
            .columns(['host', 'id'])
            .doUpdateSet({ state: 'received', error: null, received_at: sql`now()` })
            .where('deliveries.state', '=', 'failed'),
        )
        .executeTakeFirst();
      return Number(result.numInsertedOrUpdatedRows) > 0 ? 'stored' : 'repeated';
    },
    find: async (host, id) => {
      const row = await db
        .selectFrom('deliveries')
        .selectAll()
        .where('host', '=', host)
        .where('id', '=', id)
        .executeTakeFirst();
      return (
        row && {
          ...row,
          action: row.action ?? undefined,
          repository: row.repository ?? undefined,
          receivedAt: row.received_at,
        }
      );
    },
    markHandled: async (host, id) => {
      await db
        .updateTable('deliveries')
        .set({ state: 'handled', handled_at: sql`now()`, error: null })
        .where('host', '=', host)
        .where('id', '=', id)
        .execute();
    },
    markFailed: async (host, id, error, final) => {
      await db
        .updateTable('deliveries')
        .set({ attempts: sql`attempts + 1`, error, ...(final ? { state: 'failed' as const } : {}) })
        .where('host', '=', host)
        .where('id', '=', id)
        .where('state', '<>', 'handled')
        .execute();
    },
    listUnhandled: (receivedBefore, limit) =>
      db
        .selectFrom('deliveries')
        .select(['host', 'id'])
        .where('state', '=', 'received')
        .where('received_at', '<', receivedBefore)
        .orderBy('received_at')
        .limit(limit)
        .execute(),
    findLatest: async (host) => {
      const row = await db
        .selectFrom('deliveries')
        .select((eb) => eb.fn.max('received_at').as('at'))
        .where('host', '=', host)
        .executeTakeFirst();
      return row?.at ?? undefined;
    },
    findKnown: async (host, ids) => {
      if (ids.length === 0) return new Set();
      const rows = await db
        .selectFrom('deliveries')
        .select('id')
        .where('host', '=', host)
        .where('id', 'in', [...ids])
        .where('state', '<>', 'failed')
        .execute();
      return new Set(rows.map((row) => row.id));
    },
  };
}
