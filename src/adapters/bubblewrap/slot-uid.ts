import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SandboxUnavailableError } from '../../ports/sandbox.ts';
import { processesOfUid } from './process-table.ts';

export interface UidRange {
  readonly first: number;
  readonly count: number;
}

/** An unprivileged uid that no other slot of this machine has. */
export interface SlotUid {
  readonly uid: number;
  /** Kills everything that still runs under the uid, and waits until it is gone. */
  killAll(): Promise<void>;
  release(): Promise<void>;
}

const KILL_PATIENCE_MS = 5_000;

/**
 * Claims a uid by binding an abstract socket named after it: exclusive over all programs of the machine, and the kernel gives it back when
 * its holder dies, which no lock file does. @throws SandboxUnavailableError when all are taken.
 */
export async function claimSlotUid(range: UidRange): Promise<SlotUid> {
  for (let index = 0; index < range.count; index += 1) {
    const uid = range.first + index;
    const claim = await bindClaim(uid);
    if (!claim) continue;
    await killAllOf(uid);
    return { uid, killAll: () => killAllOf(uid), release: () => closeServer(claim) };
  }
  throw new SandboxUnavailableError(
    `All ${range.count} user ids for sandboxes (from ${range.first}) are in use. Give the sandbox a larger range of user ids, or run less at once.`,
  );
}

async function bindClaim(uid: number): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  const bound = new Promise<Server | undefined>((resolve, reject) => {
    server.once('listening', () => resolve(server));
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
  });
  server.listen({ path: `\0holdfast-sandbox-uid-${uid}` });
  server.unref();
  return bound;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function killAllOf(uid: number): Promise<void> {
  const deadline = Date.now() + KILL_PATIENCE_MS;
  for (;;) {
    const left = processesOfUid(uid);
    if (left.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(`Processes of the sandbox's user ${uid} do not die: ${left.slice(0, 10).join(', ')}.`);
    for (const pid of left) signalQuietly(pid);
    await delay(5);
  }
}

function signalQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/** Why the range must not be used: a person or another program already owns uids in it, and a slot kills all processes of its uid. */
export async function uidRangeProblems(range: UidRange): Promise<string[]> {
  if (range.first < 1000 || range.count < 1)
    return [`The sandbox's user ids must start at 1000 or above, not at ${range.first}.`];
  const inRange = (first: number, count: number) => first < range.first + range.count && first + count > range.first;
  const people = (await lines('/etc/passwd')).filter((entry) => inRange(Number(entry[2]), 1));
  const delegated = (await lines('/etc/subuid')).filter((entry) => inRange(Number(entry[1]), Number(entry[2])));
  const owners = [...people, ...delegated].map((entry) => entry[0]);
  if (owners.length === 0) return [];
  return [
    `The sandbox's user ids ${range.first} to ${range.first + range.count - 1} belong to ${owners.join(', ')} (/etc/passwd, /etc/subuid). Choose a range that is free.`,
  ];
}

async function lines(path: string): Promise<string[][]> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));
}
