import { closeSync, constants, fchownSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { execa } from 'execa';

/** What one process of `mkfifo` makes: it costs milliseconds, however many names it is given. */
const PIPES_AT_ONCE = 16;
const MKFIFO_PATIENCE_MS = 10_000;

interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** What one program prints. */
export class ProgramOutput {
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly #writeEnds: readonly [number, number];

  constructor(stdout: Pipe, stderr: Pipe) {
    this.stdout = reader(stdout);
    this.stderr = reader(stderr);
    this.#writeEnds = [stdout.writeEnd, stderr.writeEnd];
  }

  /** `owner`: the uid and gid the program will have. */
  give(owner: number): void {
    try {
      for (const end of this.#writeEnds) fchownSync(end, owner, owner);
    } catch (error) {
      this.#giveUp();
      throw error;
    }
  }

  /**
   * Starts the program, once, with the descriptors for 1 and 2 of its `stdio`. From then on they are its alone, or the output would never
   * end; nothing stays open when it cannot be started at all.
   */
  startWith<T>(start: (writeEnds: readonly [number, number]) => T): T {
    try {
      const started = start(this.#writeEnds);
      this.#giveAway();
      return started;
    } catch (error) {
      this.#giveUp();
      throw error;
    }
  }

  #giveAway(): void {
    for (const end of this.#writeEnds) closeSync(end);
  }

  #giveUp(): void {
    this.#giveAway();
    this.destroy();
  }

  /** Resolves when nobody can print any more. */
  async ended(): Promise<void> {
    await Promise.allSettled([finished(this.stdout), finished(this.stderr)]);
  }

  destroy(): void {
    this.stdout.destroy();
    this.stderr.destroy();
  }
}

/**
 * Real pipes for the output of programs. Node makes socket pairs, and a socket cannot be opened by name: `echo x > /dev/stderr` in a step
 * would fail with ENXIO. Node cannot make a pipe, so these are named ones of coreutils' `mkfifo`, whose names are gone before a program is
 * given one: nobody reaches a pipe but through the descriptors of its program.
 */
export class OutputPipes {
  readonly #mkfifo: string;
  readonly #directory: string;
  readonly #ready: Pipe[] = [];
  #making: Promise<void> | undefined;

  /** `directory`: a folder of this program's own, where the names are for a moment. */
  constructor(options: { readonly mkfifo: string; readonly directory: string }) {
    this.#mkfifo = options.mkfifo;
    this.#directory = options.directory;
  }

  /** `owner`: the uid and gid the program will have, when not our own: opening a pipe by name asks whose it is. */
  async take(owner?: number): Promise<ProgramOutput> {
    for (;;) {
      const [stdout, stderr] = this.#ready.splice(0, 2);
      if (stdout && stderr) {
        const output = new ProgramOutput(stdout, stderr);
        if (owner !== undefined) output.give(owner);
        return output;
      }
      this.#making ??= this.#make().finally(() => {
        this.#making = undefined;
      });
      await this.#making;
    }
  }

  async #make(): Promise<void> {
    const folder = await mkdtemp(join(this.#directory, 'pipes-'));
    try {
      const paths = Array.from({ length: PIPES_AT_ONCE }, (_, index) => join(folder, String(index)));
      const argv = ['--mode=600', '--', ...paths];
      await execa(this.#mkfifo, argv, { extendEnv: false, env: {}, timeout: MKFIFO_PATIENCE_MS });
      for (const path of paths) this.#ready.push(openBothEnds(path));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** The end for reading first, which waits for no writer; the end for writing then finds its reader. See fifo(7). */
function openBothEnds(path: string): Pipe {
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return { readEnd, writeEnd: openSync(path, constants.O_WRONLY) };
  } catch (error) {
    closeSync(readEnd);
    throw error;
  }
}

function reader({ readEnd }: Pipe): Readable {
  const stream = new Socket({ fd: readEnd, readable: true, writable: false });
  stream.on('error', () => {}); // Its end tells.
  return stream;
}
