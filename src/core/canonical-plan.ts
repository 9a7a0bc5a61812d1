import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import {
  type ChangeJson,
  changeAddress,
  hasEffect,
  isNoOp,
  type PlanJson,
  type ResourceChangeJson,
} from './plan-json.ts';
import { pathAndParents, valueLeaves } from './value-leaves.ts';

/**
 * What a plan would do, without a single value: every leaf of before, after and outputs is a keyed hash, so it may be stored and
 * compared where the plan itself may not.
 */
export interface CanonicalPlan {
  readonly version: 1;
  /** Equal digests mean the same effect. Hex. */
  readonly digest: string;
  readonly changes: Readonly<Record<string, CanonicalChange>>;
  /** Root outputs that change. */
  readonly outputs: Readonly<Record<string, CanonicalChange>>;
}

export interface CanonicalChange {
  /** Terraform's actions joined by `+`, such as `delete+create`, with what else decides the effect (import, move, cause of a replace). */
  readonly action: string;
  /** Attribute path -> keyed hashes of its value before and after, as `BEFORE/AFTER`; AFTER is `unknown` when only the apply will tell. */
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * What a comparison leaves out. In both globs `*` stands for any run of characters, and all else is literal: addresses are full of
 * brackets and quotes, which a file glob would take for patterns. The action itself is always compared.
 */
export interface IgnoreRule {
  readonly address: string;
  /** Attribute path such as `tags.deployed_at`; what lies under it is left out with it. `*`: all attributes. */
  readonly attribute: string;
}

export interface CanonicalOptions {
  /** Without it short values could be guessed from their hashes. The same key is needed to compare. */
  readonly key: Uint8Array;
  readonly ignore: readonly IgnoreRule[];
}

const ABSENT = '-';
const UNKNOWN = 'unknown';
/** 132 bits of each hash are kept. */
const HASH_LENGTH = 22;

/** The key is made ready once: doing so takes six times as long as one hash. */
type Hashing = Omit<CanonicalOptions, 'key'> & { readonly key: KeyObject };

/** Independent of the order in which Terraform lists things. */
export function canonicalizePlan(plan: PlanJson, { key, ignore }: CanonicalOptions): CanonicalPlan {
  const options = { key: createSecretKey(key), ignore };
  const changes = (plan.resource_changes ?? [])
    .filter(hasEffect)
    .map((entry) => [changeAddress(entry), canonicalResource(entry, options)] as const);
  const invocations = (plan.action_invocations ?? []).map(
    (invocation, index) =>
      [
        `action_invocations[${index}]`,
        canonicalChange('invoke', `action_invocations[${index}]`, { after: invocation }, options),
      ] as const,
  );
  const outputs = Object.entries(plan.output_changes ?? {})
    .filter(([, change]) => !isNoOp(change))
    .map(
      ([name, change]) => [name, canonicalChange(change.actions.join('+'), `output.${name}`, change, options)] as const,
    );
  const content = { changes: sorted([...changes, ...invocations]), outputs: sorted(outputs) };
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return { version: 1, digest, ...content };
}

function canonicalResource(entry: ResourceChangeJson, options: Hashing): CanonicalChange {
  const { change } = entry;
  const id = change.importing?.id;
  const action = [
    change.actions.join('+'),
    ...(entry.previous_address === undefined ? [] : [`moved from ${entry.previous_address}`]),
    ...(change.importing ? [`import ${hashValue(options.key, entry.address, 'importing', id)}`] : []),
    ...replaceCauses(change),
  ].join(', ');
  return canonicalChange(action, changeAddress(entry), change, options);
}

function replaceCauses({ replace_paths }: ChangeJson): readonly string[] {
  const paths = (replace_paths ?? []).map((path) => (Array.isArray(path) ? path.map(String).join('.') : String(path)));
  return paths.length === 0 ? [] : [`forced by ${paths.toSorted().join(' and ')}`];
}

function canonicalChange(
  action: string,
  address: string,
  change: Partial<Pick<ChangeJson, 'before' | 'after' | 'after_unknown'>>,
  { key, ignore }: Hashing,
): CanonicalChange {
  const rules = ignore.filter((rule) => globMatches(rule.address, address));
  const ignored = (path: string) => rules.some((rule) => isIgnoredBy(rule, path === '' ? 'value' : path));
  const before = new Map(valueLeaves(change.before));
  const after = new Map(valueLeaves(change.after));
  const unknown = new Set(
    [...valueLeaves(change.after_unknown)].filter(([, value]) => value === true).map(([path]) => path),
  );
  const paths = [...new Set([...before.keys(), ...after.keys(), ...unknown])].filter((path) => !ignored(path));
  const leaf = (path: string, values: ReadonlyMap<string, unknown>) =>
    values.has(path) ? hashValue(key, address, path, values.get(path)) : ABSENT;
  const attributes = paths.map(
    (path) => [path, `${leaf(path, before)}/${unknown.has(path) ? UNKNOWN : leaf(path, after)}`] as const,
  );
  return { action, attributes: sorted(attributes) };
}

/** Whether the attribute, or something it lies in, is what the rule names. */
export function isIgnoredBy({ attribute }: Pick<IgnoreRule, 'attribute'>, path: string): boolean {
  return pathAndParents(path).some((part) => globMatches(attribute, part));
}

/** Tells values apart without telling them. The place counts, so that equal values at two places are not seen to be equal. */
export function hashValue(key: KeyObject, address: string, path: string, value: unknown): string {
  const text = JSON.stringify([address, path, value ?? null]);
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, HASH_LENGTH);
}

function sorted<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  return Object.fromEntries(entries.toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

/** `*` is any run of characters; the rest is literal. Walks the text once, whatever the number of stars. */
export function globMatches(glob: string, text: string): boolean {
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop();
  if (last === undefined) return glob === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
