import { asList, memberOf } from '../json-value.ts';
import { type ChangeJson, isNoOp, type PlanJson } from '../plan-json.ts';
import { pathAndParents } from '../value-leaves.ts';
import { hasMark, type Place } from './differing-places.ts';
import type { InputsComparison, OutputDifference, ResourceDifference } from './drift.ts';
import { CAUSE } from './find-differences.ts';
import { withoutKeys } from './given-values.ts';
import { type Mask, valueTexts } from './value-texts.ts';

interface OutputContext {
  readonly inputs: InputsComparison;
  readonly mask: Mask;
}

/**
 * Root outputs whose value an apply would change. With the code as it was applied, something that they read has: a resource that is made
 * again (`consequence`), an attribute that was computed anew (`state_only`), or something else (`external`).
 */
export function classifyOutputs(
  plan: PlanJson,
  resources: readonly ResourceDifference[],
  { inputs, mask }: OutputContext,
): readonly OutputDifference[] {
  const changes = Object.entries(plan.output_changes ?? {}).filter(([, change]) => !isNoOp(change));
  if (changes.length === 0) return [];
  const readsStateOnly = isStateOnlyRead(plan, resources);
  const kindOf = (unknown: boolean): OutputDifference['kind'] => {
    if (inputs !== 'unchanged') return CAUSE[inputs];
    if (unknown) return 'consequence';
    return readsStateOnly ? 'state_only' : 'external';
  };
  return changes
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, change]) => ({
      name,
      kind: kindOf(hasMark(change.after_unknown)),
      ...valueTexts(outputPlace(change), mask),
    }));
}

function outputPlace(change: ChangeJson): Pick<Place, 'values' | 'unknown' | 'sensitive'> {
  return {
    values: [change.before, undefined, change.after],
    unknown: hasMark(change.after_unknown),
    sensitive: hasMark(change.before_sensitive) || hasMark(change.after_sensitive),
  };
}

/**
 * Whether something that changes reads an attribute that was computed anew. Terraform lists what its changes read (`relevant_attributes`)
 * without saying which change reads what.
 */
function isStateOnlyRead(plan: PlanJson, resources: readonly ResourceDifference[]): boolean {
  const found = new Set<string>();
  for (const { address, attributes } of resources) {
    const paths = attributes.filter(({ kind }) => kind === 'state_only').map(({ path }) => path);
    for (const path of paths) {
      found.add(withoutKeys(address)).add(attributeOf(address, pathAndParents(path).at(-1)));
    }
  }
  return asList(plan.relevant_attributes).some((read) => {
    const address = String(memberOf(read, 'resource'));
    const steps = memberOf(read, 'attribute');
    const name = typeof steps === 'string' ? steps : asList(steps)[0];
    return found.has(name === undefined ? withoutKeys(address) : attributeOf(address, String(name)));
  });
}

function attributeOf(address: string, name: string | undefined): string {
  return `${withoutKeys(address)} ${name}`;
}
