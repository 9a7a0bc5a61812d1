import type { DriftReply } from '../core/drift/drift-reply.ts';
import type { ProjectKey } from '../core/project.ts';
import type { NewReaction } from '../core/record.ts';
import type { Repository } from '../core/repository.ts';
import type { PublishLease, PublishLeases } from './publish-lease.ts';

/** What an issue of ours is about: one project, what has no issue of its own, or every project. */
export type ReportKind = 'project' | 'summary' | 'dashboard';

/** An issue of ours. */
export interface ReportIssue {
  /** Stands in its text, and says nothing. */
  readonly id: string;
  readonly repositoryId: string;
  readonly kind: ReportKind;
  /** Of a `project` only. */
  readonly projectKey: ProjectKey | undefined;
  /** `posting`: the host may have been asked to open it. `gone`: deleted, moved away or never made. */
  readonly state: 'posting' | 'open' | 'closed' | 'gone';
  /** undefined as long as the host has not told. */
  readonly number: number | undefined;
  readonly url: string | undefined;
  /** Tells apart what it says. */
  readonly hash: string | undefined;
  /** Of the drift that it shows. */
  readonly fingerprint: string | undefined;
  /** When somebody else brought it into its state, after us. */
  readonly byPeopleAt: Date | undefined;
  /** Since when the host may have been asked for it. */
  readonly begunAt: Date;
}

export interface PendingIssueReply {
  readonly id: string;
  /** Of the issue. */
  readonly number: number;
  readonly view: DriftReply;
  /** The host may have been asked already: look for it before asking again. */
  readonly mayExist: boolean;
}

/** What was reported of one repository, and what is still to be said. */
export interface ReportState {
  readonly lease: PublishLease;
  readonly repository: Repository;
  readonly branch: string;
  /** Why its projects cannot be read. */
  readonly problem: string | undefined;
  readonly wanted: number;
  readonly issues: readonly ReportIssue[];
  readonly replies: readonly PendingIssueReply[];
  readonly reactions: readonly NewReaction[];
}

/** What an issue is to the host now. */
export interface SavedIssue {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'closed';
  readonly hash: string | undefined;
  readonly fingerprint: string | undefined;
}

/** An answer to a comment on an issue of ours. */
export interface IssueAnswer {
  /** Follows from what is answered; a known one is not recorded again. */
  readonly key: string;
  readonly repositoryId: string;
  readonly number: number;
  /** undefined: the reactions say it all. */
  readonly view: DriftReply | undefined;
  readonly reactions: readonly NewReaction[];
  /** Id of the account that is answered, when it has no say here: it is answered only so often, and otherwise nothing is recorded. */
  readonly stranger?: string;
}

/** The newest apply of a project. */
export interface LastApply {
  readonly sha: string;
  readonly at: Date;
  /** undefined: it put drift right. */
  readonly pull: { readonly number: number; readonly url: string } | undefined;
}

/** A project whose drift people are told of. */
export interface DriftingProject {
  readonly projectKey: ProjectKey;
  readonly firstSeenAt: Date;
  /** Its own open issue. */
  readonly issue: { readonly number: number; readonly url: string } | undefined;
}

/** What people are told of drift in issues, what they answered there, and what the host has confirmed. Leases are on repositories. */
export interface ReportStore extends PublishLeases {
  /** Takes the reports of a repository for one publisher; undefined when another has them, or nothing is to be done. */
  open(
    repositoryId: string,
    worker: { readonly id: string; readonly leaseMs: number },
  ): Promise<ReportState | undefined>;
  want(repositoryId: string): Promise<void>;
  /** The issue of ours with this number, if it is one. */
  findIssue(repositoryId: string, number: number): Promise<ReportIssue | undefined>;
  /** Written before the host is asked to open one; one that may have been asked for already stays what it is. */
  begin(issue: Pick<ReportIssue, 'repositoryId' | 'kind' | 'projectKey'>): Promise<ReportIssue>;
  /** What the host has confirmed, and the comment that goes with it. */
  saved(id: string, issue: SavedIssue, sentence: string | undefined): Promise<PendingIssueReply | undefined>;
  gone(id: string): Promise<void>;
  /** Somebody else closed or reopened it. */
  changedByPeople(id: string, state: 'open' | 'closed', at: Date): Promise<void>;

  isAnswered(key: string): Promise<boolean>;
  /** Records an answer, to be posted by whoever publishes next. */
  answer(answer: IssueAnswer): Promise<void>;
  /** Written before the host is asked. */
  beginReply(id: string): Promise<void>;
  /** undefined: it cannot be posted. */
  endReply(id: string, commentId: string | undefined): Promise<void>;
  endReaction(repositoryId: string, reaction: NewReaction): Promise<void>;

  findLastApply(key: ProjectKey): Promise<LastApply | undefined>;
  /** Those of these projects whose drift people are told of. */
  findDrifting(keys: readonly ProjectKey[]): Promise<readonly DriftingProject[]>;
}
