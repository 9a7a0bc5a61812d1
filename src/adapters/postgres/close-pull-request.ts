import type { Transaction } from 'kysely';
import { audit } from './audit.ts';
import { type HandOver, releaseLocks } from './locks.ts';
import type { Database } from './schema.ts';

const NOTHING: HandOver = { pullRequestIds: [], deliveries: [] };

/** Discards the plans of a pull request, or those of some projects; the sealed files go at once. */
export async function discardPlans(
  trx: Transaction<Database>,
  pullRequestId: string,
  projectKeys?: readonly string[],
): Promise<void> {
  let query = trx
    .updateTable('plans')
    .set({ state: 'discarded', artifact: null, plan_text: null })
    .where('pull_request_id', '=', pullRequestId)
    .where('state', '=', 'current');
  if (projectKeys !== undefined) query = query.where('project_key', 'in', [...projectKeys]);
  await query.execute();
}

/** Gives back every lock of the pull request, what it waits for, and its plans. */
export async function releaseEverything(
  trx: Transaction<Database>,
  pull: { readonly id: string; readonly number: number },
  actor: string,
): Promise<HandOver> {
  await trx.deleteFrom('lock_waits').where('pull_request_id', '=', pull.id).execute();
  await discardPlans(trx, pull.id);
  const locks = await trx
    .selectFrom('project_locks')
    .select('project_key')
    .where('pull_request_id', '=', pull.id)
    .execute();
  return releaseLocks(
    trx,
    pull,
    locks.map((lock) => lock.project_key),
    actor,
  );
}

/**
 * A closed pull request gives everything back, but not while a run of it is open: the last one to end does it then.
 */
export async function cleanUpWhenIdle(
  trx: Transaction<Database>,
  pull: { readonly id: string; readonly number: number },
  actor: string,
): Promise<HandOver> {
  const open = await trx
    .selectFrom('runs')
    .select('id')
    .where('pull_request_id', '=', pull.id)
    .where('state', 'in', ['queued', 'claimed', 'running'])
    .executeTakeFirst();
  if (open !== undefined) {
    await trx.updateTable('pull_requests').set({ cleanup_pending: true }).where('id', '=', pull.id).execute();
    return NOTHING;
  }
  await trx.updateTable('pull_requests').set({ cleanup_pending: false }).where('id', '=', pull.id).execute();
  await audit(trx, [{ actor, subject: `pull:${pull.id}`, event: 'cleaned_up' }]);
  return releaseEverything(trx, pull, actor);
}
