/** An issue, never a pull request. Texts are cut to `limits` by the caller. */
export interface NewIssue {
  readonly title: string;
  /** Markdown. It begins with the hidden marker that `findOwnIssue` looks for. */
  readonly body: string;
  /** Labels that the repository does not have are made. */
  readonly labels: readonly string[];
  /** Logins. Those whom the host does not take are left out and told in the answer. */
  readonly assignees: readonly string[];
}

/** What is left out stays as it is; `labels` and `assignees` replace all there are, also those that people added. */
export interface IssueChange extends Partial<NewIssue> {
  /** The last two close it; a host without reasons just closes. */
  readonly state?: 'open' | 'completed' | 'not_planned';
}

/** What the host says of an issue now. Nothing of its text is handed on: people can edit it. */
export interface IssueFacts {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'closed';
  /** Since when it is closed, by the host's clock; undefined while it is open. */
  readonly closedAt: Date | undefined;
  /** Whether the conversation is locked; its text can be edited all the same. */
  readonly locked: boolean;
  readonly labels: readonly string[];
  /** Logins. */
  readonly assignees: readonly string[];
}

/**
 * Why an issue cannot be had any more: deleted or hidden from us, transferred to another place (told where, when the
 * host says; told as `gone` when we may not see that place), or the repository takes no issues.
 */
export type IssueAway =
  | { readonly kind: 'gone' }
  | { readonly kind: 'moved'; readonly to: { readonly repositoryId: string; readonly number: number } | undefined }
  | { readonly kind: 'disabled' };

/** Logins that were asked for and not taken. */
interface Unassigned {
  readonly unassigned: readonly string[];
}

export type IssueCreation =
  | ({ readonly kind: 'created'; readonly number: number; readonly url: string } & Unassigned)
  | { readonly kind: 'disabled' };
export type IssueLookup = { readonly kind: 'found'; readonly issue: IssueFacts } | IssueAway;
export type IssueUpdate = ({ readonly kind: 'updated' } & Unassigned) | IssueAway;
