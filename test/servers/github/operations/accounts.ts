import { generateKeyPairSync } from 'node:crypto';
import type { Hub } from '../hub.ts';
import type { Account, App, AppPermissions, Installation, PersonalToken, Repository, Team } from '../state/model.ts';

export function addAccount(hub: Hub, login: string, type: Account['type'] = 'User'): Account {
  const existing = hub.world.findAccount(login);
  if (existing !== undefined) return existing;
  const id = hub.world.nextId();
  const prefix = { User: 'U', Organization: 'O', Bot: 'BOT' }[type];
  const email = `${id}+${login.replace('[bot]', '')}@users.noreply.github.com`;
  const account: Account = { id, nodeId: hub.world.nodeId(prefix, id), login, name: login, email, type };
  hub.world.accounts.set(id, account);
  return account;
}

export function addTeam(hub: Hub, organization: string, slug: string, members: readonly string[]): Team {
  const owner = addAccount(hub, organization, 'Organization');
  const active = members.map((login) => [addAccount(hub, login).id, 'active'] as const);
  const team: Team = { id: hub.world.nextId(), slug, organization: owner, members: new Map(active) };
  hub.world.teams.push(team);
  return team;
}

/** A classic personal token of this account; it may do what the account may. */
export function addPersonalToken(hub: Hub, login: string): PersonalToken {
  const token: PersonalToken = { kind: 'personal', token: hub.world.token('ghp'), account: addAccount(hub, login) };
  hub.world.personalTokens.set(token.token, token);
  return token;
}

export interface AppOrder {
  readonly name: string;
  readonly owner: string;
  readonly permissions: AppPermissions;
  readonly events: readonly string[];
}

/** Registers an App with an RSA key of its own (PKCS#8 PEM; 2,048 bits as GitHub makes them). */
export function addApp(hub: Hub, order: AppOrder): App {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const id = hub.world.nextId();
  const slug = order.name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  const app: App = {
    id,
    nodeId: hub.world.nodeId('A', id),
    slug,
    name: order.name,
    owner: addAccount(hub, order.owner),
    bot: addAccount(hub, `${slug}[bot]`, 'Bot'),
    publicKey,
    privateKey,
    permissions: { metadata: 'read', ...order.permissions },
    events: order.events,
    createdAt: new Date(),
  };
  hub.world.apps.push(app);
  return app;
}

export function installApp(
  hub: Hub,
  app: App,
  owner: string,
  repositories: readonly Repository[] | 'all',
): Installation {
  const installation: Installation = {
    id: hub.world.nextId(),
    app,
    account: addAccount(hub, owner),
    permissions: app.permissions,
    repositoryIds: repositories === 'all' ? undefined : new Set(repositories.map((one) => one.id)),
    suspendedAt: undefined,
    createdAt: new Date(),
  };
  hub.world.installations.push(installation);
  return installation;
}
