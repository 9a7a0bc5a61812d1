import { ApiError } from './api-error.ts';

export interface LimitOptions {
  /** Primary limit, requests per hour and credential. */
  readonly requestsPerHour: number;
  /** Secondary limit: content-creating requests per minute and credential. */
  readonly contentPerMinute: number;
  readonly contentPerHour: number;
}

export const GITHUB_LIMITS: LimitOptions = { requestsPerHour: 5_000, contentPerMinute: 80, contentPerHour: 500 };

interface Bucket {
  used: number;
  readonly resetAt: number;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Primary and secondary limits per credential, as headers and refusals. */
export class Limits {
  options: LimitOptions;
  readonly #buckets = new Map<string, Bucket>();
  readonly #content = new Map<string, number[]>();
  readonly #blocked = new Map<string, { until: number; retryAfter: boolean }>();

  constructor(options: LimitOptions) {
    this.options = options;
  }

  /** From now on every request is refused as over the secondary limit, for so long; without the header when told so. */
  block(seconds: number, retryAfter = true): void {
    this.#blocked.set('*', { until: Date.now() + seconds * 1000, retryAfter });
  }

  unblock(): void {
    this.#blocked.clear();
  }

  /** Counts a request; returns the headers of its answer. Refuses when the hour is used up. */
  spend(key: string, resource: string): Record<string, string> {
    const bucket = this.#bucket(key, resource);
    if (bucket.used >= this.options.requestsPerHour) {
      throw new ApiError(403, `API rate limit exceeded for ${key}.`, { headers: this.headers(key, resource) });
    }
    bucket.used += 1;
    return this.headers(key, resource);
  }

  /** A 304 to an authorised caller is not counted. */
  refund(key: string, resource: string): Record<string, string> {
    const bucket = this.#bucket(key, resource);
    bucket.used = Math.max(0, bucket.used - 1);
    return this.headers(key, resource);
  }

  headers(key: string, resource: string): Record<string, string> {
    const { limit, used, remaining, reset } = this.view(key, resource);
    return {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(remaining),
      'x-ratelimit-used': String(used),
      'x-ratelimit-reset': String(reset),
      'x-ratelimit-resource': resource,
    };
  }

  view(key: string, resource: string) {
    const { used, resetAt } = this.#bucket(key, resource);
    const limit = this.options.requestsPerHour;
    return { limit, used, remaining: limit - used, reset: Math.ceil(resetAt / 1000) };
  }

  /** Uses the whole primary budget up until the reset, `seconds` from now. */
  exhaust(key: string, seconds: number, resource = 'core'): void {
    this.#buckets.set(`${resource}:${key}`, {
      used: this.options.requestsPerHour,
      resetAt: Date.now() + seconds * 1000,
    });
  }

  /** The secondary limit holds for reads too once it was hit. */
  checkSecondary(key: string, createsContent: boolean): void {
    for (const name of ['*', key]) {
      const block = this.#blocked.get(name);
      if (block !== undefined && block.until > Date.now()) throw secondary(block.until, block.retryAfter);
    }
    if (!createsContent) return;
    const now = Date.now();
    const times = (this.#content.get(key) ?? []).filter((at) => at > now - HOUR_MS);
    const lastMinute = times.filter((at) => at > now - MINUTE_MS).length;
    if (lastMinute >= this.options.contentPerMinute || times.length >= this.options.contentPerHour) {
      const until = now + MINUTE_MS;
      this.#blocked.set(key, { until, retryAfter: true });
      throw secondary(until, true);
    }
    this.#content.set(key, [...times, now]);
  }

  #bucket(key: string, resource: string): Bucket {
    const name = `${resource}:${key}`;
    const known = this.#buckets.get(name);
    if (known !== undefined && known.resetAt > Date.now()) return known;
    const fresh = { used: 0, resetAt: Date.now() + HOUR_MS };
    this.#buckets.set(name, fresh);
    return fresh;
  }
}

function secondary(until: number, retryAfter: boolean): ApiError {
  const message = 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
  const seconds = Math.max(1, Math.ceil((until - Date.now()) / 1000));
  return new ApiError(403, message, { headers: retryAfter ? { 'retry-after': String(seconds) } : {} });
}
