import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { execa } from 'execa';

export interface DiskUsageOptions {
  readonly du: string;
  readonly chmod: string;
  readonly owned: readonly string[];
  readonly shared: readonly string[];
  readonly limitBytes: number;
  /** What the shared trees held before the slot's first command, by their paths; filled and kept from command to command. */
  readonly sharedBefore: Map<string, number>;
}

interface Usage {
  readonly bytes: number;
  readonly inodes: number;
}

interface Free {
  readonly bytes: number;
  readonly inodes: number;
}

/** However small, more files than this are refused: they would use up the file system's inodes. */
const MOST_FILES = 1_000_000;
const LONGEST_PAUSE_MS = 3_000;
/** A measurement may take this share of the time: the pause after it is that much longer. */
const PAUSE_PER_DURATION = 10;
const DU_PATIENCE_MS = 30_000;
/** Of the limit: as long as nothing was measured, a command that takes this much of the disk is worth a measurement. */
const UNMEASURED_SHARE = 1 / 8;

/**
 * How much a run's writable trees hold. Neither quotas nor sized file systems can be had as an ordinary user on an ordinary disk, so it is
 * measured: `statfs` at every look costs nothing and tells when `du` is worth its price, which a short command seldom is.
 * Between two looks a run may overshoot by what the disk takes in that time; RLIMIT_FSIZE bounds each single file.
 */
export class DiskUsage {
  readonly #options: DiskUsageOptions;
  readonly #roots: readonly string[];
  #sharedBefore = 0;
  #last: Usage;
  #freeThen: readonly Free[] = [];
  #nextAt = Number.POSITIVE_INFINITY;

  constructor(options: DiskUsageOptions) {
    this.#options = options;
    this.#roots = [...options.owned, ...options.shared];
    this.#last = {
      bytes: options.limitBytes * (1 - 2 * UNMEASURED_SHARE),
      inodes: MOST_FILES * (1 - 2 * UNMEASURED_SHARE),
    };
  }

  async begin(): Promise<void> {
    this.#freeThen = await Promise.all(this.#roots.map(freeSpace));
    this.#nextAt = performance.now() + LONGEST_PAUSE_MS;
    const { shared, sharedBefore } = this.#options;
    if (shared.length === 0) return;
    const key = shared.join('\0');
    const known = sharedBefore.get(key) ?? (await this.#measure(shared)).bytes;
    sharedBefore.set(key, known);
    this.#sharedBefore = known;
  }

  /** `pids`: names the run's processes, whose deleted but open files count as well; asked only when it is worth it. */
  async exceeded(pids: () => readonly number[]): Promise<boolean> {
    if (this.#roots.length === 0) return false;
    const free = await Promise.all(this.#roots.map(freeSpace));
    if (!this.#isDue(free)) return false;
    const startedAt = performance.now();
    this.#freeThen = free;
    const usage = await this.#measure(this.#roots);
    this.#last = { ...usage, bytes: usage.bytes - this.#sharedBefore + deletedOpenBytes(pids()) };
    const now = performance.now();
    this.#nextAt = now + Math.max(LONGEST_PAUSE_MS, (now - startedAt) * PAUSE_PER_DURATION);
    return this.#last.bytes > this.#options.limitBytes || this.#last.inodes > MOST_FILES;
  }

  #isDue(free: readonly Free[]): boolean {
    if (performance.now() >= this.#nextAt) return true;
    const spareBytes = Math.max(0, this.#options.limitBytes - this.#last.bytes) / 2;
    const spareInodes = Math.max(0, MOST_FILES - this.#last.inodes) / 2;
    return free.some((now, index) => {
      const then = this.#freeThen[index];
      return then !== undefined && (then.bytes - now.bytes > spareBytes || then.inodes - now.inodes > spareInodes);
    });
  }

  async #measure(roots: readonly string[]): Promise<Usage> {
    const first = await this.#du(roots);
    if (first.unreadable.length === 0) return first;
    // An ordinary user's run can close its own folders to hide what is in them; they are that user's, so they can be opened again.
    const argv = ['--recursive', 'u+rwX', '--', ...first.unreadable];
    await execa(this.#options.chmod, argv, { extendEnv: false, env: {}, reject: false, timeout: DU_PATIENCE_MS });
    const second = await this.#du(roots);
    return second.unreadable.length === 0 ? second : { bytes: Number.POSITIVE_INFINITY, inodes: second.inodes };
  }

  /** Files come and go while it counts, so its exit code says nothing. */
  async #du(roots: readonly string[]): Promise<Usage & { readonly unreadable: string[] }> {
    const run = (unit: string) =>
      execa(this.#options.du, ['--summarize', '--one-file-system', unit, '--null', '--', ...roots], {
        extendEnv: false,
        env: { LC_ALL: 'C' },
        reject: false,
        timeout: DU_PATIENCE_MS,
      });
    const [bytes, inodes] = await Promise.all([run('--block-size=1'), run('--inodes')]);
    const unreadable = [...bytes.stderr.matchAll(/cannot read directory '([^\n]+)': Permission denied/g)];
    return {
      bytes: total(bytes.stdout),
      inodes: total(inodes.stdout),
      unreadable: unreadable.map((match) => match[1] ?? ''),
    };
  }
}

function total(output: string): number {
  return output
    .split('\0')
    .filter(Boolean)
    .reduce((sum, line) => sum + Number.parseInt(line, 10), 0);
}

async function freeSpace(path: string): Promise<Free> {
  const figures = await statfs(path);
  return { bytes: figures.bfree * figures.bsize, inodes: figures.ffree };
}

/** `du` cannot see a file whose name is gone while a process still writes to it. */
function deletedOpenBytes(pids: readonly number[]): number {
  const seen = new Map<string, number>();
  for (const pid of pids) {
    for (const path of openFiles(pid)) {
      const file = deletedFile(path);
      if (file) seen.set(file.key, file.bytes);
    }
  }
  return [...seen.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
  } catch {
    return [];
  }
}

function deletedFile(path: string): { key: string; bytes: number } | undefined {
  try {
    if (!readlinkSync(path).endsWith(' (deleted)')) return undefined;
    const entry = statSync(path);
    return entry.isFile() && entry.nlink === 0
      ? { key: `${entry.dev}:${entry.ino}`, bytes: entry.blocks * 512 }
      : undefined;
  } catch {
    return undefined;
  }
}
