import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { createBubblewrapSandbox } from '../../src/adapters/bubblewrap/bubblewrap-sandbox.ts';
import type { SandboxCommand } from '../../src/ports/sandbox.ts';
import type { Benchmark, Figure } from './figure.ts';
import { measurePairs } from './pairs.ts';
import { estimateMedian, median } from './statistics.ts';

const GOAL_MS = 15;
const MIB = 1024 * 1024;
const LIMITS = { memoryBytes: 2048 * MIB, processes: 512, diskBytes: 4096 * MIB };
/** Of the users that Holdfast itself takes when it is root; a slot in use is passed over. */
const UIDS = { first: 2_000_000_000, count: 256 };
const PROGRAM = '/bin/true';

export const launch: Benchmark = {
  name: 'launch',
  about: 'a sandboxed launch of a program that does nothing, against one without a sandbox',
  run: async (options) => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-bench-launch-')));
    const checkout = join(folder, 'checkout');
    await mkdir(checkout);
    const slotsDirectory = join(folder, 'slots');
    const sandbox = createBubblewrapSandbox({ slotsDirectory, uidRange: UIDS, deniedAddresses: [] });
    try {
      await using slot = await sandbox.openSlot(LIMITS);
      await slot.own(checkout);
      const pairs = await measurePairs(options, {
        ours: () => timed(() => slot.run(command(checkout))),
        bare: () => timed(() => execa(PROGRAM, [], { cwd: folder, extendEnv: false, env: {} })),
      });
      return [figure(pairs)];
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function command(checkout: string): SandboxCommand {
  return {
    argv: [PROGRAM],
    cwd: checkout,
    env: {},
    mounts: [{ source: checkout, mode: 'rw' }],
    network: 'none',
    timeoutMs: 60_000,
    graceMs: 1_000,
    outputBytes: MIB,
  };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function figure(pairs: Awaited<ReturnType<typeof measurePairs>>): Figure {
  return {
    name: 'a sandboxed launch: added',
    unit: 'ms',
    goal: GOAL_MS,
    samples: pairs.length,
    ...estimateMedian(pairs.map(({ ours, bare }) => ours - bare)),
    details: {
      'sandboxed ms': median(pairs.map(({ ours }) => ours)),
      'bare ms': median(pairs.map(({ bare }) => bare)),
    },
  };
}
