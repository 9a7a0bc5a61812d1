import type { PlanAction } from '../plan.ts';

/**
 * Whether what decides a project's plan is the same at the tip of the tracked branch as it was at the last apply.
 * `unknown`: no apply and no check that found nothing is on record to compare with.
 */
export type InputsComparison = 'changed' | 'unchanged' | 'unknown';

/**
 * What a difference between reality, the state and the code is, the gravest first. Only `drift` and `conflict` are called drift.
 *
 * - `conflict`: reality was changed, and an apply would change it again to neither what is there now nor what was applied: a third
 *   value, or one that only the apply will tell.
 * - `drift`: reality was changed, and an apply of the tracked branch would change it back.
 * - `pending`: the code was changed (merged) and not applied yet, or an apply was left unfinished (a tainted or deposed object).
 * - `baseline_unknown`: an apply would change it, and reality was not changed; as no baseline is on record, nobody knows whether the
 *   code was changed (`pending`) or something outside (`external`).
 * - `external`: the code is as it was applied, and something it reads has another value: a data source, another state, an attribute
 *   that a provider computes; or the state was edited.
 * - `consequence`: nothing differs here; it changes only because something it depends on does.
 * - `state_only`: reality was changed in something that an apply leaves alone (computed, or under `ignore_changes`).
 * - `absorbed`: reality was changed, and the code has come to say the same since: nothing is left to do but to refresh the state.
 */
export const DIFFERENCE_KINDS = [
  'conflict',
  'drift',
  'pending',
  'baseline_unknown',
  'external',
  'consequence',
  'state_only',
  'absorbed',
] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

export function gravest(kinds: readonly DifferenceKind[]): DifferenceKind | undefined {
  return DIFFERENCE_KINDS.find((kind) => kinds.includes(kind));
}

/** What Holdfast calls drift: reality was changed, and an apply would change it again. */
export function isDrift(kind: DifferenceKind): boolean {
  return kind === 'drift' || kind === 'conflict';
}

/**
 * A value in its versions, as JSON, each cut to `VALUE_LENGTH` characters. undefined: it is not there. Known secrets are masked, and what
 * Terraform calls sensitive is not carried at all: there stands `SENSITIVE_VALUE`.
 */
export interface ValueTexts {
  /** What stood in the state after the last apply. */
  readonly applied: string | undefined;
  /** What is there now. */
  readonly live: string | undefined;
  /** What the code wants; undefined as well when only the apply will tell (`unknown`). */
  readonly wanted: string | undefined;
  readonly unknown: boolean;
  readonly sensitive: boolean;
}

/** One attribute of one resource. */
export interface AttributeDifference extends ValueTexts {
  /**
   * Such as `tags.owner` or `rule[0].port`; `security_groups[*]` is one element of a list or set whose place says nothing. Empty: the whole
   * object, which is missing, created, deleted, moved, imported ... and then without values.
   */
  readonly path: string;
  readonly kind: DifferenceKind;
  /** Keyed hash of address, path and the three full values. */
  readonly digest: string;
}

/** One resource instance that differs. */
export interface ResourceDifference {
  readonly address: string;
  readonly type: string;
  /** The gravest kind of its attributes. */
  readonly kind: DifferenceKind;
  /** What an apply would do to it; undefined: nothing. */
  readonly action: PlanAction | undefined;
  /** Terraform's own reason for the action, such as `replace_because_tainted`. */
  readonly reason: string | undefined;
  /** The object is gone from reality, and an apply would make it again. */
  readonly missing: boolean;
  /** An apply would delete a real object: a replace or a delete. */
  readonly destructive: boolean;
  /** The gravest first, then by path; at most `ATTRIBUTES_PER_RESOURCE`, and of each kind that there is one at least. */
  readonly attributes: readonly AttributeDifference[];
  /** How many more there are. */
  readonly attributesLeftOut: number;
  /** Of what of it is drift; undefined when nothing is. */
  readonly fingerprint: string | undefined;
}

/** A root output whose value an apply would change; `live` is never set, for an output is in the state alone. */
export interface OutputDifference extends ValueTexts {
  readonly name: string;
  readonly kind: Exclude<DifferenceKind, 'conflict' | 'drift' | 'absorbed'>;
}

/**
 * What a drift check found out about a project. Order of precedence: the first of this list that is true. Consequences are no state
 * of their own.
 */
export type SyncState =
  | 'error'
  | 'unknown'
  | 'drift'
  | 'pending'
  | 'baseline_unknown'
  | 'external'
  | 'state_only'
  | 'absorbed'
  | 'in_sync';

/** A check that came to an end with a plan. */
export interface DriftFindings {
  /** `unknown` when nothing to do was found in a plan that leaves something out: that proves nothing. */
  readonly sync: Exclude<SyncState, 'error'>;
  readonly inputs: InputsComparison;
  /** False when Terraform says that the plan leaves something out (`-target`, deferred changes). */
  readonly complete: boolean;
  /** Sorted by address. Everything that differs, `state_only` and `absorbed` included. */
  readonly resources: readonly ResourceDifference[];
  /** Sorted by name. */
  readonly outputs: readonly OutputDifference[];
  /** Failed `check` blocks and conditions, one sentence each: a matter of health, not of drift. */
  readonly failedChecks: readonly string[];
  /** Of all that is drift; undefined when nothing is. Equal fingerprints mean the same drift. */
  readonly fingerprint: string | undefined;
  /** Of everything an apply would do; what has to be the same again when drift is put right. */
  readonly canonicalDigest: string;
}

const SYNC: Readonly<Record<DifferenceKind, DriftFindings['sync']>> = {
  conflict: 'drift',
  drift: 'drift',
  pending: 'pending',
  baseline_unknown: 'baseline_unknown',
  external: 'external',
  consequence: 'in_sync',
  state_only: 'state_only',
  absorbed: 'absorbed',
};

export function syncOf(content: Pick<DriftFindings, 'resources' | 'outputs' | 'complete'>): DriftFindings['sync'] {
  const kinds = [...content.resources, ...content.outputs].map(({ kind }) => kind);
  const kind = gravest(kinds.filter((found) => found !== 'consequence'));
  const sync = kind === undefined ? 'in_sync' : SYNC[kind];
  const nothingToDo = sync === 'in_sync' || sync === 'state_only' || sync === 'absorbed';
  return nothingToDo && !content.complete ? 'unknown' : sync;
}
