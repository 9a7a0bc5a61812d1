import type { CommitSha } from '../../core/repository.ts';
import { MirrorError, type ChangedFile, type TreeEntry } from '../../ports/repository-mirror.ts';
import { findMergeBase } from './merge-commits.ts';
import type { ReadMirror } from './read-mirror.ts';

const MODES: Readonly<Record<string, TreeEntry['kind']>> = {
  '100755': 'executable',
  '120000': 'symlink',
  '160000': 'submodule',
};

const STATUSES: Readonly<Record<string, ChangedFile['status']>> = {
  A: 'added',
  M: 'modified',
  D: 'removed',
  R: 'renamed',
  T: 'type_changed',
};

/** Every file of a commit, submodules and symlinks included, under the name the tree gives it, however odd. */
export async function listTree(read: ReadMirror, sha: CommitSha): Promise<readonly TreeEntry[]> {
  const result = await read('listing the files of a commit', {
    args: ['ls-tree', '-r', '-z', '-l', '--full-tree', `${sha}^{commit}`],
  });
  return splitNul(result.stdout).map(parseEntry);
}

/** `100644 blob OID    SIZE\tPATH`. Old trees hold modes such as 100664, which are plain files too. */
function parseEntry(line: string): TreeEntry {
  const tab = line.indexOf('\t');
  const [mode = '', , oid = '', size = ''] = line.slice(0, tab).split(/ +/);
  // Git's word for the size of an object that it cannot find.
  if (size === 'BAD') throw new MirrorError('damaged', `the mirror has lost the object ${oid}`);
  return { path: line.slice(tab + 1), oid, kind: MODES[mode] ?? 'file', size: size === '-' ? 0 : Number(size) };
}

const DIFF = ['diff-tree', '-r', '-z', '-M', '--name-status', '--no-commit-id', '--no-ext-diff', '--no-textconv'];

/** Without a common ancestor everything in `head` that differs counts. */
export async function listChanges(read: ReadMirror, base: CommitSha, head: CommitSha): Promise<readonly ChangedFile[]> {
  const compare = (args: readonly string[], expectedCodes?: readonly number[]) =>
    read('comparing base and head', { args: [...DIFF, ...args] }, expectedCodes);
  // Git refuses when there is no merge base, and when there are several: then it is looked for by itself.
  let result = await compare(['--merge-base', base, head], [0, 128]);
  if (result.exitCode !== 0) result = await compare([(await findMergeBase(read, base, head)) ?? base, head]);
  const fields = splitNul(result.stdout);
  const changes: ChangedFile[] = [];
  for (let index = 0; index < fields.length; ) {
    const status = STATUSES[fields[index]?.charAt(0) ?? ''] ?? 'modified';
    const [first = '', second = ''] = fields.slice(index + 1, index + 3);
    changes.push(status === 'renamed' ? { path: second, status, previousPath: first } : { path: first, status });
    index += status === 'renamed' ? 3 : 2;
  }
  return changes;
}

function splitNul(output: Buffer): string[] {
  const fields = output.toString().split('\0');
  fields.pop();
  return fields;
}
