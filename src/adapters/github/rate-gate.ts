import { HostUnavailableError } from '../../core/host-error.ts';
import type { Clock } from './clock.ts';

/** What an answer says about limits; header names in lower case. */
export interface LimitAnswer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** The body's text, read only when the status is 403 or 429. */
  readonly message: string;
}

const SECONDARY_FIRST_MS = 60_000;
const SECONDARY_MOST_MS = 15 * 60_000;

/**
 * One gate in front of every request of one credential. Going on while limited "may result in the banning of your
 * integration", so once GitHub says wait, nothing is sent until the moment it named.
 * Rules: GitHub's "Rate limits for the REST API": `retry-after` first, else `x-ratelimit-reset` when
 * `x-ratelimit-remaining` is 0, else at least a minute, growing.
 */
export class RateGate {
  readonly #clock: Clock;
  /** The primary limit is counted per resource (core, graphql ...); a secondary one stops everything. */
  readonly #closed = new Map<string, number>();
  #secondaryInARow = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Throws when a request for this resource must not be sent now. */
  check(resource: string): void {
    const until = Math.max(this.#closed.get('*') ?? 0, this.#closed.get(resource) ?? 0);
    if (until <= this.#clock.now()) return;
    throw new HostUnavailableError(
      `GitHub asked this credential to wait until ${new Date(until).toISOString()} (rate limit)`,
      new Date(until),
    );
  }

  /** Takes note of an answer; tells whether it was a refusal for a limit. */
  observe(resource: string, answer: LimitAnswer): boolean {
    const counted = answer.header('x-ratelimit-resource') ?? resource;
    const exhausted = answer.header('x-ratelimit-remaining') === '0';
    const refused = answer.status === 403 || answer.status === 429;
    const retryAfter = refused ? this.#retryAfter(answer.header('retry-after')) : undefined;
    if (retryAfter !== undefined) return this.#close('*', retryAfter);
    if (exhausted) {
      const reset = Number(answer.header('x-ratelimit-reset')) * 1000;
      if (Number.isFinite(reset) && reset > 0) this.#close(counted, reset);
      return refused;
    }
    if (answer.status === 429 || (refused && /secondary rate|abuse detection/i.test(answer.message))) {
      const wait = Math.min(SECONDARY_MOST_MS, SECONDARY_FIRST_MS * 2 ** this.#secondaryInARow);
      this.#secondaryInARow += 1;
      return this.#close('*', this.#clock.now() + wait);
    }
    if (answer.status < 400) this.#secondaryInARow = 0;
    return false;
  }

  #close(resource: string, until: number): true {
    this.#closed.set(resource, Math.max(this.#closed.get(resource) ?? 0, until));
    return true;
  }

  /** Seconds, or an HTTP date. */
  #retryAfter(value: string | undefined): number | undefined {
    if (value === undefined) return undefined;
    if (/^\d+$/.test(value.trim())) return this.#clock.now() + Number(value) * 1000;
    const date = Date.parse(value);
    return Number.isNaN(date) ? undefined : date;
  }
}
