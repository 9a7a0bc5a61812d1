import { join } from 'node:path';
import { announce, type Hub } from '../hub.ts';
import type { Account, Repository } from '../state/model.ts';
import { commitFiles, type Files, findRef, git, initRepository, setRef } from '../state/git-store.ts';
import { fullName, pullsOf } from '../state/world.ts';
import { simpleUser } from '../views/accounts.ts';
import { branchMoved } from './branches.ts';

export interface RepositoryOrder {
  readonly owner: Account;
  readonly name: string;
  readonly private: boolean;
  readonly defaultBranch: string;
  readonly parent?: Repository;
}

export async function addRepository(hub: Hub, order: RepositoryOrder): Promise<Repository> {
  if (hub.world.findRepository(order.owner.login, order.name) !== undefined) {
    throw new Error(`There is a repository ${order.owner.login}/${order.name} already.`);
  }
  const id = hub.world.nextId();
  const now = new Date();
  const repository: Repository = {
    id,
    nodeId: hub.world.nodeId('R', id),
    owner: order.owner,
    name: order.name,
    gitDirectory: join(hub.folder, `${id}.git`),
    private: order.private,
    archived: false,
    deleted: false,
    defaultBranch: order.defaultBranch,
    parent: order.parent,
    roles: new Map(),
    teamRoles: [],
    nextNumber: 1,
    hasIssues: true,
    labels: [],
    issues: new Map(),
    departed: new Map(),
    comments: new Map(),
    statuses: [],
    suites: [],
    checkRuns: [],
    protections: new Map(),
    rules: [],
    activities: [],
    createdAt: now,
    updatedAt: now,
    pushedAt: now,
  };
  await initRepository(repository.gitDirectory, order.defaultBranch);
  hub.world.repositories.set(id, repository);
  hub.world.formerNames.delete(fullName(repository).toLowerCase());
  return repository;
}

/** One commit on a branch, which is made when it does not exist yet; everybody is told as after a push. */
export async function commitTo(
  hub: Hub,
  repository: Repository,
  order: { branch: string; from?: string; files: Files; message: string; author: Account },
): Promise<string> {
  const before = await findRef(repository.gitDirectory, `refs/heads/${order.branch}`);
  const sha = await commitFiles(repository.gitDirectory, { ...order, from: order.from ?? before });
  await branchMoved(hub, repository, { branch: order.branch, before, after: sha, actor: order.author });
  return sha;
}

/** A fork shares no objects with its parent; pull requests from it are copied into the parent as `refs/pull/N/head`. */
export async function forkRepository(hub: Hub, parent: Repository, owner: Account): Promise<Repository> {
  const existing = [...hub.world.repositories.values()].find(
    (one) => one.parent === parent && one.owner === owner && !one.deleted,
  );
  if (existing !== undefined) return existing;
  const { name, private: hidden, defaultBranch } = parent;
  const fork = await addRepository(hub, { owner, name, private: hidden, defaultBranch, parent });
  await git(fork.gitDirectory, ['fetch', '--quiet', parent.gitDirectory, '+refs/heads/*:refs/heads/*']);
  return fork;
}

export function renameRepository(hub: Hub, repository: Repository, name: string, sender: Account): void {
  const from = repository.name;
  hub.world.formerNames.set(fullName(repository).toLowerCase(), repository);
  repository.name = name;
  repository.updatedAt = new Date();
  announce(hub, 'repository', repository, sender, { action: 'renamed', changes: { repository: { name: { from } } } });
}

/** After a transfer only installations of the new owner hear of it, because only they see the repository. */
export function transferRepository(hub: Hub, repository: Repository, to: Account, sender: Account): void {
  const { owner } = repository;
  hub.world.formerNames.set(fullName(repository).toLowerCase(), repository);
  repository.owner = to;
  repository.updatedAt = new Date();
  const key = owner.type === 'Organization' ? 'organization' : 'user';
  const view = simpleUser(hub.urls, owner);
  const from = {
    [key]:
      key === 'user'
        ? view
        : { ...view, issues_url: '', hooks_url: '', members_url: '', public_members_url: '', description: '' },
  };
  announce(hub, 'repository', repository, sender, { action: 'transferred', changes: { owner: { from } } });
}

export function archiveRepository(hub: Hub, repository: Repository, archived: boolean, sender: Account): void {
  repository.archived = archived;
  repository.updatedAt = new Date();
  announce(hub, 'repository', repository, sender, { action: archived ? 'archived' : 'unarchived' });
}

export function deleteRepository(hub: Hub, repository: Repository, sender: Account): void {
  announce(hub, 'repository', repository, sender, { action: 'deleted' });
  repository.deleted = true;
  for (const other of hub.world.repositories.values()) {
    for (const pull of pullsOf(other)) if (pull.headRepository === repository) pull.headRepository = undefined;
  }
}

/** Open pull requests follow a renamed branch, as on GitHub; they are told by an `edited` of their base. */
export async function renameDefaultBranch(
  hub: Hub,
  repository: Repository,
  name: string,
  sender: Account,
): Promise<void> {
  const from = repository.defaultBranch;
  const sha = await findRef(repository.gitDirectory, `refs/heads/${from}`);
  if (sha === undefined) throw new Error(`${fullName(repository)} has no branch ${from}.`);
  await setRef(repository.gitDirectory, `refs/heads/${name}`, sha);
  await git(repository.gitDirectory, ['symbolic-ref', 'HEAD', `refs/heads/${name}`]);
  await git(repository.gitDirectory, ['update-ref', '-d', `refs/heads/${from}`]);
  repository.defaultBranch = name;
  repository.updatedAt = new Date();
  const protection = repository.protections.get(from);
  if (protection !== undefined) repository.protections.set(name, protection);
  for (const pull of pullsOf(repository)) if (pull.baseRef === from && pull.issue.state === 'open') pull.baseRef = name;
  const changes = { default_branch: { from } };
  announce(hub, 'repository', repository, sender, { action: 'edited', changes });
}
