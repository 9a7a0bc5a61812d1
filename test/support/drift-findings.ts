import { classifyDrift } from '../../src/core/drift/classify-drift.ts';
import type { DifferenceKind, DriftFindings, InputsComparison } from '../../src/core/drift/drift.ts';
import type { PlanJson } from '../../src/core/plan-json.ts';

export const DRIFT_KEY = Buffer.from('a key of this installation');

/** Classifies as a worker does, with nothing to mask. */
export function findingsOf(plan: PlanJson, inputs: InputsComparison = 'unchanged'): DriftFindings {
  return classifyDrift(plan, { inputs, key: DRIFT_KEY, mask: (text) => text, canonicalDigest: 'digest' });
}

/** `ADDRESS PATH` -> kind; of the object as a whole the path is `(all)`. */
export function kindsOf({ resources }: Pick<DriftFindings, 'resources'>): Readonly<Record<string, DifferenceKind>> {
  return Object.fromEntries(
    resources.flatMap(({ address, attributes }) =>
      attributes.map(({ path, kind }) => [`${address} ${path === '' ? '(all)' : path}`, kind] as const),
    ),
  );
}
