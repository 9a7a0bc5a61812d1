import { announce, type Hub } from '../hub.ts';
import type {
  Account,
  App,
  Issue,
  IssueComment,
  PullRequest,
  Reaction,
  Repository,
  Review,
  ReviewState,
} from '../state/model.ts';
import { touch } from '../state/world.ts';
import { issueView } from '../views/issues.ts';
import { commentView, pullListItem, reviewView } from '../views/pulls.ts';

export interface Author {
  readonly account: Account;
  /** Set when an App writes. */
  readonly app?: App | undefined;
}

function announceComment(
  hub: Hub,
  repository: Repository,
  comment: IssueComment,
  action: string,
  by: Account,
  more = {},
): void {
  const issue = repository.issues.get(comment.number);
  if (issue === undefined) return;
  const payload = {
    action,
    ...more,
    issue: issueView(hub.urls, issue),
    comment: commentView(hub.urls, repository, comment),
  };
  announce(hub, 'issue_comment', repository, by, payload);
}

export function addComment(hub: Hub, repository: Repository, issue: Issue, author: Author, body: string): IssueComment {
  const id = hub.world.nextId();
  const now = new Date();
  const comment: IssueComment = {
    id,
    nodeId: hub.world.nodeId('IC', id),
    number: issue.number,
    author: author.account,
    app: author.app,
    body,
    createdAt: now,
    updatedAt: now,
    minimizedReason: undefined,
    reactions: [],
  };
  repository.comments.set(id, comment);
  touch(issue);
  announceComment(hub, repository, comment, 'created', author.account);
  return comment;
}

export function editComment(hub: Hub, repository: Repository, comment: IssueComment, body: string, by: Account): void {
  const from = comment.body;
  comment.body = body;
  comment.updatedAt = new Date();
  announceComment(hub, repository, comment, 'edited', by, { changes: { body: { from } } });
}

export function removeComment(hub: Hub, repository: Repository, comment: IssueComment, by: Account): void {
  repository.comments.delete(comment.id);
  announceComment(hub, repository, comment, 'deleted', by);
}

/** Idempotent, and without an event: GitHub has none for reactions. */
export function addReaction(
  hub: Hub,
  comment: IssueComment,
  author: Account,
  content: string,
): { reaction: Reaction; created: boolean } {
  const existing = comment.reactions.find((one) => one.author === author && one.content === content);
  if (existing !== undefined) return { reaction: existing, created: false };
  const id = hub.world.nextId();
  const reaction: Reaction = { id, nodeId: hub.world.nodeId('REA', id), author, content, createdAt: new Date() };
  comment.reactions.push(reaction);
  return { reaction, created: true };
}

export function addReview(
  hub: Hub,
  pull: PullRequest,
  order: { author: Account; state: ReviewState; body: string; commitId?: string },
): Review {
  const id = hub.world.nextId();
  const review: Review = {
    id,
    nodeId: hub.world.nodeId('PRR', id),
    author: order.author,
    state: order.state,
    body: order.body,
    commitId: order.commitId ?? pull.headSha,
    submittedAt: new Date(),
  };
  pull.reviews.push(review);
  touch(pull.issue);
  announceReview(hub, pull, review, 'submitted', order.author);
  return review;
}

export function dismissReview(hub: Hub, pull: PullRequest, review: Review, by: Account): void {
  review.state = 'DISMISSED';
  touch(pull.issue);
  announceReview(hub, pull, review, 'dismissed', by);
}

/** In the event the state is in lower case, unlike in the API. */
function announceReview(hub: Hub, pull: PullRequest, review: Review, action: string, by: Account): void {
  const view = reviewView(hub.urls, pull, review);
  const payload = {
    action,
    review: { ...view, state: view.state.toLowerCase() },
    pull_request: pullListItem(hub.urls, pull),
  };
  announce(hub, 'pull_request_review', pull.repository, by, payload);
}
