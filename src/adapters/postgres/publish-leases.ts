import { type Kysely, sql } from 'kysely';
import type { PublishLeases } from '../../ports/publish-lease.ts';
import { findDeadPublishers } from './dead-leases.ts';
import { expiry } from './leases.ts';
import type { Database } from './schema.ts';

/** A table whose rows have one publisher at a time, by its columns `publish_lease_*`. */
export interface PublishedTable {
  readonly name: 'pull_requests' | 'tracked_branches';
  readonly id: 'id' | 'repository_id';
  /** Columns that count what was wanted, and up to where that was done. */
  readonly wanted: 'publish_wanted' | 'report_wanted';
  readonly done: 'publish_done' | 'report_done';
  /** When what is left is due; null: now. */
  readonly due: 'publish_due' | 'report_due';
}

export const PULL_REQUESTS: PublishedTable = {
  name: 'pull_requests',
  id: 'id',
  wanted: 'publish_wanted',
  done: 'publish_done',
  due: 'publish_due',
};

export const REPORTS: PublishedTable = {
  name: 'tracked_branches',
  id: 'repository_id',
  wanted: 'report_wanted',
  done: 'report_done',
  due: 'report_due',
};

export interface TakenLease {
  readonly token: string;
  readonly wanted: number;
  readonly done: number;
  /** By the clock of the record. */
  readonly at: Date;
}

/** undefined: another has it, or nothing is to be done. */
export async function takePublishLease(
  db: Kysely<Database>,
  { name, id: idColumn, wanted, done }: PublishedTable,
  id: string,
  worker: { readonly id: string; readonly leaseMs: number },
): Promise<TakenLease | undefined> {
  const { rows } = await sql<TakenLease>`
    update ${sql.table(name)} set publish_lease_owner = ${worker.id}, publish_lease_token = nextval('lease_tokens'),
      publish_lease_renewed_at = clock_timestamp(), publish_lease_until = ${expiry(worker.leaseMs)}
    where ${sql.ref(idColumn)} = ${id} and ${sql.ref(wanted)} > ${sql.ref(done)}
      and (publish_lease_until is null or publish_lease_until < clock_timestamp())
    returning publish_lease_token::text as token, ${sql.ref(wanted)} as wanted, ${sql.ref(done)} as done,
      publish_lease_renewed_at as at`.execute(db);
  return rows[0];
}

export function publishLeases<Id extends string>(
  db: Kysely<Database>,
  { name, id, wanted, done, due }: PublishedTable,
): PublishLeases<Id> {
  const table = sql.table(name);
  return {
    renew: async (lease, leaseMs) => {
      const result = await sql`
        update ${table} set publish_lease_renewed_at = clock_timestamp(), publish_lease_until = ${expiry(leaseMs)}
        where ${sql.ref(id)} = ${lease.id} and publish_lease_token = ${lease.token}`.execute(db);
      return result.numAffectedRows === 1n;
    },
    close: async (lease, version) => {
      await sql`
        update ${table} set ${GIVE_FREE}, ${sql.ref(done)} = coalesce(${version ?? null}::integer, ${sql.ref(done)})
        where ${sql.ref(id)} = ${lease.id} and publish_lease_token = ${lease.token}`.execute(db);
    },
    putOff: async (lease, version, dueInMs) => {
      const at = sql`case when ${sql.ref(wanted)} > ${version} then null else ${expiry(dueInMs)} end`;
      await sql`
        update ${table} set ${GIVE_FREE}, ${sql.ref(due)} = ${at}
        where ${sql.ref(id)} = ${lease.id} and publish_lease_token = ${lease.token}`.execute(db);
    },
    recover: async (isDeadOwner) => {
      const freed: Id[] = [];
      for (const dead of await findDeadPublishers(db, { name, id }, isDeadOwner)) {
        const result = await sql`
          update ${table} set ${GIVE_FREE}
          where ${sql.ref(id)} = ${dead.id} and publish_lease_token = ${dead.token}
            and publish_lease_renewed_at is not distinct from ${dead.renewedAt}::timestamptz`.execute(db);
        if (result.numAffectedRows === 1n) freed.push(dead.id as Id);
      }
      return freed;
    },
    isWantedSince: async (one, version) => {
      const { rows } = await sql`
        select 1 from ${table} where ${sql.ref(id)} = ${one} and ${sql.ref(wanted)} > ${version}`.execute(db);
      return rows.length > 0;
    },
  };
}

const GIVE_FREE = sql`publish_lease_owner = null, publish_lease_token = null, publish_lease_until = null`;
