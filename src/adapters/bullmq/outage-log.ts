import type { Logger } from '../../ports/logger.ts';

/** Says once when the backend goes away and once when it is back, whatever number of operations meet the outage. */
export interface OutageLog {
  failed(error: unknown): void;
  recovered(): void;
}

export function outageLog(logger: Logger): OutageLog {
  let since: number | undefined;
  return {
    failed: (error) => {
      if (since !== undefined) return;
      since = Date.now();
      logger.warn({ err: error }, 'the queue cannot be reached; jobs wait until it is back');
    },
    recovered: () => {
      if (since === undefined) return;
      logger.info({ outageMs: Date.now() - since }, 'the queue is back');
      since = undefined;
    },
  };
}
