import type { Account, PullRequest } from '../../src/core/pull-request.ts';
import type { Repository } from '../../src/core/repository.ts';
import type { VcsHost, WebhookSource } from '../../src/ports/vcs-host.ts';

export interface SentWebhook {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What people see of a comment. */
export interface SeenComment {
  readonly id: string;
  readonly author: string;
  readonly body: string;
  readonly minimized: boolean;
  readonly reactions: readonly string[];
}

/** What people see of an issue. */
export interface SeenIssue {
  readonly title: string;
  readonly body: string;
  readonly author: string;
  readonly state: 'open' | 'closed';
  /** Why it was closed, where the host says. */
  readonly reason: string | undefined;
  readonly labels: readonly string[];
  readonly assignees: readonly string[];
}

/** What people do with issues. */
export interface IssueStage {
  openIssue(login: string, body: string): Promise<number>;
  issue(number: number): Promise<SeenIssue>;
  closeIssue(number: number, login: string): Promise<void>;
  reopenIssue(number: number, login: string): Promise<void>;
  lockIssue(number: number, locked: boolean): Promise<void>;
  deleteIssue(number: number): Promise<void>;
  /** To another private repository, which we may see with a token and not as an App; tells where it is now. */
  transferIssue(number: number): Promise<{ readonly repositoryId: string; readonly number: number }>;
  switchIssues(on: boolean): Promise<void>;
}

/**
 * A VCS host with one private repository, people, and us, in words that fit every host; the contract suite plays on it.
 * `ann` (write) opens pull requests, `bob` maintains, `tim` has triage, `eve` reads, `mallory` has nothing.
 */
export interface VcsHostStage extends IssueStage, AsyncDisposable {
  readonly host: VcsHost;
  readonly webhooks: WebhookSource;
  readonly repository: Repository;
  accountOf(login: string): Account;
  openPullRequest(options?: {
    readonly fork?: boolean;
    readonly draft?: boolean;
    readonly conflict?: boolean;
  }): Promise<number>;
  /** Commits to the head of a pull request and tells the new head. */
  push(number: number, author?: string): Promise<string>;
  /** Moves the base branch on. */
  pushToBase(): Promise<void>;
  retarget(number: number): Promise<void>;
  merge(number: number): Promise<void>;
  close(number: number): Promise<void>;
  label(number: number, label: string): Promise<void>;
  /** On a pull request or an issue, as is `comments`. */
  comment(number: number, login: string, body: string): Promise<string>;
  editComment(id: string, login: string, body: string): Promise<void>;
  deleteComment(id: string): Promise<void>;
  comments(number: number): Promise<readonly SeenComment[]>;
  review(number: number, login: string, opinion: 'approve' | 'request_changes' | 'comment'): Promise<void>;
  addTeam(organisation: string, team: string, members: readonly string[]): Promise<void>;
  /** The base branch asks for these before it lets anything in. */
  require(options: {
    readonly checks?: readonly string[];
    readonly approvals?: number;
    readonly upToDate?: boolean;
  }): Promise<void>;
  /** Somebody else reports a check on the head. */
  report(number: number, name: string, state: 'success' | 'failure' | 'pending'): Promise<void>;
  /** The newest statuses of a commit: name -> state. */
  statuses(sha: string): Promise<Readonly<Record<string, string>>>;
  /** Presses a button of our check run. */
  pressButton(pull: PullRequest, identifier: string, login: string): Promise<void>;
  rename(name: string): Promise<void>;
  /** Deletes the account's permission on the repository. */
  dismiss(login: string): Promise<void>;
  offline(yes: boolean): void;
  /** The next comment or issue is made, but the answer is lost. */
  loseNextAnswer(): void;
  /** Refuses the next request for going too fast, with the seconds to wait. */
  limitNext(seconds: number): void;
  /** While true no webhook arrives. */
  unreachable(yes: boolean): void;
  /** The webhooks sent since the last call, oldest first; everything sent was answered. */
  sent(): Promise<readonly SentWebhook[]>;
  /** How many requests the API was asked since the last call. */
  requestCount(): number;
  /** Throws when we asked for what the host does not have. */
  assertClean(): void;
}
