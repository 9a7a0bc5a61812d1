import type { NewReply, PullRequestId, PullRequestRecord } from '../core/record.ts';
import type { PublishLease, PublishLeases } from './publish-lease.ts';

export interface PendingReply {
  readonly id: string;
  readonly reply: NewReply;
  /** The host may have been asked already: look for it before asking again. */
  readonly mayExist: boolean;
}

/** Without an id: the host may have been asked to make one for this batch already. */
export type PublishedCheckRun =
  | { readonly id: string; readonly sha: string; readonly hash: string }
  | { readonly id: undefined; readonly sha: string; readonly externalId: string };

/** What was published of one pull request, and what is still to be. */
export interface PublicationState {
  readonly lease: PublishLease<PullRequestId>;
  /** By the clock that all instants of the record are from. */
  readonly openedAt: Date;
  readonly pull: PullRequestRecord;
  readonly wanted: number;
  readonly done: number;
  readonly comment:
    | { readonly id: string; readonly nodeId: string; readonly hash: string; readonly editedAt: Date }
    | undefined;
  readonly checkRun: PublishedCheckRun | undefined;
  readonly replies: readonly PendingReply[];
  readonly reactions: readonly { readonly commentId: string; readonly reaction: 'eyes' | 'rocket' | 'confused' }[];
  /** Hash of the last published status of each context on the head commit; `pending` alone: the host may have been asked. */
  readonly statuses: ReadonlyMap<string, string>;
  /** Contexts on the head commit that another open pull request has published there, too: they are its to say. */
  readonly shared: ReadonlySet<string>;
  /** What was published as pending on earlier commits and no other open pull request answers for. */
  readonly leftPending: readonly { readonly sha: string; readonly context: string }[];
  /** Node ids of earlier apply answers that are not folded away yet; the newest is not among them. */
  readonly outdated: readonly string[];
  readonly merge: { readonly headSha: string; readonly method: 'merge' | 'squash' | 'rebase' | undefined } | undefined;
}

/** The outbox: what people should see, and what the host has confirmed. */
export interface PublicationStore extends PublishLeases<PullRequestId> {
  /** Takes the pull request for one publisher; undefined when another has it, or nothing is to be done. */
  open(
    id: PullRequestId,
    worker: { readonly id: string; readonly leaseMs: number },
  ): Promise<PublicationState | undefined>;
  want(id: PullRequestId): Promise<void>;
  saveComment(
    id: PullRequestId,
    comment: { readonly id: string; readonly nodeId: string; readonly hash: string } | undefined,
  ): Promise<void>;
  /** Written before the host is asked to make one. */
  beginCheckRun(id: PullRequestId, checkRun: { readonly sha: string; readonly externalId: string }): Promise<void>;
  saveCheckRun(
    id: PullRequestId,
    checkRun: { readonly id: string; readonly sha: string; readonly hash: string },
  ): Promise<void>;
  /** The hash of a status that waits begins with `pending`; so, and alone, it is written before the host is asked. */
  saveStatus(id: PullRequestId, sha: string, context: string, hash: string): Promise<void>;
  /** Written before the host is asked. */
  beginReply(replyId: string): Promise<void>;
  endReply(replyId: string, comment: { readonly id: string; readonly nodeId: string } | undefined): Promise<void>;
  endReaction(id: PullRequestId, commentId: string, reaction: string): Promise<void>;
  endMinimize(nodeIds: readonly string[]): Promise<void>;
  endMerge(id: PullRequestId, state: 'merged' | 'refused', reason: string | undefined): Promise<void>;
  /** How automerge ended; undefined when it was not wanted or has not been tried. */
  findMerge(
    id: PullRequestId,
  ): Promise<{ readonly state: 'wanted' | 'merged' | 'refused'; readonly reason: string | undefined } | undefined>;
  /** The pull request of a batch; for buttons. */
  findPullRequestOfBatch(batchId: string): Promise<PullRequestId | undefined>;
}
