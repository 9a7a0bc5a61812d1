import type { CommitSha, RepositoryRef } from '../../core/repository.ts';
import type { TreeEntry } from '../../ports/repository-mirror.ts';
import { listTree } from './list-tree.ts';
import type { ReadMirror } from './read-mirror.ts';

/** Head and base of a few pull requests. */
const REMEMBERED = 8;

export interface TreeCache {
  list(read: ReadMirror, repository: RepositoryRef, sha: CommitSha): Promise<readonly TreeEntry[]>;
}

/** A commit's files never change, and are asked for several times for every pull request: to see what there is, and for every file read. */
export function createTreeCache(): TreeCache {
  const known = new Map<string, Promise<readonly TreeEntry[]>>();
  return {
    list(read, { host, id }, sha) {
      const key = `${host}/${id}/${sha}`;
      const listed = known.get(key) ?? listTree(read, sha);
      // The one used last goes last.
      known.delete(key);
      known.set(key, listed);
      listed.catch(() => known.delete(key));
      const [oldest] = known.keys();
      if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest);
      return listed;
    },
  };
}
