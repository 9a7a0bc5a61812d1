import { type Kysely, sql } from 'kysely';
import type { DriftEvent } from '../../core/drift/notifications.ts';
import type { NotificationPayload } from '../../core/drift/receivers.ts';
import type { NotificationRecord, NotificationStore, PendingNotification } from '../../ports/notification-store.ts';
import type { Database } from './schema.ts';

export function createNotificationStore(db: Kysely<Database>): NotificationStore {
  return { ...outbox(db), ...log(db) };
}

type OutboxCalls = 'listDueReceivers' | 'claim' | 'saveSent' | 'retry' | 'giveUp' | 'release';

function outbox(db: Kysely<Database>): Pick<NotificationStore, OutboxCalls> {
  const wanted = (ids: readonly string[]) =>
    db
      .updateTable('notifications')
      .where('id', 'in', [...ids])
      .where('state', '=', 'wanted');
  return {
    listDueReceivers: async () => {
      const rows = await db
        .selectFrom('notifications')
        .select('receiver')
        .distinct()
        .where('state', '=', 'wanted')
        .where('due_at', '<=', sql<Date>`clock_timestamp()`)
        .execute();
      return rows.map((row) => row.receiver);
    },
    claim: (receiver, limit, holdMs) => claim(db, receiver, limit, holdMs),
    saveSent: async (id) => {
      await wanted([id]).set({ state: 'sent', sent_at: sql<Date>`clock_timestamp()`, error: null }).execute();
    },
    retry: async (id, error, afterMs) => {
      await wanted([id])
        .set({ error, due_at: later(afterMs) })
        .execute();
    },
    giveUp: async (id, error) => {
      await wanted([id]).set({ state: 'given_up', error }).execute();
    },
    release: async (ids, afterMs) => {
      if (ids.length === 0) return;
      await wanted(ids)
        .set({ due_at: later(afterMs), attempts: sql<number>`attempts - 1` })
        .execute();
    },
  };
}

function later(ms: number) {
  return sql<Date>`clock_timestamp() + ${ms} * interval '1 millisecond'`;
}

/** Only the first that is left of each project, so that one who is told of an end has been told of the beginning. */
async function claim(
  db: Kysely<Database>,
  receiver: string,
  limit: number,
  holdMs: number,
): Promise<readonly PendingNotification[]> {
  const { rows } = await sql<{ id: string; payload: NotificationPayload; created_at: Date; attempts: number }>`
    update notifications set due_at = ${later(holdMs)}, attempts = attempts + 1
    where id in (
      select n.id from notifications n
      where n.receiver = ${receiver} and n.state = 'wanted' and n.due_at <= clock_timestamp() and not exists (
        select from notifications e
        where e.receiver = n.receiver and e.project_key = n.project_key and e.state = 'wanted'
          and (e.created_at, e.id) < (n.created_at, n.id))
      order by n.created_at, n.id limit ${limit} for update of n skip locked)
    returning id, payload, created_at, attempts`.execute(db);
  return rows
    .toSorted((a, b) => a.created_at.getTime() - b.created_at.getTime() || (a.id < b.id ? -1 : 1))
    .map(({ id, payload, created_at, attempts }) => ({ id, payload, createdAt: created_at, attempts }));
}

function log(db: Kysely<Database>): Pick<NotificationStore, 'list' | 'countByState'> {
  return {
    list: async ({ state, limit, after }) => {
      let query = db
        .selectFrom('notifications')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit);
      if (state !== undefined) query = query.where('state', '=', state);
      if (after !== undefined) {
        query = query.where(
          sql<boolean>`(created_at, id) < (select a.created_at, a.id from notifications a where a.id = ${after})`,
        );
      }
      return (await query.execute()).map((row) => ({
        id: row.id,
        receiver: row.receiver,
        event: row.event as DriftEvent,
        payload: row.payload as NotificationPayload,
        state: row.state,
        attempts: row.attempts,
        dueAt: row.due_at,
        error: row.error ?? undefined,
        createdAt: row.created_at,
        sentAt: row.sent_at ?? undefined,
      }));
    },
    countByState: async () => {
      const rows = await db
        .selectFrom('notifications')
        .select(['state', sql<number>`count(*)::int`.as('count')])
        .groupBy('state')
        .execute();
      const counts = new Map<NotificationRecord['state'], number>(rows.map(({ state, count }) => [state, count]));
      return {
        wanted: counts.get('wanted') ?? 0,
        sent: counts.get('sent') ?? 0,
        given_up: counts.get('given_up') ?? 0,
      };
    },
  };
}
