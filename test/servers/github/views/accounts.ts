import type { Account, App, Installation, Team } from '../state/model.ts';
import { type Urls, when } from './urls.ts';

export function simpleUser(urls: Urls, account: Account) {
  const url = `${urls.api}/users/${encodeURIComponent(account.login)}`;
  return {
    login: account.login,
    id: account.id,
    node_id: account.nodeId,
    avatar_url: `${urls.html}/avatars/${account.id}`,
    gravatar_id: '',
    url,
    html_url: `${urls.html}/${account.type === 'Bot' ? `apps/${account.login.replace('[bot]', '')}` : account.login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: account.type,
    user_view_type: 'public',
    site_admin: false,
  };
}

export function publicUser(urls: Urls, account: Account) {
  const created = '2011-01-25T18:44:36Z';
  return {
    ...simpleUser(urls, account),
    name: account.name,
    company: null,
    blog: '',
    location: null,
    email: account.email,
    hireable: null,
    bio: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: created,
    updated_at: created,
  };
}

export function appView(urls: Urls, app: App) {
  return {
    id: app.id,
    slug: app.slug,
    node_id: app.nodeId,
    client_id: `Iv23li${app.id}`,
    owner: simpleUser(urls, app.owner),
    name: app.name,
    description: null,
    external_url: `${urls.html}/apps/${app.slug}`,
    html_url: `${urls.html}/apps/${app.slug}`,
    created_at: when(app.createdAt),
    updated_at: when(app.createdAt),
    permissions: { ...app.permissions },
    events: [...app.events],
  };
}

export function installationView(urls: Urls, installation: Installation) {
  return {
    id: installation.id,
    account: simpleUser(urls, installation.account),
    access_tokens_url: `${urls.api}/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${urls.api}/installation/repositories`,
    html_url: `${urls.html}/organizations/${installation.account.login}/settings/installations/${installation.id}`,
    app_id: installation.app.id,
    app_slug: installation.app.slug,
    target_id: installation.account.id,
    target_type: installation.account.type,
    permissions: { ...installation.permissions },
    events: [...installation.app.events],
    created_at: when(installation.createdAt),
    updated_at: when(installation.createdAt),
    single_file_name: null,
    repository_selection: installation.repositoryIds === undefined ? 'all' : 'selected',
    suspended_by: null,
    suspended_at: installation.suspendedAt === undefined ? null : when(installation.suspendedAt),
  };
}

export function membershipView(urls: Urls, team: Team, account: Account, state: 'active' | 'pending') {
  const url = `${urls.api}/orgs/${team.organization.login}/teams/${team.slug}/memberships/${account.login}`;
  return { url, role: 'member', state };
}
