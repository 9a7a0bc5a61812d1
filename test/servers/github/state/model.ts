/** What this GitHub knows. Plain records, changed in place by the operations in this folder; nothing here does I/O. */

export type Role = 'none' | 'read' | 'triage' | 'write' | 'maintain' | 'admin';
export type PermissionLevel = 'read' | 'write' | 'admin';
export type AppPermissions = Readonly<Record<string, PermissionLevel>>;

export interface Account {
  readonly id: number;
  readonly nodeId: string;
  login: string;
  readonly name: string;
  readonly email: string;
  readonly type: 'User' | 'Organization' | 'Bot';
}

export interface Team {
  readonly id: number;
  readonly slug: string;
  readonly organization: Account;
  readonly members: Map<number, 'active' | 'pending'>;
}

export interface PersonalToken {
  readonly kind: 'personal';
  readonly token: string;
  readonly account: Account;
}

export interface App {
  readonly id: number;
  readonly nodeId: string;
  readonly slug: string;
  readonly name: string;
  readonly owner: Account;
  readonly bot: Account;
  readonly publicKey: string;
  readonly privateKey: string;
  readonly permissions: AppPermissions;
  readonly events: readonly string[];
  readonly createdAt: Date;
}

export interface Installation {
  readonly id: number;
  readonly app: App;
  readonly account: Account;
  permissions: AppPermissions;
  /** undefined: all repositories of the account. */
  readonly repositoryIds: Set<number> | undefined;
  suspendedAt: Date | undefined;
  readonly createdAt: Date;
}

export interface InstallationToken {
  readonly kind: 'installation';
  readonly token: string;
  readonly installation: Installation;
  readonly permissions: AppPermissions;
  /** undefined: every repository the installation may see. */
  readonly repositoryIds: ReadonlySet<number> | undefined;
  readonly expiresAt: Date;
}

export interface IssueComment {
  readonly id: number;
  readonly nodeId: string;
  readonly number: number;
  readonly author: Account;
  readonly app: App | undefined;
  body: string;
  readonly createdAt: Date;
  updatedAt: Date;
  minimizedReason: string | undefined;
  readonly reactions: Reaction[];
}

export interface Reaction {
  readonly id: number;
  readonly nodeId: string;
  readonly author: Account;
  readonly content: string;
  readonly createdAt: Date;
}

export type ReviewState = 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'DISMISSED' | 'PENDING';

export interface Review {
  readonly id: number;
  readonly nodeId: string;
  readonly author: Account;
  state: ReviewState;
  readonly body: string;
  /** null when the commit was garbage-collected. */
  commitId: string | null;
  readonly submittedAt: Date;
}

export type StateReason = 'completed' | 'not_planned' | 'duplicate' | 'reopened';
export type LockReason = 'off-topic' | 'too heated' | 'resolved' | 'spam';

export interface Issue {
  readonly id: number;
  readonly nodeId: string;
  readonly repository: Repository;
  readonly number: number;
  title: string;
  body: string | null;
  readonly author: Account;
  /** The App through which it was opened. */
  readonly app: App | undefined;
  state: 'open' | 'closed';
  /** Why it is in this state; null while it was never closed. */
  stateReason: StateReason | null;
  /** Present while its conversation is locked. */
  locked: { readonly reason: LockReason | null } | undefined;
  readonly createdAt: Date;
  updatedAt: Date;
  closedAt: Date | undefined;
  closedBy: Account | undefined;
  labels: readonly Label[];
  assignees: readonly Account[];
  /** Present when the issue is a pull request. */
  pull: PullRequest | undefined;
}

/** What is left of an issue that was here: GitHub says that it was deleted, or leads to where it is now. */
export type Departed = { readonly kind: 'deleted' } | { readonly kind: 'transferred'; readonly to: Issue };

/** Of a repository; names are compared without case. */
export interface Label {
  readonly id: number;
  readonly nodeId: string;
  readonly name: string;
  readonly color: string;
}

