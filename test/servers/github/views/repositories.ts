import type { Repository, Role } from '../state/model.ts';
import { atLeast } from '../state/permissions.ts';
import { fullName } from '../state/world.ts';
import { simpleUser } from './accounts.ts';
import { repositoryApi, repositoryHtml, type Urls, when } from './urls.ts';

const TEMPLATES = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
} as const;

/** GitHub's "minimal" repository: facts and links, without counters that cost. */
export function minimalRepository(urls: Urls, repository: Repository) {
  const api = repositoryApi(urls, repository);
  const templates = Object.fromEntries(Object.entries(TEMPLATES).map(([key, path]) => [key, `${api}${path}`]));
  return {
    id: repository.id,
    node_id: repository.nodeId,
    name: repository.name,
    full_name: fullName(repository),
    private: repository.private,
    owner: simpleUser(urls, repository.owner),
    html_url: repositoryHtml(urls, repository),
    description: null,
    fork: repository.parent !== undefined,
    url: api,
    ...templates,
  };
}

export function repositoryView(urls: Urls, repository: Repository, role?: Role) {
  const html = repositoryHtml(urls, repository);
  const open = [...repository.issues.values()].filter((issue) => issue.state === 'open').length;
  return {
    ...minimalRepository(urls, repository),
    clone_url: `${html}.git`,
    git_url: `${html.replace(/^http/, 'git')}.git`,
    ssh_url: `git@${new URL(html).hostname}:${fullName(repository)}.git`,
    svn_url: html,
    mirror_url: null,
    homepage: null,
    language: 'HCL',
    license: null,
    topics: [],
    default_branch: repository.defaultBranch,
    visibility: repository.private ? 'private' : 'public',
    archived: repository.archived,
    disabled: false,
    is_template: false,
    web_commit_signoff_required: false,
    allow_forking: true,
    has_issues: repository.hasIssues,
    has_projects: true,
    has_wiki: true,
    has_pages: false,
    has_downloads: true,
    has_discussions: false,
    size: 1,
    forks: 0,
    forks_count: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    open_issues: open,
    open_issues_count: open,
    created_at: when(repository.createdAt),
    updated_at: when(repository.updatedAt),
    pushed_at: when(repository.pushedAt),
    ...(role === undefined ? {} : { permissions: permissionsView(role) }),
  };
}

/** What `GET /repos/{owner}/{repo}` adds. */
export function fullRepositoryView(urls: Urls, repository: Repository, role: Role) {
  return {
    ...repositoryView(urls, repository, role),
    network_count: 0,
    subscribers_count: 0,
    allow_merge_commit: true,
    allow_squash_merge: true,
    allow_rebase_merge: true,
    allow_auto_merge: false,
    delete_branch_on_merge: false,
    ...(repository.parent === undefined ? {} : forkParents(urls, repository.parent)),
  };
}

function forkParents(urls: Urls, parent: Repository) {
  return { parent: repositoryView(urls, parent), source: repositoryView(urls, parent) };
}

function permissionsView(role: Role) {
  return {
    admin: role === 'admin',
    maintain: atLeast(role, 'maintain'),
    push: atLeast(role, 'write'),
    triage: atLeast(role, 'triage'),
    pull: atLeast(role, 'read'),
  };
}
