import { ConnectionClosedError } from 'bullmq';
import { isUnreachable } from '../../lib/is-unreachable.ts';
import type { Logger } from '../../ports/logger.ts';

/** Says once when the backend goes away and once when it is back, whatever number of operations meet the outage. */
export interface OutageLog {
  failed(error: unknown): void;
  recovered(): void;
  /** Connections may still break while everything is closed, which is nobody's concern. */
  close(): void;
}

/** A backend that comes back refuses some and serves others for a moment. */
const CALM_MS = 1_000;

export function outageLog(logger: Logger): OutageLog {
  let since: number | undefined;
  let calm: NodeJS.Timeout | undefined;
  let closed = false;
  const end = (start: number, at: number) => {
    since = undefined;
    calm = undefined;
    logger.info({ outageMs: at - start }, 'the queue is back');
  };
  return {
    failed: (error) => {
      clearTimeout(calm);
      calm = undefined;
      if (since !== undefined || closed) return;
      since = Date.now();
      // Not the error itself: pg hangs the whole connection on it.
      logger.warn(
        { reason: error instanceof Error ? error.message : String(error) },
        'the queue cannot be reached; jobs wait until it is back',
      );
    },
    recovered: () => {
      if (since === undefined || calm !== undefined) return;
      calm = setTimeout(end, CALM_MS, since, Date.now());
      calm.unref();
    },
    close: () => {
      closed = true;
      clearTimeout(calm);
    },
  };
}

/** Whether the error tells of a backend that cannot be reached, rather than of a refused operation. */
export function isOutage(error: unknown): boolean {
  return error instanceof ConnectionClosedError || isUnreachable(error);
}
