import { setTimeout as delay } from 'node:timers/promises';
import { HostUnavailableError } from '../src/core/host-error.ts';
import { RetryLaterError } from '../src/ports/job-queue.ts';
import type { Logger } from '../src/ports/logger.ts';
import { MirrorError } from '../src/ports/repository-mirror.ts';

/** A run keeps its place this long while what it has to ask is away, milliseconds; after that somebody else may have the place. */
const PATIENCE_MS = 10 * 60_000;
const SHORTEST_PAUSE_MS = 1_000;
/** Where nobody says when it is worth asking again, milliseconds. */
const PAUSE_MS = 5_000;

export interface Patience {
  readonly logger: Logger;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
  readonly patienceMs?: number;
}

/**
 * Asks the VCS host or its git server, and again when it was away for a moment: a run is decided once, and a hiccup must not be its end.
 * `work` is told how often it was tried before. Throws what the last attempt threw.
 */
export async function patiently<T>(
  { logger, signal, now, patienceMs = PATIENCE_MS }: Patience,
  work: (attempt: number) => Promise<T>,
): Promise<T> {
  const deadline = now().getTime() + patienceMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      const at = retryAt(error, now());
      if (at === undefined || at.getTime() > deadline || signal.aborted) throw error;
      logger.warn({ error, again: at }, 'what this run has to ask is away for the moment; it waits');
      const pause = Math.max(SHORTEST_PAUSE_MS, at.getTime() - now().getTime());
      await delay(pause, undefined, { signal }).catch(() => Promise.reject(error));
    }
  }
}

/** undefined: asking again would not help. */
function retryAt(error: unknown, now: Date): Date | undefined {
  if (error instanceof HostUnavailableError || error instanceof RetryLaterError) return error.retryAt;
  if (error instanceof MirrorError && error.kind !== 'refused' && error.kind !== 'failed') {
    return new Date(now.getTime() + PAUSE_MS);
  }
  return undefined;
}
