import type { Account, PullRequest } from '../../core/pull-request.ts';
import { type CommitSha, commitSha, fullName, type RepositoryRef } from '../../core/repository.ts';
import type { HostParts } from './host-parts.ts';
import { type GithubRepository, isStatus, type Repositories, toRepository } from './repositories.ts';
import { orHostError } from './to-host-error.ts';

interface GithubUser {
  readonly id: number;
  readonly login: string;
}

interface GithubPull {
  readonly number: number;
  readonly node_id: string;
  readonly title: string;
  readonly html_url: string;
  readonly state: string;
  readonly draft?: boolean;
  readonly merged?: boolean;
  readonly merged_at: string | null;
  readonly user: GithubUser | null;
  readonly labels: readonly { readonly name: string }[];
  readonly head: { readonly sha: string; readonly ref: string; readonly repo: { readonly id: number } | null };
  readonly base: { readonly sha: string; readonly ref: string; readonly repo: GithubRepository };
}

/** Deleted accounts are shown as this user on github.com; it has no permission anywhere. */
export const GHOST: Account = { id: '10137', login: 'ghost' };

export function toAccount(user: GithubUser | null | undefined): Account {
  return user ? { id: String(user.id), login: user.login } : GHOST;
}

/** Lists lack `merged`, so the time of the merge tells it; while a pull request is open there is none to believe. */
function stateOf(data: GithubPull): PullRequest['state'] {
  if (data.state === 'open') return 'open';
  return (data.merged ?? data.merged_at !== null) ? 'merged' : 'closed';
}

function toPullRequest(host: string, data: GithubPull): PullRequest {
  return {
    repository: toRepository(host, data.base.repo),
    number: data.number,
    title: data.title,
    url: data.html_url,
    state: stateOf(data),
    draft: data.draft === true,
    // `head.repo` is null when the fork was deleted.
    fork: data.head.repo?.id !== data.base.repo.id,
    author: toAccount(data.user),
    headSha: commitSha(data.head.sha),
    headRef: data.head.ref,
    baseRef: data.base.ref,
    baseSha: commitSha(data.base.sha),
    labels: data.labels.map((label) => label.name),
    nodeId: data.node_id,
  };
}

/** Just after its webhook a pull request may still answer 404. */
const NOT_YET_MS = [1_000, 3_000];

export function createPullRequests(parts: HostParts, repositories: Repositories) {
  const { host, credentials, clock } = parts;

  async function read(ref: RepositoryRef, number: number): Promise<PullRequest> {
    const { octokit } = await credentials.forRepository(ref, 'facts');
    const { data } = await octokit.rest.pulls.get({ owner: ref.owner, repo: ref.name, pull_number: number });
    return toPullRequest(host, data);
  }

  async function readPatiently(ref: RepositoryRef, number: number): Promise<PullRequest> {
    for (const wait of NOT_YET_MS) {
      try {
        return await read(ref, number);
      } catch (error) {
        if (!isStatus(error, 404)) throw error;
        await clock.sleep(wait);
      }
    }
    return read(ref, number);
  }

  async function getPullRequest(ref: RepositoryRef, number: number): Promise<PullRequest> {
    return orHostError(clock, `read the pull request ${fullName(ref)}#${number}`, async () => {
      const pull = await readPatiently(ref, number);
      if (pull.repository.id === ref.id) return pull;
      // Another repository has taken the old name.
      return read(await repositories.getRepository(ref), number);
    });
  }

  async function listOpenPullRequests(ref: RepositoryRef): Promise<readonly PullRequest[]> {
    return orHostError(clock, `list the open pull requests of ${fullName(ref)}`, async () => {
      const { octokit } = await credentials.forRepository(ref, 'facts');
      const pulls = await octokit.paginate(octokit.rest.pulls.list, {
        owner: ref.owner,
        repo: ref.name,
        state: 'open',
        sort: 'updated',
        direction: 'desc',
        per_page: 100,
      });
      return pulls.map((pull) => toPullRequest(host, pull));
    });
  }

  /** The host's own answer knows nothing of commits that live in forks, so the open pull requests are looked through as well. */
  async function findPullRequestsOfCommit(ref: RepositoryRef, sha: CommitSha): Promise<readonly number[]> {
    const known = await orHostError(clock, `find the pull requests of ${sha}`, async () => {
      const { octokit } = await credentials.forRepository(ref, 'facts');
      const { data } = await octokit.rest.repos.listPullRequestsAssociatedWithCommit({
        owner: ref.owner,
        repo: ref.name,
        commit_sha: sha,
        per_page: 100,
      });
      return data.map((pull) => pull.number);
    });
    if (known.length > 0) return known;
    const open = await listOpenPullRequests(ref);
    return open.filter((pull) => pull.headSha === sha).map((pull) => pull.number);
  }

  return { getPullRequest, listOpenPullRequests, findPullRequestsOfCommit };
}
