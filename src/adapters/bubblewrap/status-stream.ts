import type { Readable } from 'node:stream';

/** What bubblewrap writes to `--json-status-fd`: one JSON document per line, of which the numbers are kept. */
export class StatusStream {
  readonly #values = new Map<string, number>();
  readonly #waiting: { name: string; resolve: (value: number | undefined) => void }[] = [];
  #ended = false;
  #text = '';

  constructor(stream: Readable) {
    stream.on('data', (chunk: Buffer) => this.#take(chunk.toString()));
    const end = () => this.#end();
    stream.once('end', end);
    stream.once('close', end);
  }

  number(name: string): number | undefined {
    return this.#values.get(name);
  }

  /** undefined when the stream ends without it. */
  once(name: string): Promise<number | undefined> {
    const known = this.#values.get(name);
    if (known !== undefined || this.#ended) return Promise.resolve(known);
    return new Promise((resolve) => this.#waiting.push({ name, resolve }));
  }

  #take(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) {
      for (const match of line.matchAll(/"([a-z-]+)"\s*:\s*(\d+)/g)) this.#set(match[1] ?? '', Number(match[2]));
    }
  }

  #set(name: string, value: number): void {
    this.#values.set(name, value);
    for (const waiter of this.#waiting) if (waiter.name === name) waiter.resolve(value);
  }

  #end(): void {
    this.#ended = true;
    for (const waiter of this.#waiting) waiter.resolve(this.#values.get(waiter.name));
  }
}
