/** Each asks the database twice a second. */
const MAX_STREAMS = 64;

/** The event streams that are open: bounded, and ended together when the server stops. */
export class OpenStreams {
  readonly #open = new Set<AbortController>();
  #closed = false;

  /** A place for one more; undefined when there is none. Give it back with `end`. */
  begin(): AbortController | undefined {
    if (this.#closed || this.#open.size >= MAX_STREAMS) return undefined;
    const stream = new AbortController();
    this.#open.add(stream);
    return stream;
  }

  end(stream: AbortController): void {
    this.#open.delete(stream);
    stream.abort();
  }

  close(): void {
    this.#closed = true;
    for (const stream of this.#open) this.end(stream);
  }
}
