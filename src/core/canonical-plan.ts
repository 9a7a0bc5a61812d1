/**
 * What a plan would do, without a single value: every leaf of before, after and outputs is a keyed hash, so it may be stored and
 * compared where the plan itself may not.
 */
export interface CanonicalPlan {
  readonly version: 1;
  /** Equal digests mean the same effect. Hex. */
  readonly digest: string;
  readonly changes: Readonly<Record<string, CanonicalChange>>;
  /** Root outputs that change: action and hash. */
  readonly outputs: Readonly<Record<string, CanonicalChange>>;
}

export interface CanonicalChange {
  /** Terraform's actions joined by `+`, such as `delete+create`, with what else decides the effect (import, move). */
  readonly action: string;
  /** Attribute path -> keyed hash of before, after and whether it is known only after the apply. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** What a comparison leaves out. In both globs `*` stands for any run of characters; brackets and quotes are literal, since addresses have them. */
export interface IgnoreRule {
  readonly address: string;
  /** Attribute path such as `tags.deployed_at`; undefined means all attributes. The action itself is always compared. */
  readonly attribute: string | undefined;
}
