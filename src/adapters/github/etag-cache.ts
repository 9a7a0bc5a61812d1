/** An answer that may be asked for again with its ETag. */
export interface CachedAnswer {
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const MAX_BODY = 256 * 1024;

/**
 * Remembers answers by their ETag, so that asking again costs nothing of the primary limit when nothing changed
 * (a 304 is not counted: GitHub's "Best practices for using the REST API").
 *
 * Written here because an HTTP cache by the book (undici has one) would serve GitHub's `max-age=60` answers for a
 * minute without asking, and facts must be fresh: this one always asks.
 */
export class EtagCache {
  readonly #entries = new Map<string, CachedAnswer>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(key: string): CachedAnswer | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  set(key: string, entry: CachedAnswer): void {
    this.#drop(key);
    if (entry.body.length > MAX_BODY) return;
    this.#entries.set(key, entry);
    this.#bytes += entry.body.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.body.length;
  }
}
