import type { Logger } from '../src/ports/logger.ts';
import type { PublishLease, PublishLeases } from '../src/ports/publish-lease.ts';

/** A publisher that gave no sign of life for this long is replaced, milliseconds. */
export const PUBLISH_LEASE_MS = 60_000;
const RENEW_EVERY_MS = 2_000;

/** It was given to another publisher: what is left to do is that one's. */
export class PublishingLostError extends Error {
  constructor() {
    super('another publisher has this now');
    this.name = 'PublishingLostError';
  }
}

export interface PublishKeeper {
  /** To be called before the host is asked to change something. Throws PublishingLostError. */
  check(): void;
  stop(): void;
}

/** Keeps a pull request, or a repository's reports, with its publisher for as long as the host makes it wait. */
export function keepPublishing<Id extends string>(
  { store, logger }: { readonly store: Pick<PublishLeases<Id>, 'renew'>; readonly logger: Logger },
  lease: PublishLease<Id>,
): PublishKeeper {
  let lost = false;
  let renewing = false;
  let renewedAt = performance.now();
  const renew = async (): Promise<void> => {
    renewing = true;
    const askedAt = performance.now();
    try {
      if (await store.renew(lease, PUBLISH_LEASE_MS)) renewedAt = askedAt;
      else lost = true;
    } catch (error) {
      logger.warn({ publishing: lease.id, error }, 'the lease of a publisher could not be renewed');
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
