import { type Kysely, sql } from 'kysely';
import type { CounterName, CounterStore } from '../../ports/counter-store.ts';
import type { Database } from './schema.ts';

export function createCounterStore(db: Kysely<Database>): CounterStore {
  return {
    add: (name, label, by) => addToCounter(db, name, label, by),
    read: async () => {
      const rows = await db.selectFrom('counters').selectAll().orderBy('name').orderBy('label').execute();
      return rows.map(({ name, label, value }) => ({ name: name as CounterName, label, value: Number(value) }));
    },
  };
}

/** In a transaction it comes last: until that ends, everybody else who counts the same waits. */
export async function addToCounter(db: Kysely<Database>, name: CounterName, label: string, by: number): Promise<void> {
  if (by === 0) return;
  await sql`
    insert into counters (name, label, value) values (${name}, ${label}, ${by})
    on conflict (name, label) do update set value = counters.value + excluded.value`.execute(db);
}
