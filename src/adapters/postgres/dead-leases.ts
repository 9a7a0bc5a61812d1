import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { PublishedTable } from './publish-leases.ts';
import type { Database } from './schema.ts';
import { readPresentWorkers, SERVER_IS_SETTLED, SILENCE_MS } from './worker-presence.ts';

/** A lease whose worker is dead, as it was seen. */
export interface DeadLease {
  readonly id: string;
  readonly token: string;
  /** As text: a Date would lose the microseconds by which a renewal is told. */
  readonly renewedAt: string | null;
}

interface LeaseRow extends DeadLease {
  readonly owner: string | null;
  readonly expired: boolean;
  readonly silent: boolean;
  readonly settled: boolean;
}

export type IsDeadOwner = (owner: string) => boolean;

/** Active runs whose worker is dead. */
export function findDeadRuns(db: Kysely<Database>, isDeadOwner?: IsDeadOwner): Promise<readonly DeadLease[]> {
  return findDead(
    db,
    sql<LeaseRow>`
      select id, lease_token as token, lease_owner as owner, lease_renewed_at::text as "renewedAt",
        coalesce(lease_expires_at < clock_timestamp(), true) as expired, ${silent('lease_renewed_at')} as silent,
        ${SERVER_IS_SETTLED} as settled
      from runs where state in ('claimed', 'running')`,
    isDeadOwner,
  );
}

/** Whatever has a publisher that is dead. */
export function findDeadPublishers(
  db: Kysely<Database>,
  { name, id }: Pick<PublishedTable, 'name' | 'id'>,
  isDeadOwner?: IsDeadOwner,
): Promise<readonly DeadLease[]> {
  return findDead(
    db,
    sql<LeaseRow>`
      select ${sql.ref(id)} as id, publish_lease_token as token, publish_lease_owner as owner,
        publish_lease_renewed_at::text as "renewedAt",
        coalesce(publish_lease_until < clock_timestamp(), true) as expired, ${silent('publish_lease_renewed_at')} as silent,
        ${SERVER_IS_SETTLED} as settled
      from ${sql.table(name)} where publish_lease_owner is not null`,
    isDeadOwner,
  );
}

function silent(column: 'lease_renewed_at' | 'publish_lease_renewed_at') {
  return sql`coalesce(${sql.ref(column)} < clock_timestamp() - make_interval(secs => ${SILENCE_MS / 1000}), true)`;
}

/**
 * Dead is who is known to be, whose lease ran out, and who neither holds its session nor has said anything for a while. Right after a
 * restart of the server nobody has had the chance to renew, so then only what is known for certain counts.
 */
async function findDead(
  db: Kysely<Database>,
  query: RawBuilder<LeaseRow>,
  isDeadOwner: IsDeadOwner | undefined,
): Promise<readonly DeadLease[]> {
  const { rows } = await query.execute(db);
  if (rows.length === 0) return [];
  const isPresent = await readPresentWorkers(db);
  return rows.filter(({ owner, expired, silent: isSilent, settled }) => {
    if (owner !== null && isDeadOwner?.(owner) === true) return true;
    return settled && (expired || (isSilent && owner !== null && !isPresent(owner)));
  });
}
