import { lstat, realpath } from 'node:fs/promises';
import { release } from 'node:os';
import { execa } from 'execa';
import { GracefulStop } from '../../lib/graceful-stop.ts';
import { OutputCapture } from '../../lib/output-capture.ts';
import type { SandboxCommand, SandboxResult, SandboxSlot, SlotLimits } from '../../ports/sandbox.ts';
import type { ControlGroup } from './control-group.ts';
import type { EgressNetwork, JoinedNetwork } from './egress-network.ts';
import { type LaunchOptions, SandboxedProgram } from './launch.ts';
import { innerArguments, outerArguments } from './launch-arguments.ts';
import { isReachable, rootLayout, type SystemLayout } from './root-layout.ts';
import type { SlotUid } from './slot-uid.ts';
import type { SandboxTools } from './tools.ts';
import { type LimitName, UsageWatch } from './usage-watch.ts';

export interface SlotParts {
  readonly tools: SandboxTools;
  readonly system: SystemLayout;
  readonly seccomp: Buffer;
  readonly limits: SlotLimits;
  /** undefined when this program is an ordinary user: then the slot runs as that user. */
  readonly identity: SlotUid | undefined;
  /** undefined where no control group is writable: then the watch alone counts. */
  readonly group: ControlGroup | undefined;
  readonly egress: EgressNetwork;
}

type StopReason = NonNullable<SandboxResult['stoppedBy']>;

const MIB = 1024 * 1024;
const LARGEST_SHARED_MEMORY = 64 * MIB;
/** How bubblewrap reports a program that ended by SIGXFSZ: it wrote a file longer than RLIMIT_FSIZE. */
const FILE_TOO_LARGE = 128 + 25;
const SPARE_PROCESSES = 16;
const SPARE_DATA = 512 * MIB;
/** Since then RLIMIT_NPROC counts per user namespace: before, a user's other programs would count, too. */
const COUNTS_PER_NAMESPACE = [5, 14] as const;
const TREE_PATIENCE_MS = 120_000;

export class BubblewrapSlot implements SandboxSlot {
  readonly #parts: SlotParts;
  readonly #owned = new Set<string>();
  #running: { stop: GracefulStop<StopReason>; done: Promise<unknown> } | undefined;
  #closed: Promise<void> | undefined;

  constructor(parts: SlotParts) {
    this.#parts = parts;
  }

  async own(directory: string): Promise<void> {
    await refuseLink(directory);
    this.#owned.add(directory);
    const uid = this.#parts.identity?.uid;
    if (uid === undefined) return;
    await this.#changeTree('chown', [`${uid}:${uid}`], directory);
  }

  async reclaim(directory: string): Promise<void> {
    await refuseLink(directory);
    if (this.#parts.identity)
      await this.#changeTree('chown', [`${process.getuid?.()}:${process.getgid?.()}`], directory);
    await this.#changeTree('chmod', ['u+rwX'], directory);
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
    if (this.#running) throw new Error('The sandbox slot already runs a command: one after the other.');
    if (command.signal?.aborted) return neverStarted();
    const running = this.#launch(command);
    this.#running = running;
    return running.done.finally(() => {
      this.#running = undefined;
    });
  }

  #launch(command: SandboxCommand): { stop: GracefulStop<StopReason>; done: Promise<SandboxResult> } {
    const target = new LateProgram();
    const stop = new GracefulStop<StopReason>(target, command.graceMs);
    return { stop, done: this.#execute(command, target, stop) };
  }

  async #execute(command: SandboxCommand, target: LateProgram, stop: GracefulStop<StopReason>): Promise<SandboxResult> {
    const startedAt = performance.now();
    const network: { joined?: JoinedNetwork } = {};
    const options = await this.#launchOptions(command, network);
    const program = new SandboxedProgram(options);
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
      await network.joined?.leave();
    }
  }

  async #launchOptions(command: SandboxCommand, network: { joined?: JoinedNetwork }): Promise<LaunchOptions> {
    const { tools, system, identity, limits, egress } = this.#parts;
    const layout = await rootLayout(system, command.mounts, command.network);
    const isEgress = command.network === 'egress';
    if (isEgress) await egress.prepare();
    const networkMade = isEgress && !identity;
    const assembled = identity ? !(await isReachable(layout, identity.uid)) : networkMade;
    const drop = identity
      ? [tools.setpriv, '--reuid', `${identity.uid}`, '--regid', `${identity.uid}`, '--clear-groups', '--']
      : [];
    return {
      bwrap: tools.bwrap,
      drop,
      argv: [...this.#rlimits(), ...command.argv],
      outerArguments: assembled ? outerArguments(layout, identity ? 'root' : 'user', networkMade) : undefined,
      innerArguments: innerArguments(layout, {
        cwd: command.cwd,
        env: command.env,
        network: command.network,
        networkMade,
        assembled,
        tmpBytes: Math.max(MIB, Math.min(limits.diskBytes, Math.floor(limits.memoryBytes / 2))),
        sharedMemoryBytes: Math.max(MIB, Math.min(LARGEST_SHARED_MEMORY, Math.floor(limits.memoryBytes / 8))),
      }),
      seccomp: this.#parts.seccomp,
      stdin: command.stdin,
      onHeld: async (pid) => this.#parts.group?.add(pid),
      network: isEgress
        ? {
            pidFrom: identity ? 'inner' : 'outer',
            join: async (pid) => {
              network.joined = await egress.join(pid, identity?.uid);
            },
          }
        : undefined,
    };
  }

  /** Per process, set by the last program before the run's own: what a single process may do. The sums are the group's and the watch's. */
  #rlimits(): string[] {
    const { limits, group, identity, tools } = this.#parts;
    // Above the limit, so that the group or the watch sees it reached and says so.
    const processes = limits.processes + SPARE_PROCESSES;
    const data = limits.memoryBytes * 2 + SPARE_DATA;
    const perNamespace = kernelIsAtLeast(COUNTS_PER_NAMESPACE);
    return [
      tools.prlimit,
      '--core=0:0',
      `--fsize=${limits.diskBytes}:${limits.diskBytes}`,
      ...(identity || perNamespace ? [`--nproc=${processes}:${processes}`] : []),
      // Without a group a hog could outrun the watch. Well above the limit: thread stacks count here although nobody touches them.
      ...(group ? [] : [`--data=${data}:${data}`]),
      '--',
    ];
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
    const running = this.#running;
    running?.stop.force('signal');
    await running?.done.catch(() => {});
    await this.#parts.identity?.killAll();
    await this.#parts.group?.remove();
    await this.#parts.identity?.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A stop may come while the launch is still being prepared: then the program is killed as soon as there is one. */
class LateProgram {
  #program: SandboxedProgram | undefined;
  #killed = false;

  is(program: SandboxedProgram): void {
    this.#program = program;
    if (this.#killed) program.kill();
  }

  interrupt(): boolean {
    return this.#program?.interrupt() ?? false;
  }

  kill(): void {
    this.#killed = true;
    this.#program?.kill();
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

function kernelIsAtLeast([major, minor]: readonly [number, number]): boolean {
  const [hasMajor = 0, hasMinor = 0] = release().split('.').map(Number);
  return hasMajor > major || (hasMajor === major && hasMinor >= minor);
}
