import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { CommitSha } from '../../core/repository.ts';
import type { TreeEntry } from '../../ports/repository-mirror.ts';
import { listTree } from './list-tree.ts';
import { isAbsent, type MirrorFolder } from './mirror-folder.ts';
import { readBlobs } from './read-blobs.ts';
import type { ReadMirror } from './read-mirror.ts';
import { listSome, MAX_TARGET_BYTES, selectEntries } from './select-entries.ts';

/** What is written for a commit, and the index to write it from. */
export interface PreparedExport {
  /** An index file of the caller's own, to be removed by it. */
  readonly indexPath: string;
  readonly outline: Outline;
}

/** Kept beside the index, so that the next export of the commit (a pull request has one per project) need not look again. */
const outlineSchema = z.object({
  files: z.number(),
  bytes: z.number(),
  refused: z.array(z.object({ path: z.string(), reason: z.string() })),
  notes: z.array(z.string()),
});
export type Outline = z.infer<typeof outlineSchema>;

/** Prepared exports live here in the mirror; `tidy-mirrors.ts` removes old ones. */
export const EXPORTS_FOLDER = 'holdfast-exports';

/** To be raised with every change of what `selectEntries` lets pass. */
const RULES = 'v1';

const INDEX_MODES: Readonly<Record<TreeEntry['kind'], string>> = {
  file: '100644',
  executable: '100755',
  symlink: '120000',
  submodule: '160000',
};

/** https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: a pointer is smaller than 1024 bytes and begins so. */
const LFS_POINTER = { bytes: 1_024, start: 'version https://git-lfs.github.com/spec/' };
const ATTRIBUTES_MAX_BYTES = 1_048_576;

export async function prepareExport(read: ReadMirror, folder: MirrorFolder, sha: CommitSha): Promise<PreparedExport> {
  const directory = join(folder.gitDir, EXPORTS_FOLDER);
  const kept = join(directory, `${RULES}-${sha}`);
  const indexPath = join(directory, `${randomUUID()}.tmp`);
  const known = await takeKept(kept, indexPath);
  if (known) return { indexPath, outline: known };
  await mkdir(directory, { recursive: true });
  const outline = await writeIndex(read, sha, indexPath);
  await keep(kept, indexPath, outline);
  return { indexPath, outline };
}

/** Forgets what was prepared for a commit, when it proved to be of no use. */
export async function forgetPrepared(folder: MirrorFolder, sha: CommitSha): Promise<void> {
  const kept = join(folder.gitDir, EXPORTS_FOLDER, `${RULES}-${sha}`);
  await rm(`${kept}.json`, { force: true });
  await rm(`${kept}.index`, { force: true });
}

/** A name of our own for the kept index: git takes an index that is removed in the meantime for an empty one. */
async function takeKept(kept: string, indexPath: string): Promise<Outline | undefined> {
  try {
    const outline = outlineSchema.safeParse(JSON.parse(await readFile(`${kept}.json`, 'utf8')));
    if (!outline.success) return undefined;
    await link(`${kept}.index`, indexPath);
    return outline.data;
  } catch (error) {
    if (isAbsent(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The outline comes last: where it is, the index is whole. */
async function keep(kept: string, indexPath: string, outline: Outline): Promise<void> {
  const ours = `${indexPath}.kept`;
  await link(indexPath, ours);
  await rename(ours, `${kept}.index`);
  await writeFile(ours, JSON.stringify(outline));
  await rename(ours, `${kept}.json`);
}

async function writeIndex(read: ReadMirror, sha: CommitSha, indexPath: string): Promise<Outline> {
  const entries = await listTree(read, sha);
  const { write, refused, notes } = selectEntries(entries, await readTargets(read, entries));
  await read('preparing the export', {
    args: ['update-index', '-z', '--index-info'],
    input: write.map((entry) => `${INDEX_MODES[entry.kind]} ${entry.oid}\t${entry.path}\0`).join(''),
    env: { GIT_INDEX_FILE: indexPath },
  });
  // Git writes no index at all when it is to hold nothing.
  await writeFile(indexPath, '', { flag: 'a' });
  const bytes = write.reduce((sum, entry) => sum + entry.size, 0);
  return { files: write.length, bytes, refused: [...refused], notes: [...notes, ...(await noteLfs(read, write))] };
}

async function readTargets(read: ReadMirror, entries: readonly TreeEntry[]): Promise<ReadonlyMap<string, string>> {
  const links = entries.filter((entry) => entry.kind === 'symlink' && entry.size <= MAX_TARGET_BYTES);
  const contents = links.length === 0 ? new Map<string, Buffer>() : await readBlobs(read, links);
  return new Map(links.map((entry) => [entry.path, contents.get(entry.oid)?.toString() ?? '']));
}

/** Pointers are looked for only where some `.gitattributes` speaks of LFS, so that most exports read nothing twice. */
async function noteLfs(read: ReadMirror, entries: readonly TreeEntry[]): Promise<string[]> {
  const settings = entries.filter(
    (entry) => entry.path.endsWith('.gitattributes') && entry.kind !== 'symlink' && entry.size < ATTRIBUTES_MAX_BYTES,
  );
  if (settings.length === 0) return [];
  const attributes = await readBlobs(read, settings);
  if (![...attributes.values()].some((text) => text.includes('filter=lfs'))) return [];
  const small = entries.filter((entry) => entry.kind !== 'symlink' && entry.size < LFS_POINTER.bytes);
  const contents = await readBlobs(read, small);
  const pointers = small.filter((entry) => contents.get(entry.oid)?.toString().startsWith(LFS_POINTER.start));
  if (pointers.length === 0) return [];
  const names = listSome(pointers.map((entry) => entry.path));
  return [`Git LFS is not fetched; these hold pointers instead of contents: ${names}`];
}
