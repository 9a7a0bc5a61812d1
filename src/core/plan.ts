/** What a plan does to one resource; `no-op` is never listed. */
export type PlanAction = 'create' | 'read' | 'update' | 'replace' | 'delete' | 'forget' | 'import' | 'move';

export interface ResourceChange {
  readonly address: string;
  readonly previousAddress: string | undefined;
  readonly type: string;
  readonly action: PlanAction;
  /** Terraform's own reason, such as `replace_because_tainted`; undefined when it gives none. */
  readonly reason: string | undefined;
}

export interface PlanCounts {
  readonly add: number;
  readonly change: number;
  readonly destroy: number;
  /** Of those that count in both add and destroy. */
  readonly replace: number;
  readonly import: number;
  readonly move: number;
  readonly forget: number;
  /** Root outputs that change. */
  readonly outputs: number;
}

/** Facts of one plan, read from the plan file by `show -json`, never from what a program printed. */
export interface PlanSummary {
  /** Nothing to apply: no resource, output, move, import or forget. */
  readonly empty: boolean;
  readonly counts: PlanCounts;
  readonly changes: readonly ResourceChange[];
  /** Addresses that changed outside of Terraform since the last apply. */
  readonly drifted: readonly string[];
  /** Failed or unknown `check` blocks and the like, one sentence each. */
  readonly checks: readonly string[];
  /** Digest of the canonical content: actions, before/after, unknowns, outputs. Equal digests mean the same effect. */
  readonly canonicalDigest: string;
}

export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly summary: string;
  readonly detail: string;
  readonly address: string | undefined;
  /** `main.tf:12`, relative to the project's directory. */
  readonly location: string | undefined;
}

/** How far a running plan or apply is; for progress bars only, never a fact. */
export interface Progress {
  readonly phase: 'queued' | 'checkout' | 'init' | 'plan' | 'show' | 'verify' | 'apply' | 'custom';
  readonly done: number;
  readonly total: number | undefined;
}
