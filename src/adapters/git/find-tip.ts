import { commitSha, type CommitSha } from '../../core/repository.ts';
import type { GitSource } from '../../ports/vcs-host.ts';
import { remoteFailure } from './fetch-refs.ts';
import type { RunGit } from './git-command.ts';
import { sourceSettings } from './git-environment.ts';

/**
 * Git looks through what it is sent and takes a name for the end of a longer one, too. So it is only `--heads` that
 * keeps the server from listing the refs of every pull request there ever was, and the answer is looked through again.
 */
export async function findTip(git: RunGit, source: GitSource, ref: string): Promise<CommitSha | undefined> {
  const args = ['ls-remote', '--quiet', '--heads', '--', source.url, ref];
  const result = await git({ args, ...sourceSettings(source) });
  if (result.exitCode !== 0) throw remoteFailure(source, result);
  const lines = result.stdout.toString().split('\n');
  const [sha] = lines.map((line) => line.split('\t')).find(([, name]) => name === ref) ?? [];
  return sha === undefined ? undefined : commitSha(sha);
}
