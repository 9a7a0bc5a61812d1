import { StringDecoder } from 'node:string_decoder';

export type OutputStream = 'stdout' | 'stderr';

export interface CapturedOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
}

/** A longer line is handed over in pieces of this many UTF-16 units, so that a program without newlines cannot fill the memory of its reader. */
export const LONGEST_LINE = 64 * 1024;

/**
 * Keeps the first `limitBytes` bytes of two streams together and hands over whole lines as they come.
 * What comes later is dropped but still taken, so that the writer never blocks on a full pipe. Invalid UTF-8 becomes U+FFFD.
 * Written by hand because the limit counts both streams together and the rest must be drained: execa's `maxBuffer` and `readline` do neither.
 */
export class OutputCapture {
  readonly #onLine: ((line: string, stream: OutputStream) => void) | undefined;
  readonly #streams = { stdout: new LineSplitter(), stderr: new LineSplitter() };
  #roomBytes: number;
  #truncated = false;
  #listenerError: unknown;
  #listenerFailed = false;

  constructor(limitBytes: number, onLine?: (line: string, stream: OutputStream) => void) {
    this.#roomBytes = limitBytes;
    this.#onLine = onLine;
  }

  write(stream: OutputStream, chunk: Buffer): void {
    const kept = chunk.subarray(0, this.#roomBytes);
    if (kept.length < chunk.length) this.#truncated = true;
    if (kept.length === 0) return;
    this.#roomBytes -= kept.length;
    this.#emit(stream, this.#streams[stream].write(kept));
  }

  /** Hands over unfinished last lines. Throws what `onLine` threw, when it did: a listener's mistake must not pass as a good run. */
  end(): CapturedOutput {
    this.#emit('stdout', this.#streams.stdout.end());
    this.#emit('stderr', this.#streams.stderr.end());
    if (this.#listenerFailed) throw this.#listenerError;
    return { stdout: this.#streams.stdout.text(), stderr: this.#streams.stderr.text(), truncated: this.#truncated };
  }

  #emit(stream: OutputStream, lines: readonly string[]): void {
    if (!this.#onLine || this.#listenerFailed) return;
    try {
      for (const line of lines) this.#onLine(line, stream);
    } catch (error) {
      this.#listenerError = error;
      this.#listenerFailed = true;
    }
  }
}

class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #chunks: Buffer[] = [];
  #pending = '';

  write(chunk: Buffer): string[] {
    // A copy: a slice would keep the whole read buffer alive.
    this.#chunks.push(Buffer.from(chunk));
    return this.#split(this.#decoder.write(chunk));
  }

  end(): string[] {
    const lines = this.#split(this.#decoder.end());
    if (this.#pending !== '') lines.push(withoutCarriageReturn(this.#pending));
    this.#pending = '';
    return lines;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  #split(text: string): string[] {
    const pieces = (this.#pending + text).split('\n');
    this.#pending = pieces.pop() ?? '';
    const lines = pieces.flatMap((piece) => cut(withoutCarriageReturn(piece)));
    while (this.#pending.length > LONGEST_LINE) {
      lines.push(this.#pending.slice(0, LONGEST_LINE));
      this.#pending = this.#pending.slice(LONGEST_LINE);
    }
    return lines;
  }
}

function withoutCarriageReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function cut(line: string): string[] {
  if (line.length <= LONGEST_LINE) return [line];
  const pieces: string[] = [];
  for (let at = 0; at < line.length; at += LONGEST_LINE) pieces.push(line.slice(at, at + LONGEST_LINE));
  return pieces;
}
