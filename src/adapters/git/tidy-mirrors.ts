import { readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockFile } from './file-lock.ts';
import type { RunGit } from './git-command.ts';
import { LEFTOVER_PREFIX, lastUsed, removeMirror, type MirrorFolder } from './mirror-folder.ts';
import { EXPORTS_FOLDER } from './prepare-export.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const LEFTOVER_AGE_MS = DAY_MS;
/** A thorough tidying reads the whole repository; the quick one between only puts small packs together. */
const THOROUGH_EVERY_MS = 7 * DAY_MS;
/** Merges are named by no ref; what a run of the last two weeks may still need is kept. Git's own default for the same reason. */
const KEEP_UNREACHABLE = '14.days.ago';
const MANY_PACKS = 20;
const TIDIED = 'holdfast-tidied';

/** Removes mirrors not used since, tidies the others, and clears away what killed processes left. Answers how many were removed. */
export async function tidyMirrors(
  directory: string,
  git: RunGit,
  timeoutMs: number,
  unusedSince: Date,
): Promise<number> {
  let removed = 0;
  for (const folder of await listMirrors(directory)) {
    if (await removeUnused(folder, timeoutMs, unusedSince)) removed += 1;
    else await tidyMirror(folder, git, timeoutMs);
  }
  return removed;
}

/** Looks at the time of use again under the lock: a fetch may have come first. */
async function removeUnused(folder: MirrorFolder, timeoutMs: number, unusedSince: Date): Promise<boolean> {
  if (!isBefore(await lastUsed(folder), unusedSince)) return false;
  await using _lock = await lockFile(folder.lockPath, timeoutMs);
  if (!isBefore(await lastUsed(folder), unusedSince)) return false;
  await removeMirror(folder);
  return true;
}

/**
 * Repacking takes no lock of ours and may run beside fetches and reads: git writes the new pack before it removes the
 * old, and a reader looks again. Only the packing of refs is kept apart from those who write refs.
 */
async function tidyMirror(folder: MirrorFolder, git: RunGit, timeoutMs: number): Promise<void> {
  const { gitDir } = folder;
  await removeLeftovers(gitDir);
  await removeLeftovers(join(gitDir, 'objects', 'pack'), 'tmp_');
  await removeLeftovers(join(gitDir, EXPORTS_FOLDER), '');
  const tidied = (await stat(join(gitDir, TIDIED)).catch(() => undefined))?.mtimeMs ?? 0;
  if (Date.now() - tidied > THOROUGH_EVERY_MS) {
    {
      await using lock = await lockFile(folder.lockPath, timeoutMs);
      await git({ gitDir, args: ['pack-refs', '--all'], held: lock.held });
    }
    await git({ gitDir, args: ['repack', '-A', '-d', '-q', `--unpack-unreachable=${KEEP_UNREACHABLE}`] });
    await git({ gitDir, args: ['prune', `--expire=${KEEP_UNREACHABLE}`] });
    await touch(join(gitDir, TIDIED));
  } else if ((await countPacks(gitDir)) > MANY_PACKS) {
    await git({ gitDir, args: ['repack', '-d', '-q', '--geometric=2'] });
  }
}

async function listMirrors(directory: string): Promise<readonly MirrorFolder[]> {
  const folders: MirrorFolder[] = [];
  for (const host of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    if (!host.isDirectory()) continue;
    const parent = join(directory, host.name);
    await removeLeftovers(parent);
    for (const name of await readdir(parent)) {
      if (!name.endsWith('.git')) continue;
      const base = join(parent, name.slice(0, -'.git'.length));
      folders.push({ gitDir: `${base}.git`, lockPath: `${base}.lock` });
    }
  }
  return folders;
}

async function removeLeftovers(directory: string, prefix = LEFTOVER_PREFIX): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    const path = join(directory, name);
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > LEFTOVER_AGE_MS) await rm(path, { recursive: true, force: true });
  }
}

async function countPacks(gitDir: string): Promise<number> {
  const names = await readdir(join(gitDir, 'objects', 'pack')).catch(() => []);
  return names.filter((name) => name.endsWith('.pack')).length;
}

async function touch(path: string): Promise<void> {
  await writeFile(path, '');
  await utimes(path, new Date(), new Date());
}

function isBefore(used: Date | undefined, since: Date): boolean {
  return used !== undefined && used < since;
}
