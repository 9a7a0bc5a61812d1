import { mkdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { RepositoryRef } from '../../core/repository.ts';
import { MirrorError } from '../../ports/repository-mirror.ts';
import { describeFailure, type RunGit } from './git-command.ts';

/** One repository's place on disk. */
export interface MirrorFolder {
  /** The bare repository. */
  readonly gitDir: string;
  readonly lockPath: string;
}

/**
 * `info/attributes` has the highest rank of all attribute files, so these lines undo whatever a commit's own
 * `.gitattributes` says: files are written byte for byte, merges are plain text merges, and no filter or driver is looked up.
 */
const NEUTRAL_ATTRIBUTES =
  '* -text !crlf !eol -ident !filter !working-tree-encoding !merge !diff !conflict-marker-size !export-ignore !export-subst\n';

const USED = 'holdfast-used';
const SUSPECT = 'holdfast-suspect';
/** Folders with this beginning belong to nobody once they are old; see `tidy-mirrors.ts`. */
export const LEFTOVER_PREFIX = '.leftover-';

export function mirrorFolder(directory: string, repository: RepositoryRef): MirrorFolder {
  const base = join(directory, safeName(repository.host.toLowerCase()), safeName(repository.id));
  return { gitDir: `${base}.git`, lockPath: `${base}.lock` };
}

/** The mirror as it is on disk; undefined when there is none. Notes that it was used. */
export async function openMirror(folder: MirrorFolder): Promise<MirrorFolder | undefined> {
  const now = new Date();
  try {
    await utimes(join(folder.gitDir, USED), now, now);
    return folder;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Under the lock: makes the mirror when there is none, or when the one that is there was found to be damaged. */
export async function ensureMirror(folder: MirrorFolder, git: RunGit): Promise<void> {
  if ((await exists(join(folder.gitDir, SUSPECT))) || !(await exists(join(folder.gitDir, 'HEAD')))) {
    await rebuildMirror(folder, git);
    return;
  }
  if (!(await openMirror(folder))) await rebuildMirror(folder, git);
}

/** Under the lock: puts an empty mirror in the place of whatever is there. A reader that has the old one open fails and asks again. */
export async function rebuildMirror(folder: MirrorFolder, git: RunGit): Promise<void> {
  const parent = join(folder.gitDir, '..');
  await mkdir(parent, { recursive: true, mode: 0o700 });
  const fresh = join(parent, `${LEFTOVER_PREFIX}${randomUUID()}`);
  const made = await git({ args: ['init', '--quiet', '--bare', '--template=', '--initial-branch=none', '--', fresh] });
  if (made.exitCode !== 0) throw new MirrorError('failed', describeFailure('a mirror could not be made', made));
  await mkdir(join(fresh, 'info'), { recursive: true });
  await writeFile(join(fresh, 'info', 'attributes'), NEUTRAL_ATTRIBUTES);
  await writeFile(join(fresh, USED), '');
  await removeMirror(folder);
  await rename(fresh, folder.gitDir);
}

/** Under the lock: takes the mirror away in one step, so that nobody meets half of it, then deletes it. */
export async function removeMirror(folder: MirrorFolder): Promise<void> {
  const doomed = join(folder.gitDir, '..', `${LEFTOVER_PREFIX}${randomUUID()}`);
  try {
    await rename(folder.gitDir, doomed);
  } catch (error) {
    if (isAbsent(error)) return;
    throw error;
  }
  await rm(doomed, { recursive: true, force: true });
}

/** From any process, without the lock: the next fetch builds the mirror anew. */
export async function markDamaged(folder: MirrorFolder): Promise<void> {
  await writeFile(join(folder.gitDir, SUSPECT), '').catch((error: unknown) => {
    if (!isAbsent(error)) throw error;
  });
}

/** When the mirror was last used; undefined when it is not there or not whole. */
export async function lastUsed(folder: MirrorFolder): Promise<Date | undefined> {
  return (await stat(join(folder.gitDir, USED)).catch(() => undefined))?.mtime;
}

/** Hosts and ids as folder names: what is not plain is written as `%` and its code, and `.` and `..` cannot come out. */
function safeName(text: string): string {
  const name = encodeURIComponent(text)
    .replaceAll('*', '%2A')
    .replace(/^\.+/, (dots) => '%2E'.repeat(dots.length));
  if (name === '' || name.length > 200) {
    throw new TypeError(`not a host name or repository id: ${JSON.stringify(text.slice(0, 80))}`);
  }
  return name;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

export function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
