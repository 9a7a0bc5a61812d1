import { chmod, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SandboxedProgram } from '../../src/adapters/bubblewrap/launch.ts';
import { createUnsandboxed } from '../../src/adapters/no-sandbox/no-sandbox.ts';
import { OutputPipes } from '../../src/lib/output-pipes.ts';
import { until } from '../support/until.ts';

/** Both ends of sixteen pipes are made at once. */
const MADE = 32;
const TAKEN = 4;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-pipes-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** How many descriptors this program has open of what was made in the folder. */
async function countOpen(): Promise<number> {
  const fds = await readdir('/proc/self/fd');
  const links = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return links.filter((link) => link.startsWith(directory)).length;
}

const falls = (to: number) => until(async () => (await countOpen()) === to || undefined, 5_000);

const pipes = (mkfifo = '/usr/bin/mkfifo') => new OutputPipes({ mkfifo, directory });

test('a program that cannot even be asked for leaves no pipe open', async () => {
  await using slot = await createUnsandboxed({ directory }).openSlot({
    memoryBytes: 1,
    processes: 1,
    diskBytes: 1,
  });
  const run = slot.run({
    argv: ['/bin/echo', 'a\0b'],
    cwd: directory,
    env: {},
    mounts: [],
    network: 'none',
    timeoutMs: 1_000,
    graceMs: 1_000,
    outputBytes: 1_000,
  });
  await expect(run).rejects.toThrow('null bytes');
  await falls(MADE - TAKEN);
});

test('nor does one in front of which bubblewrap stands', async () => {
  const output = await pipes().take();
  const launch = () =>
    new SandboxedProgram(
      {
        bwrap: '/usr/bin/bwrap',
        drop: [],
        argv: ['a\0b'],
        outerArguments: undefined,
        innerArguments: [],
        seccomp: Buffer.alloc(0),
        onHeld: async () => {},
        network: undefined,
      },
      output,
    );
  expect(launch).toThrow('null bytes');
  await falls(MADE - TAKEN);
});

test('pipes that cannot be given to their owner are closed', async () => {
  await expect(pipes().take(2 ** 32)).rejects.toThrow('out of range');
  await falls(MADE - TAKEN);
});

test('a pipe of which only one end can be opened is closed', async () => {
  const mkfifo = join(directory, 'mkfifo');
  // A folder can be opened for reading, and not for writing.
  await writeFile(mkfifo, '#!/bin/sh\nshift 2\nexec /bin/mkdir -- "$@"\n');
  await chmod(mkfifo, 0o700);
  await expect(pipes(mkfifo).take()).rejects.toThrow('EISDIR');
  expect(await countOpen()).toBe(0);
});
