/**
 * Isolation for one run. A *slot* is the place in which all processes of one run live, one after the other (init, plan, show ...):
 * it has an unprivileged uid of its own when we are root, and limits that count for the whole run.
 * What cannot be built is refused with a `SandboxUnavailableError` in words, never weakened.
 */
export interface Sandbox {
  readonly kind: 'bubblewrap' | 'none';
  /** What stands in the way on this machine, each with the step that mends it; for `doctor` and for the start of the program. */
  check(network: NetworkMode): Promise<readonly string[]>;
  /** Which of an operator's mounts could not be shown to a run, and what to name instead; for `doctor` and for the start of the program. */
  checkMounts(mounts: readonly Mount[]): Promise<readonly string[]>;
  /** What is weaker on this machine than it could be though nothing stands in the way, each with the step that mends it. */
  notes(): Promise<readonly string[]>;
  /** Waits for no one: the caller bounds how many slots are open at once. */
  openSlot(limits: SlotLimits): Promise<SandboxSlot>;
}

/** `none`: only loopback of its own. `egress`: the outside, but no address of this host, no link-local, none of the denied addresses. `host`: the host's network, by name only. */
export type NetworkMode = 'none' | 'egress' | 'host';

export interface SlotLimits {
  /** Resident memory of all processes of the slot together, bytes. */
  readonly memoryBytes: number;
  readonly processes: number;
  /** Bytes the slot's writable mounts may hold together. */
  readonly diskBytes: number;
}

export interface Mount {
  readonly source: string;
  /** Absolute path inside; the same as `source` unless told. */
  readonly target?: string;
  readonly mode: 'ro' | 'rw';
}

export interface SandboxCommand {
  /** argv[0] is an absolute path inside the sandbox. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly network: NetworkMode;
  readonly timeoutMs: number;
  /** From SIGINT to SIGKILL, at a stop or a time-out. */
  readonly graceMs: number;
  /** stdout and stderr together; beyond it the rest is dropped and `outputTruncated` says so. */
  readonly outputBytes: number;
  /** Whole lines without their end, as they come. Hostile text. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
  /** Aborting it stops the command: SIGINT to the program itself, the grace, then SIGKILL. */
  readonly signal?: AbortSignal;
}

export interface SandboxResult {
  /** undefined when the program was killed. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly outputTruncated: boolean;
  /** Why it ended, when not by itself. */
  readonly stoppedBy: 'timeout' | 'signal' | 'memory' | 'processes' | 'disk' | undefined;
  readonly durationMs: number;
}

export interface SandboxSlot extends AsyncDisposable {
  /** Gives a directory tree to the slot, so that its processes can write there. */
  own(directory: string): Promise<void>;
  /** Takes a directory tree back, so that this program can read and remove it whatever the slot did to its modes. */
  reclaim(directory: string): Promise<void>;
  /** One command after the other; only such as have no writable mount may run beside each other. */
  run(command: SandboxCommand): Promise<SandboxResult>;
  /** Kills what is left, and frees the uid and the limits. Safe to call twice. */
  close(): Promise<void>;
}

/** The isolation that was asked for cannot be built here. The message says what is missing and how to mend it; nothing weaker was run instead. */
export class SandboxUnavailableError extends Error {
  override readonly name = 'SandboxUnavailableError';
}
