import { decideClose, type Trigger } from '../src/core/decide.ts';
import { HostRefusedError } from '../src/core/host-error.ts';
import type { PullRequestRecord } from '../src/core/record.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import { recordDecision } from './decide-pull-request.ts';
import { autoplan } from './handle-pull-request.ts';
import type { RunContext } from './run-context.ts';
import { isAllowed, refreshPullRequest } from './open-pull-request.ts';
import { repositoryName } from './gather-pull-request.ts';

/** An open pull request that nothing was heard of for this long is compared with the host, milliseconds. */
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

async function prune({ config, now, runs, pulls, deliveries, mirror, logger }: RunContext): Promise<void> {
  const before = (ms: number): Date => new Date(now().getTime() - ms);
  const { retention } = config;
  const logs = await runs.pruneOutput(before(retention.logsMs));
  const plans = await pulls.prunePlans(before(retention.plansMs));
  const handled = await deliveries.prune(before(retention.deliveriesMs));
  const mirrors = await mirror.prune(before(retention.mirrorsMs));
  if (logs + plans + handled + mirrors > 0)
    logger.info({ logs, plans, deliveries: handled, mirrors }, 'retention removed what was due');
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
  const stale = await context.pulls.listOpenSeenBefore(seenBefore, RECONCILED_AT_ONCE);
  for (const known of stale) {
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
  const trigger = (what: string): Trigger => ({
    kind: 'autoplan',
    key: `reconcile:${pull.id}:${what}`,
    actor: pull.author,
    commentId: undefined,
  });
  if (pull.state !== 'open') {
    await recordDecision(context, pull, (state) => decideClose(state, trigger(`${pull.state}:${pull.version}`)));
  } else if (pull.headSha !== known.headSha && !pull.draft && !(pull.fork && context.config.forks === 'off')) {
    await autoplan(context, host, pull, trigger(pull.headSha));
  }
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
