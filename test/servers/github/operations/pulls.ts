import { announce, type Hub } from '../hub.ts';
import type { Account, PullRequest, Repository } from '../state/model.ts';
import { commitTree, findRef, git, setRef } from '../state/git-store.ts';
import { fullName, pullsOf, touch } from '../state/world.ts';
import { pullPayload } from '../webhooks/payloads.ts';
import { branchMoved, refreshPullRef } from './branches.ts';
import { addIssue } from './issues.ts';
import { mergeState, testMerge, unmetRequirements } from './mergeability.ts';

/** An operation GitHub refuses, with the status and message it refuses with. */
export class RefusedError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'RefusedError';
    this.status = status;
  }
}

export interface PullOrder {
  readonly title: string;
  readonly body: string | null;
  readonly author: Account;
  readonly headRepository: Repository;
  readonly headRef: string;
  readonly baseRef: string;
  readonly draft: boolean;
}

export async function openPull(hub: Hub, repository: Repository, order: PullOrder): Promise<PullRequest> {
  const headSha = await findRef(order.headRepository.gitDirectory, `refs/heads/${order.headRef}`);
  const baseSha = await findRef(repository.gitDirectory, `refs/heads/${order.baseRef}`);
  if (headSha === undefined) throw new RefusedError(422, 'head');
  if (baseSha === undefined) throw new RefusedError(422, 'base');
  const same = (pull: PullRequest) =>
    pull.headRepository === order.headRepository && pull.headRef === order.headRef && pull.baseRef === order.baseRef;
  if (pullsOf(repository).some((pull) => pull.issue.state === 'open' && same(pull))) {
    throw new RefusedError(
      422,
      `A pull request already exists for ${order.headRepository.owner.login}:${order.headRef}.`,
    );
  }
  const issue = addIssue(hub, repository, order);
  const id = hub.world.nextId();
  const pull: PullRequest = {
    id,
    nodeId: hub.world.nodeId('PR', id),
    issue,
    repository,
    headRepository: order.headRepository,
    headOwner: order.headRepository.owner,
    headRef: order.headRef,
    headSha,
    baseRef: order.baseRef,
    baseSha,
    draft: order.draft,
    merged: undefined,
    reviews: [],
    mergeCheck: undefined,
  };
  issue.pull = pull;
  await refreshPullRef(pull, headSha);
  announce(hub, 'pull_request', repository, order.author, await pullPayload(hub, pull, 'opened'));
  return pull;
}

export async function closePull(hub: Hub, pull: PullRequest, by: Account): Promise<void> {
  if (pull.issue.state === 'closed') return;
  markClosed(pull, by);
  announce(hub, 'pull_request', pull.repository, by, await pullPayload(hub, pull, 'closed'));
}

function markClosed(pull: PullRequest, by: Account): void {
  pull.issue.state = 'closed';
  pull.issue.closedAt = new Date();
  pull.issue.closedBy = by;
  touch(pull.issue);
}

export async function reopenPull(hub: Hub, pull: PullRequest, by: Account): Promise<void> {
  if (pull.merged !== undefined) throw new RefusedError(422, 'A merged pull request cannot be reopened.');
  if (pull.issue.state === 'open') return;
  pull.issue.state = 'open';
  pull.issue.closedAt = undefined;
  pull.issue.closedBy = undefined;
  const head =
    pull.headRepository === undefined
      ? undefined
      : await findRef(pull.headRepository.gitDirectory, `refs/heads/${pull.headRef}`);
  if (head !== undefined && head !== pull.headSha) {
    await refreshPullRef(pull, head);
    pull.headSha = head;
  }
  pull.baseSha = (await findRef(pull.repository.gitDirectory, `refs/heads/${pull.baseRef}`)) ?? pull.baseSha;
  touch(pull.issue);
  announce(hub, 'pull_request', pull.repository, by, await pullPayload(hub, pull, 'reopened'));
}

export async function setDraft(hub: Hub, pull: PullRequest, draft: boolean, by: Account): Promise<void> {
  if (pull.draft === draft) return;
  pull.draft = draft;
  touch(pull.issue);
  const action = draft ? 'converted_to_draft' : 'ready_for_review';
  announce(hub, 'pull_request', pull.repository, by, await pullPayload(hub, pull, action));
}

