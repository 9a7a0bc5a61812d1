import type { Account, Repository } from './state/model.ts';
import type { World } from './state/world.ts';
import { fullName } from './state/world.ts';
import { simpleUser } from './views/accounts.ts';
import { repositoryView } from './views/repositories.ts';
import type { Urls } from './views/urls.ts';
import type { Deliverer } from './webhooks/deliverer.ts';

/** What every operation works on: the state, the addresses, the folder of the git repositories and the webhooks. */
export interface Hub {
  readonly world: World;
  readonly urls: Urls;
  readonly folder: string;
  readonly hooks: Deliverer;
  /** How many reads of a pull request answer `mergeable: null` after its commits changed. */
  readonly mergeableDelay: number;
}

/**
 * Sends an event of a repository as GitHub does: to every App installed there that subscribed to it (with `installation`),
 * and, where no App is installed, to the repository's own hook.
 */
export function announce(
  hub: Hub,
  event: string,
  repository: Repository,
  sender: Account,
  payload: Readonly<Record<string, unknown>>,
  onlyApp?: number,
): void {
  const common = {
    ...payload,
    repository: event === 'push' ? pushRepository(hub, repository) : repositoryView(hub.urls, repository),
    ...organizationOf(hub, repository),
    sender: simpleUser(hub.urls, sender),
  };
  const installations = hub.world.installationsOf(repository).filter((one) => one.suspendedAt === undefined);
  if (installations.length === 0 && onlyApp === undefined) {
    hub.hooks.send(event, common, { type: 'repository', id: repository.id, installationId: null }, repository.id);
  }
  for (const installation of installations) {
    if (onlyApp !== undefined && installation.app.id !== onlyApp) continue;
    if (onlyApp === undefined && !installation.app.events.includes(event)) continue;
    const node = Buffer.from(`installation:${installation.id}`).toString('base64');
    const target = { type: 'integration', id: installation.app.id, installationId: installation.id } as const;
    hub.hooks.send(event, { ...common, installation: { id: installation.id, node_id: node } }, target, repository.id);
  }
}

function organizationOf(hub: Hub, repository: Repository) {
  const { owner } = repository;
  if (owner.type !== 'Organization') return {};
  const url = `${hub.urls.api}/orgs/${owner.login}`;
  const organization = {
    login: owner.login,
    id: owner.id,
    node_id: owner.nodeId,
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `${hub.urls.html}/avatars/${owner.id}`,
    description: null,
  };
  return { organization };
}

/** The push event shows times as epoch seconds and the owner with a name, unlike every other event. */
function pushRepository(hub: Hub, repository: Repository) {
  const view = repositoryView(hub.urls, repository);
  const seconds = (date: Date) => Math.floor(date.getTime() / 1000);
  return {
    ...view,
    owner: { ...view.owner, name: repository.owner.login, email: repository.owner.email },
    url: `${hub.urls.html}/${fullName(repository)}`,
    created_at: seconds(repository.createdAt),
    pushed_at: seconds(repository.pushedAt),
    stargazers: 0,
    master_branch: repository.defaultBranch,
  };
}
