import { constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';

/** What a sandbox left behind is not what it should be: a link, a device, or too big. */
export class UntrustedFileError extends Error {
  override readonly name = 'UntrustedFileError';
}

/**
 * Reads a file out of a folder that a sandbox could write to, after its processes are dead. Links that lead out of `root` and
 * anything but a regular file are refused, since we may be allowed to read what the sandbox was not.
 * @returns undefined when there is no such file.
 * @throws UntrustedFileError
 */
export async function readConfined(root: string, path: string, maxBytes: number): Promise<Buffer | undefined> {
  const file = await confinedPath(root, path);
  if (file === undefined) return undefined;
  const handle = await openRegular(file, path);
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) {
      throw new UntrustedFileError(`${basename(path)} has ${size} bytes; at most ${maxBytes} are taken.`);
    }
    const buffer = Buffer.alloc(size);
    const { bytesRead } = await handle.read(buffer, 0, size, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The path with its folder's links resolved, still inside `root`; undefined when the folder does not exist. */
export async function confinedPath(root: string, path: string): Promise<string | undefined> {
  const folder = await confinedDirectory(root, dirname(path));
  return folder === undefined ? undefined : join(folder, basename(path));
}

/**
 * A folder with its links resolved, still inside `root`; undefined when there is none.
 * @throws UntrustedFileError when a link leads out.
 */
export async function confinedDirectory(root: string, path: string): Promise<string | undefined> {
  try {
    const [top, folder] = await Promise.all([realpath(root), realpath(join(root, path))]);
    const inside = relative(top, folder);
    if (inside === '..' || inside.startsWith('../')) {
      throw new UntrustedFileError(`${path} lies outside of the folder it belongs to.`);
    }
    return (await lstat(folder)).isDirectory() ? folder : undefined;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}

async function openRegular(file: string, path: string): Promise<FileHandle | undefined> {
  try {
    // Opening a FIFO would wait for a writer, so it is looked at first; nobody is left who could swap it.
    const found = await lstat(file);
    if (!found.isFile()) throw new UntrustedFileError(`${basename(path)} is not a regular file.`);
    return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}

function isMissing(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
