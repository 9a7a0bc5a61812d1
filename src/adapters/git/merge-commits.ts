import { commitSha, type CommitSha } from '../../core/repository.ts';
import { MirrorError, type MergeOutcome } from '../../ports/repository-mirror.ts';
import { describeFailure, type GitResult } from './git-command.ts';
import type { ReadMirror } from './read-mirror.ts';

/** Whose name stands in a merge commit is nobody's business but must never change: it is part of the commit's id. */
const SIGNATURE = {
  GIT_AUTHOR_NAME: 'Holdfast',
  GIT_AUTHOR_EMAIL: 'holdfast@localhost',
  GIT_AUTHOR_DATE: '946684800 +0000',
  GIT_COMMITTER_NAME: 'Holdfast',
  GIT_COMMITTER_EMAIL: 'holdfast@localhost',
  GIT_COMMITTER_DATE: '946684800 +0000',
};

/** Merges in memory, without files; needs git 2.38. The commit is in the mirror afterwards, and no ref names it. */
export async function mergeCommits(read: ReadMirror, base: CommitSha, head: CommitSha): Promise<MergeOutcome> {
  const merged = await mergeTrees(read, base, head);
  const [tree = '', ...conflicts] = merged.stdout
    .toString()
    .split('\0')
    .filter((text) => text !== '');
  if (merged.exitCode === 1) return { kind: 'conflict', files: [...new Set(conflicts)] };
  const committed = await read('writing the merge of base and head', {
    args: ['commit-tree', '--no-gpg-sign', '-p', base, '-p', head, '-m', `Merge ${head} into ${base}`, tree],
    env: SIGNATURE,
  });
  return { kind: 'merged', sha: commitSha(committed.stdout.toString().trim()) };
}

async function mergeTrees(read: ReadMirror, base: CommitSha, head: CommitSha): Promise<GitResult> {
  const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--no-messages', base, head];
  const merged = await read('merging base and head', { args }, [0, 1, 128]);
  // A conflict ends with 1 as well, but names a tree. What else may be wrong is found out by the question for the merge base.
  if (merged.exitCode !== 128 && merged.stdout.length > 0) return merged;
  if ((await findMergeBase(read, base, head)) !== undefined)
    throw new MirrorError('failed', describeFailure('merging base and head', merged));
  throw new MirrorError('refused', `${base} and ${head} have no commit in common, so they cannot be merged`);
}

export async function findMergeBase(read: ReadMirror, a: CommitSha, b: CommitSha): Promise<CommitSha | undefined> {
  const result = await read('looking for the merge base', { args: ['merge-base', a, b] }, [0, 1]);
  return result.exitCode === 0 ? commitSha(result.stdout.toString().trim()) : undefined;
}
