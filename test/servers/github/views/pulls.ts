import type { Account, IssueComment, PullRequest, Reaction, Repository, Review } from '../state/model.ts';
import { appView, simpleUser } from './accounts.ts';
import { authorAssociation, labelsView, rollup } from './issues.ts';
import { repositoryView } from './repositories.ts';
import { repositoryApi, repositoryHtml, type Urls, when } from './urls.ts';

function side(urls: Urls, repository: Repository | undefined, owner: Account, ref: string, sha: string) {
  return {
    label: `${owner.login}:${ref}`,
    ref,
    sha,
    user: simpleUser(urls, owner),
    repo: repository === undefined || repository.deleted ? null : repositoryView(urls, repository),
  };
}

export function mergeCommitOf(pull: PullRequest): string | null {
  return pull.merged?.sha ?? pull.mergeCheck?.result?.sha ?? null;
}

/** An item of `GET pulls`: without mergeable, merged and the counters. */
export function pullListItem(urls: Urls, pull: PullRequest) {
  const { issue, repository } = pull;
  const api = repositoryApi(urls, repository);
  const html = `${repositoryHtml(urls, repository)}/pull/${issue.number}`;
  const self = `${api}/pulls/${issue.number}`;
  const issueUrl = `${api}/issues/${issue.number}`;
  const statuses = `${api}/statuses/${pull.headSha}`;
  return {
    url: self,
    id: pull.id,
    node_id: pull.nodeId,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: issueUrl,
    number: issue.number,
    state: issue.state,
    locked: issue.locked !== undefined,
    title: issue.title,
    user: simpleUser(urls, issue.author),
    body: issue.body,
    created_at: when(issue.createdAt),
    updated_at: when(issue.updatedAt),
    closed_at: issue.closedAt === undefined ? null : when(issue.closedAt),
    merged_at: pull.merged === undefined ? null : when(pull.merged.at),
    merge_commit_sha: mergeCommitOf(pull),
    assignee: issue.assignees[0] === undefined ? null : simpleUser(urls, issue.assignees[0]),
    assignees: issue.assignees.map((account) => simpleUser(urls, account)),
    requested_reviewers: [],
    requested_teams: [],
    labels: labelsView(urls, issue),
    milestone: null,
    draft: pull.draft,
    commits_url: `${self}/commits`,
    review_comments_url: `${self}/comments`,
    review_comment_url: `${api}/pulls/comments{/number}`,
    comments_url: `${issueUrl}/comments`,
    statuses_url: statuses,
    head: side(urls, pull.headRepository, pull.headOwner, pull.headRef, pull.headSha),
    base: side(urls, repository, repository.owner, pull.baseRef, pull.baseSha),
    _links: {
      self: { href: self },
      html: { href: html },
      issue: { href: issueUrl },
      comments: { href: `${issueUrl}/comments` },
      review_comments: { href: `${self}/comments` },
      review_comment: { href: `${api}/pulls/comments{/number}` },
      commits: { href: `${self}/commits` },
      statuses: { href: statuses },
    },
    author_association: authorAssociation(repository, issue.author),
    auto_merge: null,
    active_lock_reason: issue.locked?.reason ?? null,
  };
}

export interface PullFigures {
  readonly mergeable: boolean | null;
  readonly mergeableState: string;
  readonly commits: number;
  readonly additions: number;
  readonly deletions: number;
  readonly changedFiles: number;
}

export function pullView(urls: Urls, pull: PullRequest, figures: PullFigures) {
  const { issue, repository } = pull;
  const comments = [...repository.comments.values()].filter((comment) => comment.number === issue.number).length;
  return {
    ...pullListItem(urls, pull),
    merged: pull.merged !== undefined,
    mergeable: figures.mergeable,
    rebaseable: figures.mergeable,
    mergeable_state: figures.mergeableState,
    merged_by: pull.merged === undefined ? null : simpleUser(urls, pull.merged.by),
    comments,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: figures.commits,
    additions: figures.additions,
    deletions: figures.deletions,
    changed_files: figures.changedFiles,
  };
}

export function reactionView(urls: Urls, reaction: Reaction) {
  return {
    id: reaction.id,
    node_id: reaction.nodeId,
    user: simpleUser(urls, reaction.author),
    content: reaction.content,
    created_at: when(reaction.createdAt),
  };
}

export function commentView(urls: Urls, repository: Repository, comment: IssueComment) {
  const api = repositoryApi(urls, repository);
  const url = `${api}/issues/comments/${comment.id}`;
  const kind = repository.issues.get(comment.number)?.pull === undefined ? 'issues' : 'pull';
  return {
    url,
    html_url: `${repositoryHtml(urls, repository)}/${kind}/${comment.number}#issuecomment-${comment.id}`,
    issue_url: `${api}/issues/${comment.number}`,
    id: comment.id,
    node_id: comment.nodeId,
    user: simpleUser(urls, comment.author),
    created_at: when(comment.createdAt),
    updated_at: when(comment.updatedAt),
    author_association: authorAssociation(repository, comment.author),
    body: comment.body,
    reactions: rollup(`${url}/reactions`, comment.reactions),
    performed_via_github_app: comment.app === undefined ? null : appView(urls, comment.app),
  };
}

export function reviewView(urls: Urls, pull: PullRequest, review: Review) {
  const { repository, issue } = pull;
  const html = `${repositoryHtml(urls, repository)}/pull/${issue.number}#pullrequestreview-${review.id}`;
  const pullUrl = `${repositoryApi(urls, repository)}/pulls/${issue.number}`;
  return {
    id: review.id,
    node_id: review.nodeId,
    user: simpleUser(urls, review.author),
    body: review.body,
    state: review.state as string,
    html_url: html,
    pull_request_url: pullUrl,
    _links: { html: { href: html }, pull_request: { href: pullUrl } },
    submitted_at: when(review.submittedAt),
    commit_id: review.commitId,
    author_association: authorAssociation(repository, review.author),
  };
}
