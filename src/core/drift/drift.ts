import type { PlanAction } from '../plan.ts';

/**
 * What a difference between reality, the state and the code is. Only `drift` is called drift.
 *
 * - `drift`: reality was changed, and an apply of the tracked branch would change it back.
 * - `conflict`: reality was changed and the code wants a third value: neither what was applied last nor what is there now.
 * - `pending`: the code was changed (merged) and not applied yet.
 * - `external`: something the code reads, such as a data source or another state, has another value; the code is as it was applied.
 * - `state_only`: reality was changed in something that an apply leaves alone (computed, or under `ignore_changes`).
 * - `absorbed`: reality was changed, and the code has come to say the same since: nothing is left to do but to refresh the state.
 */
export type DifferenceKind = 'drift' | 'conflict' | 'pending' | 'external' | 'state_only' | 'absorbed';

/** One attribute of one resource, at a path such as `tags.owner` or `rule[0].port`. */
export interface AttributeDifference {
  readonly path: string;
  readonly kind: DifferenceKind;
  /** As JSON, what stood in the state after the last apply; undefined: nothing. */
  readonly applied: string | undefined;
  /** As JSON, what is there now; undefined: nothing. */
  readonly live: string | undefined;
  /** As JSON, what the code wants; undefined: nothing, or known only after an apply (`unknown`). */
  readonly wanted: string | undefined;
  readonly unknown: boolean;
  /** Terraform calls one of the values sensitive: the three texts above must never be shown. */
  readonly sensitive: boolean;
}

/** One resource instance that differs. */
export interface ResourceDifference {
  readonly address: string;
  readonly type: string;
  /** The gravest kind of its attributes. */
  readonly kind: DifferenceKind;
  /** What an apply would do to it; undefined: nothing. */
  readonly action: PlanAction | undefined;
  /** The object is gone from reality. */
  readonly missing: boolean;
  /** Putting it right would delete a real object: a replace or a delete. */
  readonly destructive: boolean;
  readonly attributes: readonly AttributeDifference[];
}

/** What a drift check found out about a project. Order of precedence: the first of this list that is true. */
export type SyncState =
  | 'error'
  | 'unknown'
  | 'drift'
  | 'pending'
  | 'external'
  | 'state_only'
  | 'absorbed'
  | 'in_sync';

/** A check that came to an end with a plan. */
export interface DriftFindings {
  readonly sync: Exclude<SyncState, 'error' | 'unknown'>;
  /** Sorted by address. Everything that differs, `state_only` and `absorbed` included. */
  readonly resources: readonly ResourceDifference[];
  /** Names of root outputs whose value would change. */
  readonly outputs: readonly string[];
  /** Failed `check` blocks, one sentence each: a matter of health, not of drift. */
  readonly failedChecks: readonly string[];
  /** Of all that is `drift` or `conflict`; undefined when nothing is. Equal fingerprints mean the same drift. */
  readonly fingerprint: string | undefined;
  /** Of everything an apply would do; what has to be the same again when drift is put right. */
  readonly canonicalDigest: string;
}
