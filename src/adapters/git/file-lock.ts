import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { MirrorError } from '../../ports/repository-mirror.ts';

export interface FileLock extends AsyncDisposable {
  /**
   * Hand this, as standard input, to a child that may write refs under the lock: a child that outlives us (we were killed) then keeps the lock
   * until it has ended as well.
   */
  readonly held: Readable;
}

/**
 * An exclusive lock between processes of this machine, waited for as long as `timeoutMs`.
 *
 * It is the kernel's flock(2) on a file of ours, which is free again the moment its last holder is dead, however it died:
 * there is no owner to record, so none can be stale. Node has no call for it, and the lock libraries for Node go by
 * file times and process ids instead; `flock` from util-linux takes the lock on the descriptor it inherits, and the
 * lock stays with that descriptor when `flock` has ended.
 */
export async function lockFile(path: string, timeoutMs: number): Promise<FileLock> {
  const handle = await open(path, 'a+', 0o600);
  // A stream nobody reads: execa's types take no descriptor above 9.
  const held = createReadStream(path, { fd: handle.fd, autoClose: false });
  const result = await execa('flock', ['--exclusive', '0'], {
    extendEnv: false,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    stdin: held,
    timeout: timeoutMs,
    reject: false,
  });
  if (result.exitCode === 0) return { held, [Symbol.asyncDispose]: () => handle.close() };
  await handle.close();
  if (result.code === 'ENOENT') {
    throw new MirrorError('failed', 'flock is not to be found; install it: apt-get install util-linux');
  }
  throw new MirrorError(
    'unavailable',
    result.timedOut
      ? `another process has been working on this mirror for more than ${Math.round(timeoutMs / 1000)} s`
      : `the lock ${path} could not be taken: ${result.stderr}`,
  );
}
