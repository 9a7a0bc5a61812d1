import { lchown, lstat, readdir, realpath } from 'node:fs/promises';
import { execa } from 'execa';
import { GracefulStop, LateStoppable } from '../../lib/graceful-stop.ts';
import { OutputCapture } from '../../lib/output-capture.ts';
import { RunningCommands } from '../../lib/running-commands.ts';
import type { SandboxCommand, SandboxResult, SandboxSlot } from '../../ports/sandbox.ts';
import { type LaunchOptions, SandboxedProgram } from './launch.ts';
import { prepareLaunch, type SlotParts } from './slot-launch.ts';
import { type LimitName, UsageWatch } from './usage-watch.ts';

type StopReason = NonNullable<SandboxResult['stoppedBy']>;

/** How bubblewrap reports a program that ended by SIGXFSZ: it wrote a file longer than RLIMIT_FSIZE. */
const FILE_TOO_LARGE = 128 + 25;
const TREE_PATIENCE_MS = 120_000;

export class BubblewrapSlot implements SandboxSlot {
  readonly #parts: SlotParts;
  readonly #owned = new Set<string>();
  readonly #sharedBefore = new Map<string, number>();
  readonly #running = new RunningCommands<StopReason>();
  #closed: Promise<void> | undefined;

  constructor(parts: SlotParts) {
    this.#parts = parts;
  }

  async own(directory: string): Promise<void> {
    await refuseLink(directory);
    this.#owned.add(directory);
    const uid = this.#parts.identity?.uid;
    if (uid === undefined) return;
    // Nothing to go down into: no program has to be started.
    if ((await readdir(directory)).length === 0) return lchown(directory, uid, uid);
    await this.#changeTree('chown', [`${uid}:${uid}`], directory);
  }

  async reclaim(directory: string): Promise<void> {
    await refuseLink(directory);
    const own = `${process.getuid?.()}:${process.getgid?.()}`;
    await Promise.all([
      this.#parts.identity && this.#changeTree('chown', [own], directory),
      this.#changeTree('chmod', ['u+rwX'], directory),
    ]);
    this.#owned.delete(directory);
  }

  /** coreutils and not our own walk: they go down by directory descriptors, so that a link put in their way is never followed. */
  async #changeTree(tool: 'chown' | 'chmod', mode: readonly string[], directory: string): Promise<void> {
    const links = tool === 'chown' ? ['--no-dereference', '-P'] : [];
    const argv = ['--recursive', '--preserve-root', ...links, '--', ...mode, directory];
    await execa(this.#parts.tools[tool], argv, { extendEnv: false, env: {}, timeout: TREE_PATIENCE_MS });
  }

  async run(command: SandboxCommand): Promise<SandboxResult> {
    if (this.#closed) throw new Error('The sandbox slot is closed.');
    const readOnly = command.mounts.every(({ mode }) => mode === 'ro');
    this.#running.check(readOnly);
    if (command.signal?.aborted) return neverStarted();
    return this.#running.track(readOnly, this.#launch(command));
  }

  #launch(command: SandboxCommand): { stop: GracefulStop<StopReason>; done: Promise<SandboxResult> } {
    const target = new LateStoppable();
    const stop = new GracefulStop<StopReason>(target, command.graceMs);
    return { stop, done: this.#execute(command, target, stop) };
  }

  async #execute(
    command: SandboxCommand,
    target: LateStoppable,
    stop: GracefulStop<StopReason>,
  ): Promise<SandboxResult> {
    const startedAt = performance.now();
    const prepared = await prepareLaunch(this.#parts, command);
    const { options } = prepared;
    const program = new SandboxedProgram(options, await this.#parts.pipes.take(this.#parts.identity?.uid));
    target.is(program);
    const capture = new OutputCapture(command.outputBytes, command.onLine);
    program.stdout.on('data', (chunk: Buffer) => capture.write('stdout', chunk));
    program.stderr.on('data', (chunk: Buffer) => capture.write('stderr', chunk));
    const timer = setTimeout(() => stop.request('timeout'), command.timeoutMs);
    const abort = () => stop.request('signal');
    command.signal?.addEventListener('abort', abort, { once: true });
    if (command.signal?.aborted) abort();
    const watch = this.#watch(command, (limit) => stop.force(limit));
    try {
      const code = await finish(program, options, stop, watch);
      const tooLarge = code === FILE_TOO_LARGE;
      const output = capture.end();
      return {
        exitCode: tooLarge || (stop.reason && (code ?? 0) > 128) ? undefined : code,
        stdout: output.stdout,
        stderr: output.stderr,
        outputTruncated: output.truncated,
        stoppedBy: stop.reason ?? (await watch.exceeded()) ?? (tooLarge ? 'disk' : undefined),
        durationMs: performance.now() - startedAt,
      };
    } finally {
      clearTimeout(timer);
      command.signal?.removeEventListener('abort', abort);
      stop.done();
      await watch.stop();
      await prepared.leaveNetwork();
    }
  }

  #watch(command: SandboxCommand, onExceeded: (limit: LimitName) => void): UsageWatch {
    const writable = command.mounts.filter((mount) => mount.mode === 'rw').map((mount) => mount.source);
    const shared = writable.filter((path) => !this.#isOwned(path));
    const { limits, group, tools } = this.#parts;
    return new UsageWatch({
      limits,
      group,
      du: tools.du,
      chmod: tools.chmod,
      owned: [...this.#owned],
      shared,
      sharedBefore: this.#sharedBefore,
      onExceeded,
    });
  }

  #isOwned(path: string): boolean {
    return [...this.#owned].some((owned) => `${path}/`.startsWith(`${owned}/`));
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeOnce();
    return this.#closed;
  }

  async #closeOnce(): Promise<void> {
    await this.#running.stopAll('signal');
    await this.#parts.identity?.killAll();
    await this.#parts.group?.remove();
    await this.#parts.identity?.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Starts and waits. A launch that fails because it was stopped is a stopped run, not a machine without a sandbox. */
async function finish(
  program: SandboxedProgram,
  options: LaunchOptions,
  stop: GracefulStop<StopReason>,
  watch: UsageWatch,
): Promise<number | undefined> {
  try {
    await program.start(options);
    if (program.initPid !== undefined) watch.start(program.initPid);
    return (await program.ended()).exitCode;
  } catch (error) {
    program.kill();
    await program.ended().catch(() => {});
    if (stop.reason) return undefined;
    throw error;
  }
}

function neverStarted(): SandboxResult {
  return { exitCode: undefined, stdout: '', stderr: '', outputTruncated: false, stoppedBy: 'signal', durationMs: 0 };
}

/** Root must not be led elsewhere by a link that a run has put at the place of a folder. */
async function refuseLink(directory: string): Promise<void> {
  const entry = await lstat(directory);
  if (!entry.isDirectory() || (await realpath(directory)) !== directory)
    throw new Error(`${directory} is not a folder of its own but leads elsewhere: name the real folder.`);
}
