/** What GitHub says about merging one pull request, gathered by several calls; the deciding is elsewhere and pure. */
export interface MergeFacts {
  readonly state: 'OPEN' | 'CLOSED' | 'MERGED';
  readonly isDraft: boolean;
  readonly mergeable: 'MERGEABLE' | 'CONFLICTING' | 'UNKNOWN';
  /** CLEAN, UNSTABLE, HAS_HOOKS, BEHIND, BLOCKED, DIRTY, DRAFT, UNKNOWN. */
  readonly mergeStateStatus: string;
  /** null: no review is required, or only a ruleset asks for one. */
  readonly reviewDecision: 'APPROVED' | 'CHANGES_REQUESTED' | 'REVIEW_REQUIRED' | null;
  readonly headSha: string;
  /** Latest reviews by people with write permission that approve. */
  readonly approvals: number;
  readonly unresolvedThreads: number;
  readonly checks: readonly ReportedCheck[];
  /** Classic branch protection as GraphQL shows it; null when there is none, or when we may not see it. */
  readonly protection: Protection | null;
}

/** A check run or a commit status on the head commit. */
export interface ReportedCheck {
  readonly kind: 'check_run' | 'status';
  readonly name: string;
  readonly passed: boolean;
  /** The App that reported a check run; unknown for a status. */
  readonly appId: string | undefined;
  /** Grows with time among the check runs of one name. */
  readonly order: number;
  /** The workflow file that a check run of GitHub Actions comes from. */
  readonly workflowPath: string | undefined;
}

export interface RequiredCheck {
  readonly name: string;
  /** When set, only this App's check run counts. */
  readonly appId: string | undefined;
}

/** What a branch asks of a pull request, from classic protection. */
export interface Protection {
  readonly checks: readonly RequiredCheck[];
  /** The head must contain the base's tip. */
  readonly upToDate: boolean;
  readonly threadsResolved: boolean;
  readonly signatures: boolean;
  readonly deployments: readonly string[];
  readonly locked: boolean;
}

/** One active rule of a ruleset, of the repository or its organisation. */
export interface BranchRule {
  readonly type: string;
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
}
