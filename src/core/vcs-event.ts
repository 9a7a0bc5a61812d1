import type { Account } from './pull-request.ts';

/**
 * A delivery, translated by the host's adapter. It says where to look again, never what is true:
 * the order of deliveries is not guaranteed and the payload may be days old.
 * `repositoryId` and `number` are the host's; everything else is asked from the API when the event is handled.
 */
export type VcsEvent =
  | PullRequestEvent
  | CommentEvent
  | IssueCommentEvent
  | IssueEvent
  | ReviewEvent
  | ButtonEvent
  | RerunEvent
  | PushEvent
  | RepositoryEvent;

interface OnPullRequest {
  readonly repositoryId: string;
  readonly repositoryFullName: string;
  readonly number: number;
}

/** `changed`: opened, reopened, new commits, ready for review, retargeted; `draft`: converted to draft. */
export interface PullRequestEvent extends OnPullRequest {
  readonly kind: 'pull_request';
  readonly change:
    | 'opened'
    | 'reopened'
    | 'synchronize'
    | 'ready_for_review'
    | 'converted_to_draft'
    | 'retargeted'
    | 'closed';
  readonly sender: Account;
}

export interface CommentEvent extends OnPullRequest {
  readonly kind: 'comment';
  readonly commentId: string;
  readonly commentNodeId: string;
  readonly body: string;
  /** When the host says; it is part of what is signed. */
  readonly writtenAt: Date | undefined;
  readonly author: Account;
  /** True when our own App or token's user wrote it. */
  readonly own: boolean;
}

/** A comment that was made on an issue that is no pull request; `number` is the issue's. */
export interface IssueCommentEvent extends Omit<CommentEvent, 'kind'> {
  readonly kind: 'issue_comment';
}

/** Something became of an issue that is no pull request, whoever's issue it is. */
export interface IssueEvent {
  readonly kind: 'issue';
  readonly change: 'closed' | 'reopened' | 'deleted' | 'transferred' | 'locked' | 'unlocked';
  readonly repositoryId: string;
  readonly repositoryFullName: string;
  readonly number: number;
  readonly sender: Account;
  /** True when our own App or token's user did it. */
  readonly own: boolean;
}

export interface ReviewEvent extends OnPullRequest {
  readonly kind: 'review';
  readonly sender: Account;
}

/** A press of a button on our check run. `batchId` is what we stored as `external_id`. */
export interface ButtonEvent {
  readonly kind: 'button';
  readonly repositoryId: string;
  readonly repositoryFullName: string;
  readonly batchId: string;
  readonly identifier: string;
  readonly sender: Account;
}

/** "Re-run" on our check run or on the suite of one commit. */
export interface RerunEvent {
  readonly kind: 'rerun';
  readonly repositoryId: string;
  readonly repositoryFullName: string;
  readonly headSha: string;
  readonly batchId: string | undefined;
  readonly sender: Account;
}

export interface PushEvent {
  readonly kind: 'push';
  readonly repositoryId: string;
  readonly repositoryFullName: string;
  readonly branch: string;
  readonly sender: Account;
}

export interface RepositoryEvent {
  readonly kind: 'repository';
  readonly repositoryId: string;
  readonly repositoryFullName: string;
  readonly change: 'renamed' | 'transferred' | 'archived' | 'unarchived' | 'deleted' | 'default_branch';
}
