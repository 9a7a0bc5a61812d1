import { HostRefusedError } from '../src/core/host-error.ts';
import type { PullRequestRecord, PullRequestState } from '../src/core/record.ts';
import { servesBranch } from '../src/core/resolve-rules.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import { seeTo } from './handle-pull-request.ts';
import type { RunContext } from './run-context.ts';
import { isAllowed, refreshPullRequest } from './open-pull-request.ts';
import { repositoryName, rulesOf } from './gather-pull-request.ts';

/** A pull request that nothing was heard of for this long is compared with the host, milliseconds. */
const RECONCILE_AFTER_MS = 10 * 60_000;
const RECONCILED_AT_ONCE = 50;
/** GitHub keeps failed deliveries for three days; https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries */
const REDELIVERY_WINDOW_MS = 3 * 24 * 3600_000;

/** What time takes: retention, pull requests whose end nobody told us of, deliveries that never arrived. */
export async function cleanupJob(context: RunContext): Promise<void> {
  await prune(context);
  for (const host of context.hosts.values()) await redeliverFailed(context, host);
  await reconcile(context);
}

async function prune({ config, now, retention, mirror, logger }: RunContext): Promise<void> {
  const before = (ms: number): Date => new Date(now().getTime() - ms);
  const kept = config.retention;
  const removed = {
    logs: await retention.prune('logs', before(kept.logsMs)),
    plans: await retention.prune('plans', before(kept.plansMs)),
    deliveries: await retention.prune('deliveries', before(kept.deliveriesMs)),
    runs: await retention.prune('runs', before(kept.runsMs)),
    audit: await retention.prune('audit', before(kept.auditMs)),
    mirrors: await mirror.prune(before(kept.mirrorsMs)),
  };
  if (Object.values(removed).some((count) => count > 0)) logger.info(removed, 'retention removed what was due');
}

/** The host gave up on these; each is asked for again unless it has come meanwhile. */
async function redeliverFailed(context: RunContext, host: VcsHost): Promise<void> {
  try {
    const since = new Date(context.now().getTime() - REDELIVERY_WINDOW_MS);
    const failed = await host.listFailedDeliveries(since);
    const known = await context.deliveries.findKnown(
      host.host,
      failed.map(({ id }) => id),
    );
    for (const { id, hostId } of failed) if (!known.has(id)) await host.redeliver(hostId);
  } catch (error) {
    context.logger.warn({ host: host.host, error }, 'failed deliveries could not be asked for');
  }
}

/** A lost webhook must not leave a lock behind, nor a new commit unplanned. */
async function reconcile(context: RunContext): Promise<void> {
  const seenBefore = new Date(context.now().getTime() - RECONCILE_AFTER_MS);
  const stale = await context.pulls.listSeenBefore(seenBefore, RECONCILED_AT_ONCE);
  for (const known of stale) {
    // Whatever comes of it: one that cannot be compared must not stand in the way of the others.
    await context.pulls.markSeen(known.id);
    const host = context.hosts.get(known.repository.host);
    if (host === undefined || !isAllowed(context, repositoryName(known.repository))) continue;
    try {
      await reconcileOne(context, host, known);
    } catch (error) {
      context.logger.warn({ pull: known.id, error }, 'a pull request could not be compared with its host');
    }
  }
}

async function reconcileOne(context: RunContext, host: VcsHost, known: PullRequestRecord): Promise<void> {
  const pull = await refresh(context, host, known);
  if (pull === undefined) return;
  const state = await context.runs.readState(pull.id);
  if (state === undefined || isSeenTo(context, pull, state)) return;
  await seeTo(context, host, pull, pull.author);
}

/** The record may know of a new commit or of the end though nothing was done about it: many things read the facts again. */
function isSeenTo(
  context: RunContext,
  pull: PullRequestRecord,
  { planBatch, plans, locks }: PullRequestState,
): boolean {
  if (pull.state === 'open' && servesBranch(rulesOf(context, pull.repository), pull.baseRef))
    return planBatch?.headSha === pull.headSha;
  return plans.length === 0 && locks.every((lock) => lock.pullRequestId !== pull.id);
}

/** A repository that is gone or not ours to see any more closes its pull requests. */
async function refresh(
  context: RunContext,
  host: VcsHost,
  known: PullRequestRecord,
): Promise<PullRequestRecord | undefined> {
  try {
    return await refreshPullRequest(context, host, await host.getRepository(known.repository), known.number);
  } catch (error) {
    if (!(error instanceof HostRefusedError) || error.status !== 404) throw error;
    context.logger.warn({ pull: known.id }, 'the pull request is gone from its host; its locks are given back');
    return context.pulls.save({ ...known, state: 'closed' });
  }
}
