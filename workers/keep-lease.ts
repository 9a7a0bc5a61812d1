import type { ClaimedRun } from '../src/ports/run-store.ts';
import { LeaseLostError } from '../src/ports/run-store.ts';
import type { WorkerContext } from './context.ts';

/** A lease that is not renewed for this long is dead, milliseconds. */
export const LEASE_MS = 30_000;
/** Several renewals fit into one lease, so that one slow answer loses nothing. */
const RENEW_EVERY_MS = 2_000;
/** Before the lease runs out nothing of ours may still be running: the difference is the time to kill it. */
const STOP_BEFORE_MS = 8_000;

export type StopReason =
  | { readonly kind: 'cancel'; readonly reason: string }
  | { readonly kind: 'lease_lost' }
  | { readonly kind: 'shutdown' };

/** Keeps a run's lease alive, and says when the run has to stop. */
export interface LeaseKeeper {
  /** Aborted when the run is to stop; the reason is a StopReason. */
  readonly signal: AbortSignal;
  /** Asks at once whether to go on, before a step that cannot be taken back. */
  renewNow(): Promise<void>;
  stop(): void;
}

export function keepLease(context: WorkerContext, run: ClaimedRun, shutdown: AbortSignal): LeaseKeeper {
  const controller = new AbortController();
  const abort = (reason: StopReason): void => controller.abort(reason);
  let renewedAt = performance.now();
  let renewing = false;
  const renew = async (): Promise<void> => {
    renewing = true;
    const askedAt = performance.now();
    try {
      const { cancel } = await context.runs.renew(run.lease, LEASE_MS);
      renewedAt = askedAt;
      if (cancel !== undefined) abort({ kind: 'cancel', reason: cancel });
    } catch (error) {
      if (error instanceof LeaseLostError) abort({ kind: 'lease_lost' });
      else context.logger.warn({ run: run.id, error }, 'the lease could not be renewed');
    } finally {
      renewing = false;
    }
  };
  const timer = setInterval(() => {
    if (performance.now() - renewedAt > LEASE_MS - STOP_BEFORE_MS) abort({ kind: 'lease_lost' });
    else if (!renewing) void renew();
  }, RENEW_EVERY_MS);
  const onShutdown = (): void => abort({ kind: 'shutdown' });
  if (shutdown.aborted) onShutdown();
  else shutdown.addEventListener('abort', onShutdown, { once: true });
  return {
    signal: controller.signal,
    renewNow: renew,
    stop: () => {
      clearInterval(timer);
      shutdown.removeEventListener('abort', onShutdown);
    },
  };
}

export function stopReason(signal: AbortSignal): StopReason | undefined {
  return signal.aborted ? (signal.reason as StopReason) : undefined;
}
