import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { SlotLimits } from '../../ports/sandbox.ts';
import type { ControlGroup, GroupEvents } from './control-group.ts';
import { DiskUsage } from './disk-usage.ts';
import { type ProcessRow, processTree, readProcesses } from './process-table.ts';

export type LimitName = 'memory' | 'processes' | 'disk';

export interface UsageWatchOptions {
  readonly limits: SlotLimits;
  readonly group: ControlGroup | undefined;
  readonly du: string;
  readonly chmod: string;
  /** Directory trees of the slot: everything in them counts. */
  readonly owned: readonly string[];
  /** Other writable mounts: what is added to them during the run counts. */
  readonly shared: readonly string[];
  /** See `DiskUsageOptions`. */
  readonly sharedBefore: Map<string, number>;
  readonly onExceeded: (limit: LimitName) => void;
}

/** A hog touches about 2 GB a second and a fork bomb is stopped by RLIMIT_NPROC at once: this bounds what can be overshot. */
const INTERVAL_MS = 50;
/** Where the kernel holds the run to its limits, there is no hurry to read that it did. */
const GROUP_INTERVAL_MS = 250;

/**
 * Looks at what one run uses, and says once when a limit is exceeded. Where there is a control group the kernel holds memory and processes and
 * only its counters are read. Elsewhere the resident memory of the whole process tree is summed; when that is too much, shared pages are
 * counted once (PSS). Pages that no process maps (a memory file system's: bounded by its size) are not seen then.
 */
export class UsageWatch {
  readonly #options: UsageWatchOptions;
  readonly #disk: DiskUsage;
  #before: GroupEvents | undefined;
  #init: number | undefined;
  #loops: Promise<unknown> = Promise.resolve();
  readonly #stopping = new AbortController();

  constructor(options: UsageWatchOptions) {
    this.#options = options;
    this.#disk = new DiskUsage({ ...options, limitBytes: options.limits.diskBytes });
  }

  /** `init` is the sandbox's first process, as the host counts. */
  start(init: number): void {
    this.#init = init;
    // Two loops, so that a slow count of files never delays the look at memory.
    this.#loops = Promise.all([this.#watchMemoryAndProcesses(), this.#watchDisk()]);
  }

  /** What the control group held the run to since the start; for a run that failed. The counters stay after the processes are gone. */
  async exceeded(): Promise<LimitName | undefined> {
    const group = this.#options.group;
    if (!group || !this.#before) return undefined;
    const now = await group.events();
    if (now.memory > this.#before.memory) return 'memory';
    return now.processes > this.#before.processes ? 'processes' : undefined;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loops;
  }

  async #watchMemoryAndProcesses(): Promise<void> {
    this.#before = await this.#options.group?.events();
    await this.#repeat(() => this.#memoryAndProcesses(), this.#options.group ? GROUP_INTERVAL_MS : INTERVAL_MS);
  }

  async #watchDisk(): Promise<void> {
    await this.#disk.begin();
    await this.#repeat(async () => ((await this.#disk.exceeded(() => this.#pids())) ? 'disk' : undefined));
  }

  async #repeat(look: () => Promise<LimitName | undefined>, everyMs = INTERVAL_MS): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await delay(everyMs, undefined, { signal: this.#stopping.signal }).catch(() => {}); // Woken by the stop.
      if (this.#stopping.signal.aborted) return;
      const limit = await look();
      if (limit && !this.#stopping.signal.aborted) return this.#options.onExceeded(limit);
    }
  }

  async #memoryAndProcesses(): Promise<LimitName | undefined> {
    if (this.#options.group) return this.exceeded();
    if (this.#init === undefined) return undefined;
    const tree = processTree(recentProcesses(), this.#init);
    const { limits } = this.#options;
    if (sum(tree, (row) => row.threads) >= limits.processes) return 'processes';
    const resident = sum(tree, (row) => row.residentPages) * pageBytes();
    if (resident <= limits.memoryBytes) return undefined;
    return sum(tree, proportionalBytes) > limits.memoryBytes ? 'memory' : undefined;
  }

  #pids(): number[] {
    return this.#init === undefined ? [] : processTree(recentProcesses(), this.#init).map((row) => row.pid);
  }
}

let recent: { readonly at: number; readonly rows: ProcessRow[] } | undefined;

/** All watches share one reading per interval: /proc is the whole machine's. */
function recentProcesses(): ProcessRow[] {
  const now = performance.now();
  if (!recent || now - recent.at > INTERVAL_MS / 2) recent = { at: now, rows: readProcesses() };
  return recent.rows;
}

function sum(rows: readonly ProcessRow[], of: (row: ProcessRow) => number): number {
  return rows.reduce((total, row) => total + of(row), 0);
}

/** Shared pages divided among those who share them; the resident size where a process has closed itself to us. */
function proportionalBytes(row: ProcessRow): number {
  try {
    const line = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${row.pid}/smaps_rollup`, 'latin1'))?.[1];
    if (line !== undefined) return Number(line) * 1024;
  } catch {
    // Not readable: another user's, or gone.
  }
  return row.residentPages * pageBytes();
}

let knownPageBytes: number | undefined;

function pageBytes(): number {
  knownPageBytes ??=
    Number(/KernelPageSize:\s+(\d+) kB/.exec(readFileSync('/proc/self/smaps', 'latin1'))?.[1] ?? 4) * 1024;
  return knownPageBytes;
}
