import type { CommitSha, Repository } from './repository.ts';

/** A person or an app on the VCS host. `id` survives a rename of the login; permission decisions compare ids. */
export interface Account {
  readonly id: string;
  readonly login: string;
}

/** What the host's API says of a pull request now; never what a webhook claimed. */
export interface PullRequest {
  readonly repository: Repository;
  readonly number: number;
  readonly title: string;
  readonly url: string;
  readonly state: 'open' | 'closed' | 'merged';
  readonly draft: boolean;
  /** True when the head branch lives in another repository, or in one that was deleted. */
  readonly fork: boolean;
  readonly author: Account;
  readonly headSha: CommitSha;
  readonly headRef: string;
  readonly baseRef: string;
  readonly baseSha: CommitSha;
  readonly labels: readonly string[];
  readonly nodeId: string;
}

/** `maintain` and `admin` are kept apart by the host only; both may do what `write` may. */
export type Permission = 'none' | 'read' | 'triage' | 'write' | 'admin';

/** The review that counts of one person: the last that approves, asks for changes or was dismissed. */
export interface Review {
  readonly reviewer: Account;
  readonly state: 'approved' | 'changes_requested' | 'dismissed';
  /** The head when the review was given; undefined when the host no longer knows it. */
  readonly commitSha: CommitSha | undefined;
  readonly submittedAt: string;
}

/** Whether the host would merge now if our own commit statuses were green. */
export type Mergeability =
  | { readonly kind: 'mergeable' }
  | { readonly kind: 'blocked'; readonly reasons: readonly string[] }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'unknown'; readonly reason: string };