export async function retargetPull(hub: Hub, pull: PullRequest, base: string, by: Account): Promise<void> {
  const sha = await findRef(pull.repository.gitDirectory, `refs/heads/${base}`);
  if (sha === undefined) throw new RefusedError(422, `Proposed base branch '${base}' was not found`);
  const changes = { base: { ref: { from: pull.baseRef }, sha: { from: pull.baseSha } } };
  pull.baseRef = base;
  pull.baseSha = sha;
  touch(pull.issue);
  announce(hub, 'pull_request', pull.repository, by, await pullPayload(hub, pull, 'edited', { changes }));
}

export async function editPull(
  hub: Hub,
  pull: PullRequest,
  edit: { title?: string; body?: string | null },
  by: Account,
): Promise<void> {
  const changes: Record<string, { from: string }> = {};
  if (edit.title !== undefined && edit.title !== pull.issue.title) {
    changes['title'] = { from: pull.issue.title };
    pull.issue.title = edit.title;
  }
  if (edit.body !== undefined && edit.body !== pull.issue.body) {
    changes['body'] = { from: pull.issue.body ?? '' };
    pull.issue.body = edit.body;
  }
  if (Object.keys(changes).length === 0) return;
  touch(pull.issue);
  announce(hub, 'pull_request', pull.repository, by, await pullPayload(hub, pull, 'edited', { changes }));
}

export type MergeMethod = 'merge' | 'squash' | 'rebase';

export interface MergeOrder {
  readonly by: Account;
  readonly method: MergeMethod;
  /** Refused with 409 when it is not the head. */
  readonly sha?: string | undefined;
  readonly title?: string | undefined;
  readonly message?: string | undefined;
}

export async function mergePull(hub: Hub, pull: PullRequest, order: MergeOrder): Promise<string> {
  await assertMergeable(pull, order);
  const { repository } = pull;
  const sha = await makeMergeCommit(pull, order);
  await setRef(repository.gitDirectory, `refs/heads/${pull.baseRef}`, sha);
  const before = pull.baseSha;
  pull.merged = { at: new Date(), by: order.by, sha };
  markClosed(pull, order.by);
  await branchMoved(hub, repository, { branch: pull.baseRef, before, after: sha, actor: order.by });
  announce(hub, 'pull_request', repository, order.by, await pullPayload(hub, pull, 'closed'));
  return sha;
}

async function assertMergeable(pull: PullRequest, order: MergeOrder): Promise<void> {
  if (pull.issue.state !== 'open') throw new RefusedError(405, 'Pull Request is not mergeable');
  if (order.sha !== undefined && order.sha !== pull.headSha) {
    throw new RefusedError(409, 'Head branch was modified. Review and try the merge again.');
  }
  if (pull.draft) throw new RefusedError(405, 'Pull Request is still a draft');
  const test = await testMerge(pull);
  if (!test.mergeable) throw new RefusedError(405, 'Pull Request is not mergeable');
  const [unmet] = unmetRequirements(pull);
  if (unmet !== undefined) throw new RefusedError(405, unmet);
  if ((await mergeState(pull, true)) === 'behind')
    throw new RefusedError(405, 'Head branch is out of date. Review and try the merge again.');
}

async function makeMergeCommit(pull: PullRequest, order: MergeOrder): Promise<string> {
  const { repository, baseSha, headSha, issue } = pull;
  const directory = repository.gitDirectory;
  const tree = await git(directory, ['merge-tree', '--write-tree', baseSha, headSha]);
  const author = { name: order.by.name, email: order.by.email };
  const merged = `Merge pull request #${issue.number} from ${pull.headOwner.login}/${pull.headRef}`;
  const title = order.title ?? (order.method === 'merge' ? merged : `${issue.title} (#${issue.number})`);
  const message = `${title}\n\n${order.message ?? issue.title}`;
  const parents = order.method === 'merge' ? [baseSha, headSha] : [baseSha];
  return await commitTree(directory, { tree: tree.slice(0, 40), parents, message, author });
}

export function findPull(repository: Repository, number: number): PullRequest {
  const pull = repository.issues.get(number)?.pull;
  if (pull === undefined) throw new Error(`${fullName(repository)} has no pull request #${number}.`);
  return pull;
}
