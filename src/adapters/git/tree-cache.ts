import type { CommitSha, RepositoryRef } from '../../core/repository.ts';
import { ByteCache } from '../../lib/byte-cache.ts';
import type { TreeEntry } from '../../ports/repository-mirror.ts';
import { listTree } from './list-tree.ts';
import type { ReadMirror } from './read-mirror.ts';

/** Head and base of a few pull requests; some hundred thousand files. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Beside its path. */
const ENTRY_BYTES = 250;

export interface TreeCache {
  list(read: ReadMirror, repository: RepositoryRef, sha: CommitSha): Promise<readonly TreeEntry[]>;
}

/** A commit's files never change, and are asked for several times for every pull request: to see what there is, and for every file read. */
export function createTreeCache(maxBytes = MAX_BYTES): TreeCache {
  const known = new ByteCache<readonly TreeEntry[]>(maxBytes, (entries) =>
    entries.reduce((bytes, { path }) => bytes + ENTRY_BYTES + path.length, 0),
  );
  return {
    list: (read, { host, id }, sha) => known.read(`${host}/${id}/${sha}`, () => listTree(read, sha)),
  };
}
