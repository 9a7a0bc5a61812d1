export interface Fault {
  readonly method?: string;
  /** Matched against the path without query, and without an /api/v3 prefix. */
  readonly path: RegExp;
  /** How many requests it hits; default 1. */
  readonly times?: number;
  /** Answer instead of the real one; without a status the request is carried out (after `delayMs`). */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly delayMs?: number;
  /** `before`: nothing was done; `after`: the request was carried out and only its answer is lost. */
  readonly dropConnection?: boolean | 'before' | 'after';
  /** Carry the request out, then answer `status` all the same: a write whose success the client cannot see. */
  readonly afterHandling?: boolean;
}

/** Things that go wrong on demand. */
export class Faults {
  readonly #waiting: { fault: Fault; left: number }[] = [];
  /** Every request is answered 503, or its connection reset. */
  offline: false | 'unavailable' | 'reset' = false;
  hits = 0;

  add(fault: Fault): void {
    this.#waiting.push({ fault, left: fault.times ?? 1 });
  }

  clear(): void {
    this.#waiting.length = 0;
    this.offline = false;
  }

  take(method: string, path: string): Fault | undefined {
    const entry = this.#waiting.find(
      ({ fault, left }) => left > 0 && (fault.method === undefined || fault.method === method) && fault.path.test(path),
    );
    if (entry === undefined) return undefined;
    entry.left -= 1;
    this.hits += 1;
    return entry.fault;
  }
}
