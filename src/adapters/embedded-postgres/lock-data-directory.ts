import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Another process works in the data directory; the message names it. */
export class DataDirectoryInUseError extends Error {
  constructor(dataDirectory: string, holder: string) {
    super(
      `The data directory ${dataDirectory} is in use by another Holdfast (${holder}). Stop that one first, or give this one a data directory of its own with HOLDFAST_DATA_DIR.`,
    );
    this.name = 'DataDirectoryInUseError';
  }
}

export interface DataDirectoryLock {
  release(): void;
}

/** flock(1) exits with this status when the lock is taken. */
const TAKEN = 75;

/**
 * Makes this process the only Holdfast of a data directory, until it ends or releases the lock.
 *
 * The lock is an flock(2) on `<dataDirectory>/lock`: the kernel drops it when the process dies however it dies, it is not fooled by a reused
 * pid, and it counts between containers that share the directory. Node has no flock, so flock(1) of util-linux takes it on a descriptor that
 * we own: a lock belongs to the open file, which stays open here after flock(1) has gone. Children do not inherit it (O_CLOEXEC).
 *
 * @throws DataDirectoryInUseError when another process holds it.
 */
export async function lockDataDirectory(dataDirectory: string): Promise<DataDirectoryLock> {
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const file = join(dataDirectory, 'lock');
  const descriptor = openSync(file, 'a+', 0o600);
  try {
    takeLock(descriptor, dataDirectory, file);
    ftruncateSync(descriptor, 0);
    writeSync(descriptor, `process ${process.pid} on ${hostname()}, since ${new Date().toISOString()}\n`);
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  let released = false;
  return {
    release: () => {
      if (released) return;
      released = true;
      closeSync(descriptor);
    },
  };
}

/** With node:child_process, because execa hands no descriptor above 9 to a child. It does not wait for the lock, so it does not block. */
function takeLock(descriptor: number, dataDirectory: string, file: string): void {
  const result = spawnSync('flock', ['--exclusive', '--nonblock', '--conflict-exit-code', String(TAKEN), '3'], {
    stdio: ['ignore', 'ignore', 'pipe', descriptor],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    encoding: 'utf8',
  });
  if (result.status === 0) return;
  if (result.status === TAKEN)
    throw new DataDirectoryInUseError(dataDirectory, readFileSync(file, 'utf8').trim() || 'process unknown');
  const reason = result.error
    ? `flock could not be run (${result.error.message}); install the package util-linux`
    : result.stderr;
  throw new Error(`The data directory ${dataDirectory} cannot be locked: ${reason}`);
}
