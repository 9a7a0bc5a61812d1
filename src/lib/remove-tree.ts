import { rm } from 'node:fs/promises';
import { execa } from 'execa';

const PATIENCE_MS = 120_000;

/**
 * Removes a folder of ours whatever is left in it. Who runs as an ordinary user cannot empty a folder that a run has closed to its owner, so
 * it is opened first: by coreutils' chmod, which goes down by directory descriptors and follows no link that is put in its way.
 */
export async function removeTree(path: string): Promise<void> {
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 3 });
  try {
    await remove();
  } catch {
    const argv = ['--recursive', 'u+rwX', '--', path];
    // It complains of a file that is another's, which can be removed from a folder of ours all the same.
    await execa('chmod', argv, { extendEnv: false, env: {}, timeout: PATIENCE_MS, reject: false });
    await remove();
  }
}
