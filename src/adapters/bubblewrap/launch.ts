import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProgramOutput } from '../../lib/output-pipes.ts';
import { SandboxUnavailableError } from '../../ports/sandbox.ts';
import { inheritedDescriptors } from './inherited-descriptors.ts';
import { firstChild, readProcess } from './process-table.ts';
import {
  HOLD_FD,
  INNER_ARGUMENTS_FD,
  INNER_STATUS_FD,
  OUTER_ARGUMENTS_FD,
  OUTER_STATUS_FD,
  SECCOMP_FD,
} from './launch-arguments.ts';
import { StatusStream } from './status-stream.ts';

export interface LaunchOptions {
  readonly bwrap: string;
  /** As root, the drop to the slot's uid, in front of the bubblewrap that makes the sandbox. */
  readonly drop: readonly string[];
  /** What is started inside. */
  readonly argv: readonly string[];
  /** Of another bubblewrap in front of the drop; undefined where one is enough. */
  readonly outerArguments: readonly string[] | undefined;
  readonly innerArguments: readonly string[];
  readonly seccomp: Buffer;
  /** Called with the sandbox's first process before there is a program: the place to put it under limits. */
  readonly onHeld: (pid: number) => Promise<void>;
  /** Called with a process of the network namespace before the program starts. */
  readonly network: { readonly pidFrom: 'outer' | 'inner'; join(pid: number): Promise<void> } | undefined;
}

export interface ProgramEnd {
  /** undefined when it was killed. */
  readonly exitCode: number | undefined;
}

/** bubblewrap reports a program that a signal ended as 128 + the signal's number, as a shell does. */
const KILLED = 128 + 9;
const DRAIN_PATIENCE_MS = 2_000;
const DEATH_PATIENCE_MS = 10_000;
const LONGEST_COMPLAINT = 2_000;

/**
 * One program behind one or two bubblewraps. `node:child_process` and not execa: four pipes are written and read in an order that holds the
 * launch at chosen points, on file descriptors that bubblewrap expects by number.
 */
export class SandboxedProgram {
  readonly #child: ChildProcess;
  readonly #output: ProgramOutput;
  readonly #inner: StatusStream;
  readonly #exited: Promise<ProgramEnd>;
  readonly #closed: Promise<unknown>;
  #complaint = '';
  #init: { pid: number; startedAt: number } | undefined;

  constructor(options: LaunchOptions, output: ProgramOutput) {
    this.#output = output;
    const inner = [...options.drop, options.bwrap, '--args', String(INNER_ARGUMENTS_FD), '--', ...options.argv];
    const outer = options.outerArguments ? [options.bwrap, '--args', String(OUTER_ARGUMENTS_FD), '--'] : [];
    const [program = options.bwrap, ...argv] = [...outer, ...inner];
    this.#child = output.startWith((writeEnds) =>
      spawn(program, argv, {
        env: {},
        cwd: '/',
        // A group of its own: ^C in the operator's terminal must not cut off a state that is being saved.
        detached: true,
        stdio: descriptors(options, writeEnds),
      }),
    );
    for (const stream of this.#child.stdio) stream?.on('error', () => {}); // EPIPE when it dies early; its end tells.
    this.#inner = new StatusStream(this.#readable(INNER_STATUS_FD));
    this.#exited = exitOf(this.#child);
    this.#closed = Promise.all([new Promise((resolve) => this.#child.once('close', resolve)), output.ended()]);
    this.#exited.catch(() => {});
  }

  get stdout(): Readable {
    return this.#output.stdout;
  }

  get stderr(): Readable {
    return this.#output.stderr;
  }

  /** pid 1 of the sandbox as the host counts; undefined before it exists. */
  get initPid(): number | undefined {
    return this.#init?.pid;
  }

