import type { Account, Issue, Label, Reaction, Repository } from '../state/model.ts';
import { atLeast, roleOf } from '../state/permissions.ts';
import { appView, simpleUser } from './accounts.ts';
import { repositoryApi, repositoryHtml, type Urls, when } from './urls.ts';

export function authorAssociation(repository: Repository, account: Account): string {
  if (repository.owner.id === account.id) return 'OWNER';
  return atLeast(roleOf(repository, account), 'triage') ? 'COLLABORATOR' : 'NONE';
}

export function labelView(urls: Urls, repository: Repository, label: Label) {
  return {
    id: label.id,
    node_id: label.nodeId,
    url: `${repositoryApi(urls, repository)}/labels/${encodeURIComponent(label.name)}`,
    name: label.name,
    color: label.color,
    default: false,
    description: '',
  };
}

/** Of an issue, and of a pull request, which is one. */
export function labelsView(urls: Urls, issue: Issue) {
  return issue.labels.map((label) => labelView(urls, issue.repository, label));
}

const CONTENTS = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'eyes', 'rocket'] as const;

export function rollup(url: string, reactions: readonly Reaction[]) {
  const counts = CONTENTS.map((content) => [content, reactions.filter((one) => one.content === content).length]);
  return { url, total_count: reactions.length, ...Object.fromEntries(counts) };
}

function pullLinks(pullUrl: string, html: string, issue: Issue) {
  const merged = issue.pull?.merged;
  return {
    url: pullUrl,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    merged_at: merged === undefined ? null : when(merged.at),
  };
}

function people(urls: Urls, issue: Issue) {
  const assignees = issue.assignees.map((account) => simpleUser(urls, account));
  return {
    user: simpleUser(urls, issue.author),
    assignee: assignees[0] ?? null,
    assignees,
    closed_by: issue.closedBy === undefined ? null : simpleUser(urls, issue.closedBy),
    author_association: authorAssociation(issue.repository, issue.author),
    performed_via_github_app: issue.app === undefined ? null : appView(urls, issue.app),
  };
}

export function issueView(urls: Urls, issue: Issue) {
  const { repository } = issue;
  const api = repositoryApi(urls, repository);
  const url = `${api}/issues/${issue.number}`;
  const html = `${repositoryHtml(urls, repository)}/${issue.pull === undefined ? 'issues' : 'pull'}/${issue.number}`;
  const pullRequest = pullLinks(`${api}/pulls/${issue.number}`, html, issue);
  return {
    url,
    repository_url: api,
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: html,
    id: issue.id,
    node_id: issue.nodeId,
    number: issue.number,
    title: issue.title,
    labels: labelsView(urls, issue),
    state: issue.state,
    state_reason: issue.stateReason,
    locked: issue.locked !== undefined,
    active_lock_reason: issue.locked?.reason ?? null,
    ...people(urls, issue),
    milestone: null,
    comments: [...repository.comments.values()].filter((comment) => comment.number === issue.number).length,
    created_at: when(issue.createdAt),
    updated_at: when(issue.updatedAt),
    closed_at: issue.closedAt === undefined ? null : when(issue.closedAt),
    body: issue.body,
    reactions: rollup(`${url}/reactions`, []),
    timeline_url: `${url}/timeline`,
    ...(issue.pull === undefined ? {} : { draft: issue.pull.draft, pull_request: pullRequest }),
  };
}