export interface PullRequest {
  readonly id: number;
  readonly nodeId: string;
  readonly issue: Issue;
  readonly repository: Repository;
  /** undefined when the fork was deleted. */
  headRepository: Repository | undefined;
  readonly headOwner: Account;
  readonly headRef: string;
  headSha: string;
  baseRef: string;
  baseSha: string;
  draft: boolean;
  merged: { readonly at: Date; readonly by: Account; readonly sha: string } | undefined;
  readonly reviews: Review[];
  /** undefined until somebody asked; the answer belongs to this pair of commits only. */
  mergeCheck: MergeCheck | undefined;
}

export interface MergeCheck {
  readonly headSha: string;
  readonly baseSha: string;
  /** undefined while GitHub is still computing. */
  result: { readonly mergeable: boolean; readonly sha: string | undefined } | undefined;
  /** How many more questions are answered with "still computing". */
  remaining: number;
}

export interface CommitStatus {
  readonly id: number;
  readonly nodeId: string;
  readonly sha: string;
  readonly state: 'error' | 'failure' | 'pending' | 'success';
  readonly context: string;
  readonly description: string | null;
  readonly targetUrl: string | null;
  readonly creator: Account;
  readonly createdAt: Date;
}

export interface CheckSuite {
  readonly id: number;
  readonly nodeId: string;
  readonly app: App;
  readonly headSha: string;
  readonly headBranch: string | null;
  readonly createdAt: Date;
}

export interface CheckRunOutput {
  readonly title: string | null;
  readonly summary: string | null;
  readonly text: string | null;
}

export interface CheckRun {
  readonly id: number;
  readonly nodeId: string;
  readonly suite: CheckSuite;
  readonly app: App;
  name: string;
  readonly headSha: string;
  externalId: string;
  detailsUrl: string;
  status: 'queued' | 'in_progress' | 'completed';
  conclusion: string | null;
  startedAt: Date;
  completedAt: Date | undefined;
  output: CheckRunOutput;
  actions: readonly { readonly label: string; readonly description: string; readonly identifier: string }[];
}

export interface RequiredCheck {
  readonly context: string;
  readonly appId: number | null;
}

/** Classic branch protection; rulesets are `rules` of the repository. */
export interface BranchProtection {
  readonly requiredChecks: readonly RequiredCheck[];
  readonly strict: boolean;
  /** undefined: no review is required. */
  readonly requiredApprovals: number | undefined;
  readonly dismissStaleReviews: boolean;
}

/** One active rule as `GET rules/branches/{branch}` answers it. */
export interface BranchRule {
  readonly branch: string;
  readonly type: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

export interface Activity {
  readonly id: number;
  readonly nodeId: string;
  readonly before: string;
  readonly after: string;
  readonly ref: string;
  readonly actor: Account;
  readonly type: 'push' | 'force_push' | 'branch_creation' | 'branch_deletion' | 'pr_merge';
  readonly at: Date;
}

export interface Repository {
  readonly id: number;
  readonly nodeId: string;
  owner: Account;
  name: string;
  readonly gitDirectory: string;
  private: boolean;
  archived: boolean;
  deleted: boolean;
  defaultBranch: string;
  readonly parent: Repository | undefined;
  readonly roles: Map<number, Role>;
  readonly teamRoles: { readonly team: Team; readonly role: Role }[];
  nextNumber: number;
  /** Off: there are pull requests only. */
  hasIssues: boolean;
  readonly labels: Label[];
  readonly issues: Map<number, Issue>;
  readonly departed: Map<number, Departed>;
  readonly comments: Map<number, IssueComment>;
  readonly statuses: CommitStatus[];
  readonly suites: CheckSuite[];
  readonly checkRuns: CheckRun[];
  readonly protections: Map<string, BranchProtection>;
  readonly rules: BranchRule[];
  readonly activities: Activity[];
  readonly createdAt: Date;
  updatedAt: Date;
  pushedAt: Date;
}
