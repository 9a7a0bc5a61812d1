import type { CommitSha } from '../../core/repository.ts';
import { MirrorError } from '../../ports/repository-mirror.ts';
import { describeFailure, type GitCall, type GitResult, type RunGit } from './git-command.ts';
import type { MirrorFolder } from './mirror-folder.ts';

/** Answers with the result of a git call on a mirror, or throws why not. */
export type ReadMirror = (
  what: string,
  call: Omit<GitCall, 'gitDir'>,
  expectedCodes?: readonly number[],
) => Promise<GitResult>;

/** Git's words for objects and packs that are not as they should be; from `object-file.c`, `packfile.c` and `setup.c`. */
const DAMAGE =
  /corrupt|bad object|bad tree|unable to read|could not read|inflate|packfile|pack has bad|loose object|missing (?:blob|tree|commit)|not a git repository|hash mismatch|garbage/i;

/**
 * Reads from a mirror for which these commits are needed. A failure is looked into: a commit that is not there is
 * `missing`; broken files make the mirror `damaged`.
 */
export function readMirror(git: RunGit, folder: MirrorFolder, commits: readonly CommitSha[]): ReadMirror {
  return async (what, call, expectedCodes = [0]) => {
    const result = await git({ ...call, gitDir: folder.gitDir });
    if (result.exitCode !== undefined && expectedCodes.includes(result.exitCode)) return result;
    if (result.stoppedBy === 'output') throw new MirrorError('refused', describeFailure(what, result));
    if (result.stoppedBy === 'timeout') throw new MirrorError('unavailable', describeFailure(what, result));
    for (const sha of commits) {
      if (!(await hasCommit(git, folder, sha))) {
        throw new MirrorError('missing', `${what}: the mirror does not hold the commit ${sha}`);
      }
    }
    if (!DAMAGE.test(result.stderr)) throw new MirrorError('failed', describeFailure(what, result));
    throw new MirrorError('damaged', `${describeFailure(what, result)}; the next fetch builds the mirror anew`);
  };
}

export async function hasCommit(git: RunGit, folder: MirrorFolder, sha: CommitSha): Promise<boolean> {
  const result = await git({ gitDir: folder.gitDir, args: ['cat-file', '-e', `${sha}^{commit}`] });
  if (result.stoppedBy === 'timeout')
    throw new MirrorError('unavailable', describeFailure('looking for a commit', result));
  return result.exitCode === 0;
}
