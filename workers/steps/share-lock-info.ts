import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Mount } from '../../src/ports/sandbox.ts';

/**
 * Terraform's local backend writes its lock's info for its own uid only (mode 0600) and leaves it behind when it is killed. The next
 * slot has another uid, may not write the file, and could never lock again; so it is opened to all before a run. The lock itself is
 * another file's, and is not touched.
 *
 * Only a file right in the operator's mount is opened: that folder itself cannot have been swapped for a link by a run.
 */
export async function shareLockInfo(localPath: string, mounts: readonly Mount[]): Promise<void> {
  const place = mounts.find(({ source, target, mode }) => mode === 'rw' && (target ?? source) === dirname(localPath));
  if (place === undefined) return;
  const path = join(place.source, `.${basename(localPath)}.lock.info`);
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  // No such file, or a link: nothing to open. As an ordinary user we own the file, and need not.
  const file = await open(path, flags).catch(() => undefined);
  if (file === undefined) return;
  try {
    const found = await file.stat();
    if (found.isFile() && found.nlink === 1) await file.chmod(0o666);
  } finally {
    await file.close();
  }
}
