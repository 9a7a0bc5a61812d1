import type { Account, Mergeability, Permission, PullRequest, Review } from '../core/pull-request.ts';
import type { CommitSha, Repository, RepositoryRef } from '../core/repository.ts';
import type { VcsEvent } from '../core/vcs-event.ts';
import type { Secret } from '../lib/secret.ts';
import type {
  IssueAway,
  IssueChange,
  IssueCreation,
  IssueLookup,
  IssueUpdate,
  IssueFacts,
  NewIssue,
} from './vcs-issue.ts';

/** A webhook that has proved where it comes from, before anything of it is believed. */
export interface VerifiedDelivery {
  readonly id: string;
  readonly event: string;
  readonly action: string | undefined;
  /** The repository the payload names, for the allowlist and for people; `owner/name`. */
  readonly repository: string | undefined;
}

/** Why a webhook was turned away: `status` is the HTTP answer, `reason` a sentence for the log and the answer. */
export interface WebhookRefusal {
  readonly status: 400 | 401 | 413 | 415;
  readonly reason: string;
}

export interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly payload: string;
}

/** The host's half of the door: headers -> raw body -> signature -> parse, in that order. */
export interface WebhookSource {
  /** Path segment of the route: `POST /webhooks/<name>`. */
  readonly name: string;
  /** Checks what can be checked before a byte of the body is read. */
  checkHeaders(headers: Readonly<Record<string, string | undefined>>): WebhookRefusal | undefined;
  /** Verifies the signature over the raw bytes, then the envelope. Never throws for what a stranger sent. */
  verify(
    headers: Readonly<Record<string, string | undefined>>,
    body: Buffer,
  ): Promise<{ readonly delivery: VerifiedDelivery } | { readonly refusal: WebhookRefusal }>;
}

export interface PostedComment {
  readonly id: string;
  readonly nodeId: string;
  readonly url: string;
}

export type Reaction = 'eyes' | 'rocket' | 'confused';

export interface CommitStatus {
  readonly context: string;
  readonly state: 'pending' | 'success' | 'failure' | 'error';
  /** Cut to `limits.statusDescriptionLength` by the caller. */
  readonly description: string;
  readonly url: string;
}

export interface CheckRun {
  readonly name: string;
  readonly headSha: CommitSha;
  readonly externalId: string;
  readonly url: string;
  readonly status: 'queued' | 'in_progress' | 'completed';
  readonly conclusion: 'success' | 'failure' | 'neutral' | 'cancelled' | 'action_required' | undefined;
  readonly title: string;
  /** Markdown, at most `limits.checkSummaryLength`. */
  readonly summary: string;
  readonly actions: readonly { readonly label: string; readonly description: string; readonly identifier: string }[];
}

export type MergeResult =
  | { readonly kind: 'merged'; readonly sha: string }
  | { readonly kind: 'head_moved' }
  | { readonly kind: 'refused'; readonly reason: string };

/** `locked`: the conversation is closed to us; only the issue's own text can be changed. */
export type IssueReply =
  | { readonly kind: 'posted'; readonly comment: PostedComment }
  | { readonly kind: 'locked' }
  | IssueAway;

/** How git reaches a repository. The credential is short-lived and read-only; it goes to git by a file or a helper, never in a URL or argv. */
export interface GitSource {
  readonly url: string;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
}

/**
 * Who goes first when the write budget is short: the end of a batch, before its beginning, before progress in between,
 * before reports, for which nobody waits. Reports have half of the budget at most, so that a thousand of them leave
 * room for the answers that people do wait for.
 */
export type WritePriority = 'final' | 'normal' | 'progress' | 'report';

export interface WriteOptions {
  /** When left out: `report` to open or edit an issue, else `normal`. */
  readonly priority?: WritePriority;
  /** Gives up the wait for the write budget; a request that was sent is not taken back. */
  readonly signal?: AbortSignal;
}

/**
 * One VCS host: facts read afresh, and idempotent writes.
 *
 * Errors: `HostUnavailableError` (network, 5xx, rate limit; carries `retryAt`) is retried by the job, `HostRefusedError`
 * (403 permission, 404, 422) is not and names what is missing. Writes are never repeated inside a call.
 * Waiting for the host's write budget happens inside the write calls, in order of `priority`; when the wait would be
 * long, the call ends with a `HostUnavailableError` that names the moment.
 */
export interface VcsHost {
  /** The API URL's host name without port. */
  readonly host: string;
  readonly capabilities: { readonly checkRuns: boolean; readonly minimizeComments: boolean };
  readonly limits: {
    /** UTF-16 units of one comment. */
    readonly commentLength: number;
    readonly statusDescriptionLength: number;
    readonly checkSummaryLength: number;
    /** UTF-16 units, as all lengths here. */
    readonly issueTitleLength: number;
    readonly issueBodyLength: number;
    readonly labelLength: number;
    /** How many people one issue can be assigned to. */
    readonly issueAssignees: number;
  };

