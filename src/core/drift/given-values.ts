import { canonicalText } from '../canonical-text.ts';
import { asList, asObject, isJsonObject, memberOf } from '../json-value.ts';
import type { PlanJson } from '../plan-json.ts';

/**
 * What the code says of an attribute: nothing, so that the provider computes it (blocks made by `dynamic` look the same, for Terraform does
 * not list them); a literal; or something whose value the plan does not tell apart from other expressions.
 */
export type GivenValue =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'literal'; readonly value: unknown }
  | { readonly kind: 'expression' };

/** Content of a resource's block in the code, by the resource's address without instance keys. */
export type GivenValues = ReadonlyMap<string, unknown>;

const NOTHING: GivenValue = { kind: 'nothing' };
const EXPRESSION: GivenValue = { kind: 'expression' };

/** Source: "JSON Output Format", configuration representation. What is not as documented is left out. */
export function readGivenValues({ configuration }: PlanJson): GivenValues {
  const found = new Map<string, unknown>();
  readModule(memberOf(configuration, 'root_module'), '', found);
  return found;
}

function readModule(module: unknown, prefix: string, found: Map<string, unknown>): void {
  for (const resource of asList(memberOf(module, 'resources'))) {
    found.set(`${prefix}${String(memberOf(resource, 'address'))}`, memberOf(resource, 'expressions'));
  }
  for (const [name, call] of Object.entries(asObject(memberOf(module, 'module_calls')))) {
    readModule(memberOf(call, 'module'), `${prefix}module.${name}.`, found);
  }
}

/** An address without the keys of `count` and `for_each`, as the code has it: `module.a["x"].b.c[0]` gives `module.a.b.c`. */
export function withoutKeys(address: string): string {
  return address.replaceAll(/\[(?:\d+|"(?:[^"\\]|\\.)*")\]/g, '');
}

/** `names` lead to the attribute from the top, list indexes left out. */
export function givenValue(given: GivenValues, address: string, names: readonly string[]): GivenValue {
  return inBlock(given.get(withoutKeys(address)), names);
}

function inBlock(block: unknown, names: readonly string[]): GivenValue {
  const [name, ...rest] = names;
  if (Array.isArray(block)) return firstGiven(block.map((one) => inBlock(one, names)));
  if (name === undefined) return EXPRESSION;
  const inner = memberOf(block, name);
  if (inner === undefined) return NOTHING;
  if (memberOf(inner, 'references') !== undefined) return EXPRESSION;
  if (isJsonObject(inner) && Object.hasOwn(inner, 'constant_value')) return inLiteral(inner['constant_value'], rest);
  return inBlock(inner, rest);
}

function inLiteral(value: unknown, names: readonly string[]): GivenValue {
  const [name, ...rest] = names;
  if (name === undefined) return { kind: 'literal', value };
  if (Array.isArray(value)) return firstGiven(value.map((item) => inLiteral(item, names)));
  return isJsonObject(value) && Object.hasOwn(value, name) ? inLiteral(value[name], rest) : NOTHING;
}

/** In one of the elements of a list is enough; which one, the names do not say. */
function firstGiven(found: readonly GivenValue[]): GivenValue {
  return found.some(({ kind }) => kind !== 'nothing') ? EXPRESSION : NOTHING;
}

/** Whether a literal gives this value, once the provider has turned texts into numbers, lists into sets and nothing into null. */
export function isLiterally(literal: unknown, value: unknown): boolean {
  return canonicalText(loosened(literal)) === canonicalText(loosened(value));
}

function loosened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => String(canonicalText(loosened(item)))).toSorted();
  if (!isJsonObject(value)) return value === undefined || value === null ? null : String(value);
  const present = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(present.map(([key, item]) => [key, loosened(item)]));
}

/** The value at the end of these names; undefined where there is none. */
export function valueAt(value: unknown, names: readonly string[]): unknown {
  return names.reduce<unknown>(memberOf, value);
}
