import { setTimeout as delay } from 'node:timers/promises';
import type { IQueueBackend } from 'bullmq';

const PAUSE_MS = 1_000;

/**
 * BullMQ's worker asks again at once, or after a tenth of a second, when fetching a job failed for a reason that it does not take for a lost
 * connection (a full Redis, a restarting PostgreSQL). The pause keeps an outage from becoming a busy loop.
 */
export function paceFetching<B extends IQueueBackend>(backend: B): B {
  const moveToActive = backend.moveToActive.bind(backend);
  const waitForJob = backend.waitForJob.bind(backend);
  backend.moveToActive = (...args) => pauseOnFailure(moveToActive(...args));
  backend.waitForJob = (...args) => pauseOnFailure(waitForJob(...args));
  return backend;
}

async function pauseOnFailure<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    await delay(PAUSE_MS, undefined, { ref: false });
    throw error;
  }
}
