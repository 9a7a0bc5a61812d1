import type { WorkerContext } from './context.ts';
import { wake } from './wake.ts';

/** A delivery whose job is this late has lost it, milliseconds. */
const DELIVERY_LATE_MS = 15_000;
const BATCH = 200;

/** Finds again what a lost wake-up or a dead worker left behind. Everything it looks at stands in the record. */
export async function sweepJob(context: WorkerContext): Promise<void> {
  await wake(context, await context.runs.recover());
  const late = new Date(context.now().getTime() - DELIVERY_LATE_MS);
  const deliveries = await context.deliveries.listUnhandled(late, BATCH);
  const neglected = await context.runs.findNeglected();
  await wake(context, { ...neglected, deliveries });
}
