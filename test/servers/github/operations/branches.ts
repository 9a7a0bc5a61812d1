import { announce, type Hub } from '../hub.ts';
import type { Account, Activity, PullRequest, Repository } from '../state/model.ts';
import { copyObjects, isAncestor, listCommits, setRef } from '../state/git-store.ts';
import { fullName, pullsOf, touch } from '../state/world.ts';
import { simpleCommit } from '../views/commits.ts';
import { pullPayload } from '../webhooks/payloads.ts';

export interface BranchMove {
  readonly branch: string;
  readonly before: string | undefined;
  /** undefined: the branch was deleted. */
  readonly after: string | undefined;
  readonly actor: Account;
}

const ZERO = '0'.repeat(40);

/** What GitHub does when a branch moved: activity, push event, pull requests from it and into it. */
export async function branchMoved(hub: Hub, repository: Repository, move: BranchMove): Promise<void> {
  const { before, after, branch } = move;
  if (before === after) return;
  repository.pushedAt = new Date();
  repository.updatedAt = repository.pushedAt;
  const forced =
    before !== undefined && after !== undefined && !(await isAncestor(repository.gitDirectory, before, after));
  recordActivity(hub, repository, move, forced);
  await announcePush(hub, repository, move, forced);
  for (const target of hub.world.repositories.values()) {
    for (const pull of pullsOf(target)) {
      if (pull.issue.state !== 'open') continue;
      if (pull.headRepository === repository && pull.headRef === branch) await moveHead(hub, pull, move);
      if (pull.repository === repository && pull.baseRef === branch && after !== undefined) pull.baseSha = after;
    }
  }
}

function recordActivity(hub: Hub, repository: Repository, move: BranchMove, forced: boolean): void {
  const id = hub.world.nextId();
  const before = move.before ?? ZERO;
  const after = move.after ?? ZERO;
  repository.activities.push({
    id,
    nodeId: hub.world.nodeId('PSH', id),
    before,
    after,
    ref: `refs/heads/${move.branch}`,
    actor: move.actor,
    type: activityType(before, after, forced),
    at: new Date(),
  });
}

function activityType(before: string, after: string, forced: boolean): Activity['type'] {
  if (before === ZERO) return 'branch_creation';
  if (after === ZERO) return 'branch_deletion';
  return forced ? 'force_push' : 'push';
}

async function announcePush(hub: Hub, repository: Repository, move: BranchMove, forced: boolean): Promise<void> {
  if (!hub.hooks.wanted) return;
  const { before, after, branch, actor } = move;
  const commits =
    after === undefined
      ? []
      : await listCommits(repository.gitDirectory, before === undefined ? after : `${before}..${after}`, 20);
  const html = `${hub.urls.html}/${fullName(repository)}`;
  const views = commits.toReversed().map((commit) => ({
    ...simpleCommit(commit),
    distinct: true,
    url: `${html}/commit/${commit.sha}`,
    author: { ...commit.author, username: actor.login },
    committer: { ...commit.author, username: actor.login },
    added: [],
    removed: [],
    modified: [],
  }));
  announce(hub, 'push', repository, actor, {
    ref: `refs/heads/${branch}`,
    before: before ?? ZERO,
    after: after ?? ZERO,
    created: before === undefined,
    deleted: after === undefined,
    forced,
    base_ref: null,
    compare: `${html}/compare/${(before ?? ZERO).slice(0, 12)}...${(after ?? ZERO).slice(0, 12)}`,
    commits: views,
    head_commit: views.at(-1) ?? null,
    pusher: { name: actor.login, email: actor.email },
  });
}

/** A pull request whose head branch was deleted is closed. */
async function moveHead(hub: Hub, pull: PullRequest, move: BranchMove): Promise<void> {
  if (move.after === undefined) {
    pull.issue.state = 'closed';
    pull.issue.closedAt = new Date();
    pull.issue.closedBy = move.actor;
    touch(pull.issue);
    announce(hub, 'pull_request', pull.repository, move.actor, await pullPayload(hub, pull, 'closed'));
    return;
  }
  const before = pull.headSha;
  await refreshPullRef(pull, move.after);
  pull.headSha = move.after;
  dismissStaleReviews(pull);
  touch(pull.issue);
  const payload = await pullPayload(hub, pull, 'synchronize', { before, after: move.after });
  announce(hub, 'pull_request', pull.repository, move.actor, payload);
}

/** `refs/pull/N/head` lives in the base repository, also for forks. */
export async function refreshPullRef(pull: PullRequest, sha: string): Promise<void> {
  const ref = `refs/pull/${pull.issue.number}/head`;
  const { repository, headRepository } = pull;
  if (headRepository === undefined || headRepository === repository) await setRef(repository.gitDirectory, ref, sha);
  else await copyObjects(headRepository.gitDirectory, repository.gitDirectory, sha, ref);
}

function dismissStaleReviews(pull: PullRequest): void {
  if (pull.repository.protections.get(pull.baseRef)?.dismissStaleReviews !== true) return;
  for (const review of pull.reviews) if (review.state === 'APPROVED') review.state = 'DISMISSED';
  touch(pull.issue);
}
