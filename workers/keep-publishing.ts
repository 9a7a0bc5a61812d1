import type { PublishLease } from '../src/ports/publication-store.ts';
import type { WorkerContext } from './context.ts';

/** A publisher that gave no sign of life for this long is replaced, milliseconds. */
export const PUBLISH_LEASE_MS = 60_000;
const RENEW_EVERY_MS = 2_000;

/** The pull request was given to another publisher: what is left to do is that one's. */
export class PublishingLostError extends Error {
  constructor() {
    super('another publisher has this pull request');
    this.name = 'PublishingLostError';
  }
}

export interface PublishKeeper {
  /** To be called before the host is asked to change something. Throws PublishingLostError. */
  check(): void;
  stop(): void;
}

/** Keeps a pull request with its publisher for as long as the host makes it wait. */
export function keepPublishing(context: WorkerContext, lease: PublishLease): PublishKeeper {
  let lost = false;
  let renewing = false;
  let renewedAt = performance.now();
  const renew = async (): Promise<void> => {
    renewing = true;
    const askedAt = performance.now();
    try {
      if (await context.publications.renew(lease, PUBLISH_LEASE_MS)) renewedAt = askedAt;
      else lost = true;
    } catch (error) {
      context.logger.warn({ pull: lease.pullRequestId, error }, 'the lease on a pull request could not be renewed');
    } finally {
      renewing = false;
    }
  };
  const timer = setInterval(() => {
    if (!renewing) void renew();
  }, RENEW_EVERY_MS);
  return {
    check: () => {
      if (lost || performance.now() - renewedAt > PUBLISH_LEASE_MS / 2) throw new PublishingLostError();
    },
    stop: () => clearInterval(timer),
  };
}