  /** Takes the launch through its holds. @throws SandboxUnavailableError when the isolation cannot be built. */
  async start(options: LaunchOptions): Promise<void> {
    if (this.#child.pid === undefined) await this.#exited;
    this.stderr.on('data', (chunk: Buffer) => {
      if (this.#complaint.length < LONGEST_COMPLAINT) this.#complaint += chunk.toString();
    });
    const network = options.network;
    if (options.outerArguments) {
      const outer = new StatusStream(this.#readable(OUTER_STATUS_FD));
      this.#writable(OUTER_ARGUMENTS_FD).end(nulSeparated(options.outerArguments));
      if (network?.pidFrom === 'outer') await network.join(await this.#reported(outer));
    }
    this.#writable(SECCOMP_FD).end(options.seccomp);
    this.#writable(INNER_ARGUMENTS_FD).end(nulSeparated(options.innerArguments));
    const init = await this.#reported(this.#inner);
    this.#init = { pid: init, startedAt: readProcess(init)?.startedAt ?? -1 };
    // While bubblewrap builds: moving a process to a control group waits for the kernel for some milliseconds.
    await Promise.all([options.onHeld(init), network?.pidFrom === 'inner' ? network.join(init) : undefined]);
    this.#writable(HOLD_FD).end('x');
  }

  /** SIGINT to the program itself: bubblewrap would die of one and take the program with it. False when there is no program to tell. */
  interrupt(): boolean {
    const program = this.#init && isStill(this.#init) ? firstChild(this.#init.pid) : undefined;
    if (program === undefined) return false;
    return signal(program, 'SIGINT');
  }

  /** SIGKILL to everything inside. */
  kill(): void {
    if (this.#init && isStill(this.#init)) signal(this.#init.pid, 'SIGKILL');
    this.#child.kill('SIGKILL');
  }

  /** Resolves when nothing of the sandbox is left. @throws SandboxUnavailableError when the program was never started. */
  async ended(): Promise<ProgramEnd> {
    const end = await this.#exited;
    await this.#namespaceGone();
    await Promise.race([this.#closed, delay(DRAIN_PATIENCE_MS, undefined, { ref: false })]);
    for (const stream of this.#child.stdio) stream?.destroy();
    this.#output.destroy();
    const code = this.#inner.number('exit-code');
    if (code === undefined && end.exitCode !== undefined) throw this.#unavailable();
    return { exitCode: code === KILLED ? undefined : code };
  }

  /** The pid namespace outlives bubblewrap by the time its processes take to die. Its init becomes a zombie only after all of them. */
  async #namespaceGone(): Promise<void> {
    const deadline = Date.now() + DEATH_PATIENCE_MS;
    while (this.#init && isStill(this.#init)) {
      signal(this.#init.pid, 'SIGKILL');
      if (Date.now() > deadline) throw new Error(`The sandbox's processes (of ${this.#init.pid}) do not die.`);
      await delay(1);
    }
  }

  async #reported(status: StatusStream): Promise<number> {
    const pid = await status.once('child-pid');
    if (pid !== undefined) return pid;
    await Promise.race([this.#closed, delay(DRAIN_PATIENCE_MS, undefined, { ref: false })]);
    throw this.#unavailable();
  }

  #unavailable(): SandboxUnavailableError {
    const said = this.#complaint.trim() || 'it was killed before it could say why';
    return new SandboxUnavailableError(
      `The sandbox could not be built, and nothing was run: ${said}. \`holdfast doctor\` names what this machine lacks.`,
    );
  }

  #readable(fd: number): Readable {
    return this.#child.stdio[fd] as Readable;
  }

  #writable(fd: number): Writable {
    return this.#child.stdio[fd] as Writable;
  }
}

function descriptors(options: LaunchOptions, writeEnds: readonly number[]): ('pipe' | 'ignore' | number)[] {
  const outer = options.outerArguments ? 'pipe' : 'ignore';
  const stdio: ('pipe' | 'ignore' | number)[] = ['ignore', ...writeEnds];
  stdio[OUTER_ARGUMENTS_FD] = outer;
  stdio[INNER_ARGUMENTS_FD] = 'pipe';
  stdio[INNER_STATUS_FD] = 'pipe';
  stdio[SECCOMP_FD] = 'pipe';
  stdio[OUTER_STATUS_FD] = outer;
  stdio[HOLD_FD] = 'pipe';
  for (const { fd, cover } of inheritedDescriptors(stdio.length)) stdio[fd] = cover;
  return Array.from(stdio, (entry) => entry ?? 'ignore');
}

function exitOf(child: ChildProcess): Promise<ProgramEnd> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(
        new SandboxUnavailableError(
          `bubblewrap could not be started (${error.message}). Install it with: apt-get install bubblewrap`,
        ),
      ),
    );
    child.once('exit', (code) => resolve({ exitCode: code ?? undefined }));
  });
}

function nulSeparated(values: readonly string[]): string {
  if (values.some((value) => value.includes('\0')))
    throw new Error('A path or variable with a NUL byte cannot be given to a program.');
  return values.map((value) => `${value}\0`).join('');
}

function isStill(known: { pid: number; startedAt: number }): boolean {
  const row = readProcess(known.pid);
  return row !== undefined && row.startedAt === known.startedAt && row.state !== 'Z' && row.state !== 'X';
}

function signal(pid: number, name: 'SIGINT' | 'SIGKILL'): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