  /** A stored delivery as our event; undefined when it is none of our business. Throws an `InvalidDeliveryError` for a payload that lacks required fields. */
  interpret(delivery: Delivery): Promise<VcsEvent | undefined>;
  /** Who we are on this host: our App's bot or the token's user. */
  whoAmI(): Promise<Account>;

  findRepository(fullName: string): Promise<Repository | undefined>;
  getRepository(ref: RepositoryRef): Promise<Repository>;
  /** `owner/name` of what our credential sees, `limit` at most; for `doctor`. */
  listRepositories(limit: number): Promise<readonly string[]>;
  getPullRequest(repository: RepositoryRef, number: number): Promise<PullRequest>;
  listOpenPullRequests(repository: RepositoryRef): Promise<readonly PullRequest[]>;
  findPullRequestsOfCommit(repository: RepositoryRef, sha: CommitSha): Promise<readonly number[]>;
  /** Asks again, bounded, while the host is still computing; `ownContexts` are not held against the pull request. */
  getMergeability(pull: PullRequest, ownContexts: readonly string[]): Promise<Mergeability>;
  listReviews(repository: RepositoryRef, number: number): Promise<readonly Review[]>;
  /** Who pushed the head last, when the host says; undefined when it does not. */
  findLastPusher(pull: PullRequest): Promise<Account | undefined>;
  getPermission(repository: RepositoryRef, account: Account): Promise<Permission>;
  isTeamMember(organisation: string, team: string, account: Account): Promise<boolean>;
  /** The ref of the base repository at which the head of a pull request can be fetched, from a fork's, too. */
  headRefOf(number: number): string;
  /** A credential that can read this repository's contents and nothing else. */
  getGitSource(repository: RepositoryRef): Promise<GitSource>;

  createComment(
    repository: RepositoryRef,
    number: number,
    body: string,
    options?: WriteOptions,
  ): Promise<PostedComment>;
  /** Where people read a comment of a pull request or an issue. */
  commentUrl(on: { readonly url: string }, commentId: string): string;
  /** Answers false when the comment is gone. */
  updateComment(repository: RepositoryRef, commentId: string, body: string, options?: WriteOptions): Promise<boolean>;
  /** Our own comment that starts with the hidden marker; the fallback when the stored id is missing after a crash. */
  findOwnComment(repository: RepositoryRef, number: number, marker: string): Promise<PostedComment | undefined>;
  /** Folds comments away as outdated; ids are `PostedComment.nodeId`. */
  minimizeComments(repository: RepositoryRef, nodeIds: readonly string[], options?: WriteOptions): Promise<void>;
  /** To a comment of a pull request or an issue. */
  addReaction(repository: RepositoryRef, commentId: string, reaction: Reaction, options?: WriteOptions): Promise<void>;

  createIssue(repository: RepositoryRef, issue: NewIssue, options?: WriteOptions): Promise<IssueCreation>;
  /** Asked afresh, and cheaply when nothing changed. */
  getIssue(repository: RepositoryRef, number: number): Promise<IssueLookup>;
  updateIssue(
    repository: RepositoryRef,
    number: number,
    change: IssueChange,
    options?: WriteOptions,
  ): Promise<IssueUpdate>;
  /**
   * Our own issue, open or closed, whose body starts with the hidden marker and that was touched since; the fallback
   * when a crash came between opening it and writing its number down. What others wrote is never it.
   */
  findOwnIssue(repository: RepositoryRef, marker: string, since: Date): Promise<IssueFacts | undefined>;
  createIssueComment(
    repository: RepositoryRef,
    number: number,
    body: string,
    options?: WriteOptions,
  ): Promise<IssueReply>;

  setCommitStatus(
    repository: RepositoryRef,
    sha: CommitSha,
    status: CommitStatus,
    options?: WriteOptions,
  ): Promise<void>;
  /** Returns the host's id of the check run. Only when `capabilities.checkRuns`, as the two that follow. */
  createCheckRun(repository: RepositoryRef, checkRun: CheckRun, options?: WriteOptions): Promise<string>;
  /** Answers false when the check run is gone. */
  updateCheckRun(repository: RepositoryRef, id: string, checkRun: CheckRun, options?: WriteOptions): Promise<boolean>;
  /** The id of a check run that we made; the fallback when it was not written down before a crash. */
  findOwnCheckRun(
    repository: RepositoryRef,
    wanted: Pick<CheckRun, 'name' | 'headSha' | 'externalId'>,
  ): Promise<string | undefined>;
  /** Merges only while the head is still `headSha`. */
  mergePullRequest(
    pull: PullRequest,
    headSha: CommitSha,
    method: 'merge' | 'squash' | 'rebase' | undefined,
  ): Promise<MergeResult>;

  /** Deliveries that the host could not hand to us, oldest first; empty in token mode. */
  listFailedDeliveries(since: Date): Promise<readonly { readonly id: string; readonly hostId: string }[]>;
  redeliver(hostId: string): Promise<void>;
  /** For `doctor`: each problem with how to mend it; empty when all is well. */
  checkAccess(): Promise<readonly string[]>;
}
