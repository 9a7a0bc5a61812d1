import { type ChildProcess, spawn } from 'node:child_process';
import { lstat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { GracefulStop, LateStoppable } from '../../lib/graceful-stop.ts';
import { OutputCapture } from '../../lib/output-capture.ts';
import { OutputPipes, type ProgramOutput } from '../../lib/output-pipes.ts';
import { RunningCommands } from '../../lib/running-commands.ts';
import {
  type Sandbox,
  type SandboxCommand,
  type SandboxResult,
  type SandboxSlot,
  SandboxUnavailableError,
} from '../../ports/sandbox.ts';

type StopReason = NonNullable<SandboxResult['stoppedBy']>;

/** A process that left the group may keep the pipes open for ever: this long is waited for the last lines after the program's end. */
const DRAIN_PATIENCE_MS = 500;
const TREE_PATIENCE_MS = 120_000;

export interface UnsandboxedOptions {
  /** coreutils' chmod. */
  readonly chmod?: string;
  readonly mkfifo?: string;
  /** A folder of this program's own. */
  readonly directory: string;
}

/**
 * No isolation: programs run as this program's own user, on its network, and see all that it sees; the limits of a slot are not enforced.
 * What remains: an environment of their own, time-outs, the output cap, and the end of the whole process group. To be asked for by name.
 */
export function createUnsandboxed({ directory, ...tools }: UnsandboxedOptions): Sandbox {
  const { chmod = '/usr/bin/chmod', mkfifo = '/usr/bin/mkfifo' } = tools;
  const pipes = new OutputPipes({ mkfifo, directory });
  return {
    kind: 'none',
    check: async () => [],
    checkMounts: async () => [],
    notes: async () => [
      'Nothing is isolated: code from a pull request runs as the user of this program and can read whatever it can. Choose the sandbox "bubblewrap" for repositories whose authors you do not trust.',
    ],
    openSlot: async () => new UnsandboxedSlot(chmod, pipes),
  };
}

class UnsandboxedSlot implements SandboxSlot {
  readonly #chmod: string;
  readonly #pipes: OutputPipes;
  #closed = false;
  readonly #running = new RunningCommands<StopReason>();

  constructor(chmod: string, pipes: OutputPipes) {
    this.#chmod = chmod;
    this.#pipes = pipes;
  }

  async own(directory: string): Promise<void> {
    await refuseLink(directory);
  }

  async reclaim(directory: string): Promise<void> {
    await refuseLink(directory);
    const argv = ['--recursive', 'u+rwX', '--', directory];
    await execa(this.#chmod, argv, { extendEnv: false, env: {}, timeout: TREE_PATIENCE_MS });
  }

  async run(command: SandboxCommand): Promise<SandboxResult> {
    if (this.#closed) throw new Error('The sandbox slot is closed.');
    const readOnly = command.mounts.every(({ mode }) => mode === 'ro');
    this.#running.check(readOnly);
    if (command.signal?.aborted) return neverStarted();
    refuseMovedMounts(command);
    const target = new LateStoppable();
    const stop = new GracefulStop<StopReason>(target, command.graceMs);
    const done = execute(command, this.#pipes, target, stop);
    return this.#running.track(readOnly, { stop, done });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running.stopAll('signal');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** `node:child_process` and not execa: stops go to the program first and to its whole process group last, and output is dropped rather than buffered. */
class ProgramGroup {
  readonly child: ChildProcess;
  readonly output: ProgramOutput;

  constructor(command: SandboxCommand, output: ProgramOutput) {
    const [program, ...argv] = command.argv;
    this.output = output;
    this.child = output.startWith((writeEnds) =>
      spawn(program, argv, {
        cwd: command.cwd,
        env: { ...command.env },
        detached: true,
        stdio: ['ignore', ...writeEnds],
      }),
    );
  }

  interrupt(): boolean {
    return this.child.kill('SIGINT');
  }

  kill(): void {
    if (this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // The whole group has ended.
    }
  }
}

async function execute(
  command: SandboxCommand,
  pipes: OutputPipes,
  target: LateStoppable,
  stop: GracefulStop<StopReason>,
): Promise<SandboxResult> {
  const startedAt = performance.now();
  const group = new ProgramGroup(command, await pipes.take());
  target.is(group);
  const capture = new OutputCapture(command.outputBytes, command.onLine);
  group.output.stdout.on('data', (chunk: Buffer) => capture.write('stdout', chunk));
  group.output.stderr.on('data', (chunk: Buffer) => capture.write('stderr', chunk));
  const timer = setTimeout(() => stop.request('timeout'), command.timeoutMs);
  const abort = () => stop.request('signal');
  command.signal?.addEventListener('abort', abort, { once: true });
  if (command.signal?.aborted) abort();
  try {
    const exitCode = await ended(group).catch((error: unknown) => {
      const failure = startFailure(error);
      capture.write('stderr', Buffer.from(failure.text));
      return failure.code;
    });
    const output = capture.end();
    return {
      exitCode,
      stdout: output.stdout,
      stderr: output.stderr,
      outputTruncated: output.truncated,
      stoppedBy: stop.reason,
      durationMs: performance.now() - startedAt,
    };
  } finally {
    clearTimeout(timer);
    command.signal?.removeEventListener('abort', abort);
    stop.done();
  }
}

async function ended(group: ProgramGroup): Promise<number | undefined> {
  const { child, output } = group;
  const exitCode = await new Promise<number | undefined>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? undefined));
  });
  group.kill();
  await Promise.race([output.ended(), delay(DRAIN_PATIENCE_MS, undefined, { ref: false })]);
  output.destroy();
  return exitCode;
}

/** What a shell answers for a program that cannot be started, and for one that is not there. */
function startFailure(error: unknown): { code: number; text: string } {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return { code: 127, text: `${message}\n` };
  if (code === 'EACCES') return { code: 126, text: `${message}\n` };
  throw error;
}

function neverStarted(): SandboxResult {
  return { exitCode: undefined, stdout: '', stderr: '', outputTruncated: false, stoppedBy: 'signal', durationMs: 0 };
}

function refuseMovedMounts(command: SandboxCommand): void {
  const moved = command.mounts.find((mount) => mount.target !== undefined && mount.target !== mount.source);
  if (moved)
    throw new SandboxUnavailableError(
      `Without a sandbox ${moved.source} cannot appear at ${moved.target}. Use the sandbox "bubblewrap", or a mount that stays in its place.`,
    );
}

async function refuseLink(directory: string): Promise<void> {
  const entry = await lstat(directory);
  if (!entry.isDirectory())
    throw new Error(`${directory} is not a folder of its own but leads elsewhere: name the real folder.`);
}
