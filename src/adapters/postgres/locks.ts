import { randomUUID } from 'node:crypto';
import { type Transaction, sql } from 'kysely';
import type { Project } from '../../core/project.ts';
import type { PullRequestId } from '../../core/record.ts';
import { OWN_DELIVERIES } from '../../ports/delivery-store.ts';
import { audit } from './audit.ts';
import { wantPublication } from './rows.ts';
import type { Database } from './schema.ts';

export interface LockClaim {
  readonly projectKey: string;
  readonly project: Pick<Project, 'dir' | 'workspace' | 'name'>;
}

export interface LockHolder {
  readonly repository_id: string;
  readonly id: string;
  readonly number: number;
}

/** Takes each lock for the pull request, or puts the pull request on the list of those that wait for it. Answers the keys it holds afterwards. */
export async function takeLocks(
  trx: Transaction<Database>,
  pull: LockHolder,
  actor: string,
  claims: readonly LockClaim[],
): Promise<ReadonlySet<string>> {
  const held = new Set<string>();
  for (const { projectKey, project } of claims.toSorted((a, b) => (a.projectKey < b.projectKey ? -1 : 1))) {
    const taken = await trx
      .insertInto('project_locks')
      .values({
        project_key: projectKey,
        repository_id: pull.repository_id,
        pull_request_id: pull.id,
        dir: project.dir,
        workspace: project.workspace,
        name: project.name ?? null,
        actor_login: actor,
      })
      .onConflict((conflict) => conflict.column('project_key').doNothing())
      .executeTakeFirst();
    if (Number(taken.numInsertedOrUpdatedRows) > 0) {
      held.add(projectKey);
      await audit(trx, [{ actor, subject: `lock:${projectKey}`, event: 'taken', detail: { pull: pull.number } }]);
      continue;
    }
    const holder = await trx
      .selectFrom('project_locks')
      .select('pull_request_id')
      .where('project_key', '=', projectKey)
      .executeTakeFirst();
    if (holder?.pull_request_id === pull.id) held.add(projectKey);
    else await waitForLock(trx, projectKey, pull.id);
  }
  return held;
}

async function waitForLock(trx: Transaction<Database>, projectKey: string, pullRequestId: string): Promise<void> {
  await trx
    .insertInto('lock_waits')
    .values({ project_key: projectKey, pull_request_id: pullRequestId })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export interface HandOver {
  readonly pullRequestIds: readonly PullRequestId[];
  readonly deliveries: readonly { readonly host: string; readonly id: string }[];
}

/**
 * Gives locks up. Each goes to the open pull request that has waited longest, which is re-planned: that is written as a
 * delivery of our own. Everybody else who waits is shown the new holder.
 */
export async function releaseLocks(
  trx: Transaction<Database>,
  from: { readonly id: string; readonly number: number },
  projectKeys: readonly string[],
  actor: string,
): Promise<HandOver> {
  const touched = new Set<PullRequestId>();
  const received = new Map<string, string[]>();
  for (const projectKey of [...projectKeys].toSorted()) {
    const lock = await trx
      .deleteFrom('project_locks')
      .where('project_key', '=', projectKey)
      .where('pull_request_id', '=', from.id)
      .returningAll()
      .executeTakeFirst();
    if (lock === undefined) continue;
    await audit(trx, [{ actor, subject: `lock:${projectKey}`, event: 'released', detail: { pull: from.number } }]);
    const waiters = await findWaiters(trx, projectKey);
    for (const { id } of waiters) touched.add(id as PullRequestId);
    const next = waiters[0];
    if (next === undefined) continue;
    await trx
      .insertInto('project_locks')
      .values({ ...lock, pull_request_id: next.id, taken_at: sql`now()`, actor_login: next.author })
      .execute();
    await trx
      .deleteFrom('lock_waits')
      .where('project_key', '=', projectKey)
      .where('pull_request_id', '=', next.id)
      .execute();
    await audit(trx, [
      { actor, subject: `lock:${projectKey}`, event: 'handed_over', detail: { from: from.id, to: next.id } },
    ]);
    received.set(next.id, [...(received.get(next.id) ?? []), projectKey]);
  }
  const deliveries = [];
  for (const [to, keys] of received) deliveries.push(await writeHandOver(trx, from.id, to, keys));
  await wantPublication(trx, [...touched]);
  return { pullRequestIds: [...touched], deliveries };
}

/** Open pull requests that wait for it, the one that has waited longest first; whoever gave it up is not who holds it. */
async function findWaiters(trx: Transaction<Database>, projectKey: string) {
  return trx
    .selectFrom('lock_waits')
    .innerJoin('pull_requests', 'pull_requests.id', 'lock_waits.pull_request_id')
    .select(['pull_requests.id', 'pull_requests.author_login as author'])
    .where('lock_waits.project_key', '=', projectKey)
    .where('pull_requests.state', '=', 'open')
    .orderBy('lock_waits.since')
    .execute();
}

async function writeHandOver(trx: Transaction<Database>, from: string, to: string, projectKeys: readonly string[]) {
  const id = randomUUID();
  await trx
    .insertInto('deliveries')
    .values({
      host: OWN_DELIVERIES,
      id,
      event: 'lock_received',
      action: null,
      repository: null,
      payload: JSON.stringify({ pullRequestId: to, fromPullRequestId: from, projectKeys }),
      state: 'received',
      error: null,
    })
    .execute();
  return { host: OWN_DELIVERIES, id };
}
