/**
 * Remembers what was read, up to a number of bytes: what was asked for longest ago is forgotten first, and what is larger than all the room
 * is not kept. Written by hand because the caches that come with our libraries count entries only.
 */
export class ByteCache<T> {
  readonly #maxBytes: number;
  readonly #sizeOf: (value: T) => number;
  readonly #kept = new Map<string, { readonly value: T; readonly bytes: number }>();
  readonly #reading = new Map<string, Promise<T>>();
  #bytes = 0;

  /** `sizeOf`: about how much memory a value takes, bytes. */
  constructor(maxBytes: number, sizeOf: (value: T) => number) {
    this.#maxBytes = maxBytes;
    this.#sizeOf = sizeOf;
  }

  get(key: string): T | undefined {
    const entry = this.#kept.get(key);
    if (entry === undefined) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, entry);
    return entry.value;
  }

  set(key: string, value: T): void {
    this.#forget(key);
    const bytes = this.#sizeOf(value);
    if (bytes > this.#maxBytes) return;
    this.#kept.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#forget(oldest);
    }
  }

  /** What is kept, or what `read` answers. Two who ask at once wait for one reading; one that fails is not kept. */
  async read(key: string, read: () => Promise<T>): Promise<T> {
    const known = this.get(key);
    if (known !== undefined) return known;
    const reading = this.#reading.get(key) ?? this.#readAndKeep(key, read);
    this.#reading.set(key, reading);
    return reading;
  }

  async #readAndKeep(key: string, read: () => Promise<T>): Promise<T> {
    try {
      // Not at once: one that throws at once would be over before it is noted as under way, and then stay noted for ever.
      const value = await Promise.resolve().then(read);
      this.set(key, value);
      return value;
    } finally {
      this.#reading.delete(key);
    }
  }

  #forget(key: string): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }
}
