import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** The server of a cluster, as its postmaster.pid names it and /proc confirms it. */
export interface ServerProcess {
  readonly pid: number;
  /** `starting`, `ready`, `stopping`; empty before the first. */
  readonly status: string;
}

const POLL_MS = 20;
/** After a signal: SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one, after which it recovers from its log. */
const STOP_STEPS = [
  { signal: 'SIGINT', patienceMs: 60_000 },
  { signal: 'SIGQUIT', patienceMs: 10_000 },
  { signal: 'SIGKILL', patienceMs: 10_000 },
] as const;

/**
 * The running server of the cluster, or undefined. postmaster.pid alone proves nothing: it outlives a server that was killed, and its pid may
 * belong to somebody else by now. A PostgreSQL server works in its cluster's folder, so the process counts when its working directory is that
 * very folder (compared by device and inode, which hold through bind mounts). Lines of the file: pid, data directory, start, port, socket
 * folder, address, shared memory, status (https://www.postgresql.org/docs/18/storage-file-layout.html, src/include/utils/pidfile.h).
 */
export function findServer(cluster: string): ServerProcess | undefined {
  const lines = readIfThere(join(cluster, 'postmaster.pid'))
    .split('\n')
    .map((line) => line.trim());
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !worksIn(pid, cluster)) return undefined;
  return { pid, status: lines[7] ?? '' };
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function worksIn(pid: number, cluster: string): boolean {
  try {
    const [process, folder] = [statSync(`/proc/${pid}/cwd`), statSync(cluster)];
    return process.ino === folder.ino && process.dev === folder.dev;
  } catch {
    // One of them is gone, or the process is another user's and so not ours.
    return false;
  }
}

/** Stops the cluster's server and waits until it is gone; does nothing when none runs. Committed work is safe at every step. */
export async function stopServer(cluster: string): Promise<void> {
  const server = findServer(cluster);
  if (!server) return;
  for (const step of STOP_STEPS) {
    signalServer(server.pid, step.signal);
    const deadline = Date.now() + step.patienceMs;
    while (Date.now() < deadline) {
      if (!worksIn(server.pid, cluster)) return;
      await delay(POLL_MS);
    }
  }
  throw new Error(`The embedded database (process ${server.pid}) does not stop, not even when killed.`);
}

/** Asks for the fast shutdown and does not wait, for use where nothing can be awaited. */
export function endServerNow(cluster: string): void {
  const server = findServer(cluster);
  if (server) signalServer(server.pid, 'SIGINT');
}

function signalServer(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}
