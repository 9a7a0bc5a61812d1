import type { PullRequest } from '../../core/pull-request.ts';
import { type CommitSha, fullName } from '../../core/repository.ts';
import type { MergeResult } from '../../ports/vcs-host.ts';
import type { Client } from './api-context.ts';
import type { HostParts } from './host-parts.ts';
import { isStatus } from './repositories.ts';
import { orHostError } from './to-host-error.ts';

type MergeMethod = 'merge' | 'squash' | 'rebase';

export function createMerge(parts: HostParts) {
  const { credentials, clock } = parts;

  /** GitHub's default is a merge commit, which is refused where the repository allows none: the first allowed one is taken. */
  async function allowedMethod(pull: PullRequest): Promise<MergeMethod | undefined> {
    const { octokit } = await credentials.forRepository(pull.repository, 'facts');
    const { data } = await octokit.rest.repos.get({ owner: pull.repository.owner, repo: pull.repository.name });
    const allowed: readonly (readonly [MergeMethod, boolean | undefined])[] = [
      ['merge', data.allow_merge_commit],
      ['squash', data.allow_squash_merge],
      ['rebase', data.allow_rebase_merge],
    ];
    return allowed.find(([, yes]) => yes === true)?.[0];
  }

  /** The head is pinned by the host itself: it answers 409 when another commit was pushed. */
  async function mergePullRequest(
    pull: PullRequest,
    headSha: CommitSha,
    method: MergeMethod | undefined,
  ): Promise<MergeResult> {
    return orHostError(clock, `merge ${fullName(pull.repository)}#${pull.number}`, async () => {
      const chosen = method ?? (await allowedMethod(pull));
      const client = await credentials.forRepository(pull.repository, 'merge');
      await client.budget.take({ priority: 'final' });
      try {
        return { kind: 'merged', sha: await merge(client, pull, headSha, chosen) };
      } catch (error) {
        if (isStatus(error, 409)) return { kind: 'head_moved' };
        if (isStatus(error, 405) || isStatus(error, 422)) return { kind: 'refused', reason: reasonOf(error) };
        throw error;
      }
    });
  }

  return { mergePullRequest };
}

async function merge(client: Client, pull: PullRequest, sha: CommitSha, method: MergeMethod | undefined) {
  const { data } = await client.octokit.rest.pulls.merge({
    owner: pull.repository.owner,
    repo: pull.repository.name,
    pull_number: pull.number,
    sha,
    ...(method ? { merge_method: method } : {}),
  });
  return data.sha;
}

/** Without the address of the documentation that Octokit appends. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/ - https?:\/\/\S+$/, '');
}
