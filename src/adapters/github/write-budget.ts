import { HostUnavailableError } from '../../core/host-error.ts';
import type { WriteOptions, WritePriority } from '../../ports/vcs-host.ts';
import type { Clock } from './clock.ts';

export interface WriteLimits {
  /** Writes that may go at once after a quiet time. */
  readonly burst: number;
  readonly perSecond: number;
  readonly perMinute: number;
  readonly perHour: number;
  /** Longest wait inside a call; a longer one ends the call with the moment to try again. */
  readonly maxWaitMs: number;
}

/**
 * GitHub asks for a second between writes and allows 80 content-creating requests a minute and 500 an hour
 * ("Rate limits for the REST API", secondary limits). Whether edits and statuses count is not documented: all are counted.
 */
export const GITHUB_WRITE_LIMITS: WriteLimits = {
  burst: 10,
  perSecond: 1,
  perMinute: 80,
  perHour: 500,
  maxWaitMs: 30_000,
};

/** The same shape for other limits: bursts and pace grow and shrink with what a minute allows. */
export function scaledWriteLimits(perMinute: number, perHour: number): WriteLimits {
  const factor = perMinute / GITHUB_WRITE_LIMITS.perMinute;
  return {
    ...GITHUB_WRITE_LIMITS,
    burst: Math.max(1, Math.round(GITHUB_WRITE_LIMITS.burst * factor)),
    perSecond: GITHUB_WRITE_LIMITS.perSecond * factor,
    perMinute,
    perHour,
  };
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const RANK: Readonly<Record<WritePriority, number>> = { final: 0, normal: 1, progress: 2, report: 3 };
/** Which part of a minute's and an hour's writes may be gone before one of this rank is sent; all of it unless named. */
const SHARE: ReadonlyMap<number, number> = new Map([[RANK.report, 0.5]]);

interface Waiter {
  readonly rank: number;
  readonly deadline: number;
  readonly go: () => void;
  readonly giveUp: (error: unknown) => void;
}

/**
 * The token bucket of one credential with a queue in order of priority. Octokit's throttling plugin spaces writes by
 * fixed pauses (3 s per comment), knows no priority and no hourly limit, so it cannot do this.
 */
export class WriteBudget {
  readonly #limits: WriteLimits;
  readonly #clock: Clock;
  /** When the writes of the last hour went, oldest first. */
  #sent: number[] = [];
  #tokens: number;
  #filledAt: number;
  #waiting: Waiter[] = [];
  #pumping = false;
  /** Ends the pause of the pump when another one is first in the queue. */
  #pause = new AbortController();

  constructor(limits: WriteLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#tokens = limits.burst;
    this.#filledAt = clock.now();
  }

  /** Resolves when one write may be sent. */
  take(options: WriteOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = options;
      if (signal?.aborted) return reject(signal.reason);
      const waiter: Waiter = {
        rank: RANK[options.priority ?? 'normal'],
        deadline: this.#clock.now() + this.#limits.maxWaitMs,
        go: resolve,
        giveUp: reject,
      };
      signal?.addEventListener('abort', () => this.#remove(waiter, signal.reason), { once: true });
      const place = this.#waiting.findIndex((other) => other.rank > waiter.rank);
      this.#waiting.splice(place === -1 ? this.#waiting.length : place, 0, waiter);
      if (place === 0) this.#pause.abort();
      void this.#pump();
    });
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#waiting.length > 0) await this.#serveNext();
    } finally {
      this.#pumping = false;
    }
  }

  async #serveNext(): Promise<void> {
    const now = this.#clock.now();
    const at = this.#nextAt(now, this.#waiting[0]?.rank ?? 0);
    if (at <= now) return this.#send(now);
    this.#turnAway(at);
    if (this.#waiting.length === 0) return;
    this.#pause = new AbortController();
    const { signal } = this.#pause;
    await this.#clock.sleep(at - now, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  #send(now: number): void {
    const waiter = this.#waiting.shift();
    if (!waiter) return;
    this.#tokens -= 1;
    this.#sent.push(now);
    waiter.go();
  }

  /** Those who cannot be served before their deadline learn the moment instead of waiting for it. */
  #turnAway(at: number): void {
    const late = this.#waiting.filter((waiter) => at > waiter.deadline);
    this.#waiting = this.#waiting.filter((waiter) => at <= waiter.deadline);
    for (const waiter of late) {
      waiter.giveUp(
        new HostUnavailableError(
          `the write budget for GitHub is used up until ${new Date(at).toISOString()}`,
          new Date(at),
        ),
      );
    }
  }

  #remove(waiter: Waiter, reason: unknown): void {
    const place = this.#waiting.indexOf(waiter);
    if (place === -1) return;
    this.#waiting.splice(place, 1);
    if (place === 0) this.#pause.abort();
    waiter.giveUp(reason);
  }

  /** The earliest moment the next write may go, by bucket, minute and hour. */
  #nextAt(now: number, rank: number): number {
    const { burst, perSecond, perMinute, perHour } = this.#limits;
    const share = (most: number) => Math.max(1, Math.floor(most * (SHARE.get(rank) ?? 1)));
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
    this.#sent = this.#sent.filter((at) => at > now - HOUR);
    const bucket = this.#tokens >= 1 ? now : now + Math.ceil(((1 - this.#tokens) / perSecond) * 1000);
    return Math.max(bucket, this.#windowFreeAt(MINUTE, share(perMinute)), this.#windowFreeAt(HOUR, share(perHour)));
  }

  /** When a window of this length has room again: as soon as the n-th last write has left it. */
  #windowFreeAt(windowMs: number, most: number): number {
    const nth = this.#sent.at(-most);
    return nth === undefined ? 0 : nth + windowMs;
  }
}
