import type { Hub } from './hub.ts';
import { addAccount } from './operations/accounts.ts';
import { addComment, editComment, removeComment } from './operations/conversation.ts';
import {
  deleteIssue,
  editIssue,
  ensureLabel,
  lockIssue,
  openIssue,
  setAssignees,
  setIssueState,
  setLabels,
  transferIssue,
  unlockIssue,
} from './operations/issues.ts';
import type { Issue, IssueComment, LockReason, PullRequest, Repository, StateReason } from './state/model.ts';

export interface NewIssue {
  readonly title: string;
  readonly author: string;
  readonly body?: string;
  readonly labels?: readonly string[];
  readonly assignees?: readonly string[];
}

/** What people do with issues, and say on them and on pull requests. */
export class IssuePeople {
  readonly hub: Hub;

  constructor(hub: Hub) {
    this.hub = hub;
  }

  openIssue(repository: Repository, order: NewIssue): Issue {
    return openIssue(this.hub, repository, {
      title: order.title,
      body: order.body ?? null,
      author: addAccount(this.hub, order.author),
      labels: (order.labels ?? []).map((name) => ensureLabel(this.hub, repository, name)),
      assignees: (order.assignees ?? []).map((login) => addAccount(this.hub, login)),
    });
  }

  /** undefined when there is none of this number, or no more. */
  issue(repository: Repository, number: number): Issue | undefined {
    return repository.issues.get(number);
  }

  editIssue(issue: Issue, edit: { title?: string; body?: string }, by: string): void {
    editIssue(this.hub, issue, edit, addAccount(this.hub, by));
  }

  closeIssue(issue: Issue, by: string, reason: StateReason = 'completed'): void {
    setIssueState(this.hub, issue, 'closed', reason, addAccount(this.hub, by));
  }

  reopenIssue(issue: Issue, by: string): void {
    setIssueState(this.hub, issue, 'open', undefined, addAccount(this.hub, by));
  }

  /** Replaces all labels. */
  labelIssue(issue: Issue, names: readonly string[], by: string): void {
    const labels = names.map((name) => ensureLabel(this.hub, issue.repository, name));
    setLabels(this.hub, issue, labels, addAccount(this.hub, by));
  }

  /** Replaces all assignees. */
  assignIssue(issue: Issue, logins: readonly string[], by: string): void {
    const assignees = logins.map((login) => addAccount(this.hub, login));
    setAssignees(this.hub, issue, assignees, addAccount(this.hub, by));
  }

  lockIssue(issue: Issue, by: string, reason: LockReason | null = null): void {
    lockIssue(this.hub, issue, reason, addAccount(this.hub, by));
  }

  unlockIssue(issue: Issue, by: string): void {
    unlockIssue(this.hub, issue, addAccount(this.hub, by));
  }

  /** Only administrators can, and only on GitHub's page. */
  deleteIssue(issue: Issue, by: string): void {
    deleteIssue(this.hub, issue, addAccount(this.hub, by));
  }

  /** The old number leads to what is returned. */
  transferIssue(issue: Issue, to: Repository, by: string): Issue {
    return transferIssue(this.hub, issue, to, addAccount(this.hub, by));
  }

  /** Switches the issues of a repository off, or on again. */
  switchIssues(repository: Repository, on: boolean): void {
    repository.hasIssues = on;
  }

  comment(on: PullRequest | Issue, login: string, body: string): IssueComment {
    const issue = 'issue' in on ? on.issue : on;
    return addComment(this.hub, issue.repository, issue, { account: addAccount(this.hub, login) }, body);
  }

  editComment(repository: Repository, comment: IssueComment, body: string, by: string): void {
    editComment(this.hub, repository, comment, body, addAccount(this.hub, by));
  }

  deleteComment(repository: Repository, comment: IssueComment, by: string): void {
    removeComment(this.hub, repository, comment, addAccount(this.hub, by));
  }

  /** Of a pull request or an issue, oldest first. */
  comments(on: PullRequest | Issue): IssueComment[] {
    const { repository, number } = 'issue' in on ? on.issue : on;
    return [...repository.comments.values()].filter((one) => one.number === number);
  }
}
