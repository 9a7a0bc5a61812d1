import type { WorkerContext } from './context.ts';
import { wake } from '../src/jobs/wake.ts';

/** A delivery whose job is this late has lost it, milliseconds. */
const DELIVERY_LATE_MS = 15_000;
/** Clocks of machines differ; by less than this, milliseconds. */
const ANY_CLOCK_MS = 24 * 3600_000;
const BATCH = 200;

/**
 * Finds again what a lost wake-up or a dead worker left behind. Everything it looks at stands in the record. At its start a worker
 * does not wait for a delivery to be late: whoever had it may have been killed a moment ago.
 */
export async function sweepJob(context: WorkerContext, { atStart = false } = {}): Promise<void> {
  const recovered = await context.runs.recover(context.isDeadOwner);
  const freed = await context.publications.recover(context.isDeadOwner);
  const unreported = await context.reports.recover(context.isDeadOwner);
  const late = context.now().getTime() + (atStart ? ANY_CLOCK_MS : -DELIVERY_LATE_MS);
  const deliveries = await context.deliveries.listUnhandled(new Date(late), BATCH);
  const neglected = await context.runs.findNeglected();
  const found = {
    runIds: [...new Set([...recovered.runIds, ...neglected.runIds])],
    pullRequestIds: [...new Set([...recovered.pullRequestIds, ...freed, ...neglected.pullRequestIds])],
    deliveries: [...recovered.deliveries, ...deliveries],
    repositoryIds: [...new Set([...unreported, ...(neglected.repositoryIds ?? [])])],
  };
  await wake(context, found, { report: 'now', anewBy: context.workerId });
}
