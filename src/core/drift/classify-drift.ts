import { createSecretKey } from 'node:crypto';
import { cutText } from '../../lib/markdown-text.ts';
import {
  changeAddress,
  failedChecks,
  hasEffect,
  isNoOp,
  type PlanJson,
  type ResourceChangeJson,
} from '../plan-json.ts';
import { classifyOutputs } from './classify-outputs.ts';
import { classifyResource } from './classify-resource.ts';
import { type DriftFindings, type InputsComparison, syncOf } from './drift.ts';
import type { ObservedResource } from './find-differences.ts';
import { fingerprintDrift } from './fingerprint.ts';
import { readGivenValues } from './given-values.ts';
import { readDependencies } from './read-dependencies.ts';
import type { Mask } from './value-texts.ts';

export interface ClassifyOptions {
  readonly inputs: InputsComparison;
  /** Of the keyed hashes; fingerprints made with different keys cannot be compared. */
  readonly key: Uint8Array;
  /** Takes known secrets out of a text. */
  readonly mask: Mask;
  /** Of the same plan, from `canonicalizePlan`. */
  readonly canonicalDigest: string;
}

const CHECKS = 50;
const CHECK_LENGTH = 500;

/**
 * What one ordinary plan says of reality, the state and the code. The plan must have been made with refreshing and for everything:
 * `-refresh=false` hides all drift, and `-refresh-only` and `-destroy` plan something else; none of the three can be seen here.
 *
 * @throws PlanFormatError for an action that nobody here knows.
 */
export function classifyDrift(plan: PlanJson, { inputs, key, mask, canonicalDigest }: ClassifyOptions): DriftFindings {
  const context = {
    inputs,
    key: createSecretKey(key),
    mask,
    given: readGivenValues(plan),
    follows: readDependencies(plan),
  };
  const resources = observedResources(plan)
    .map((observed) => classifyResource(observed, context))
    .filter((difference) => difference !== undefined)
    .toSorted((left, right) => (left.address < right.address ? -1 : 1));
  const outputs = classifyOutputs(plan, resources, { inputs, mask });
  const complete = plan.complete !== false;
  return {
    sync: syncOf({ resources, outputs, complete }),
    inputs,
    complete,
    resources,
    outputs,
    failedChecks: failedChecks(plan)
      .slice(0, CHECKS)
      .map((sentence) => cutText(mask(sentence), CHECK_LENGTH)),
    fingerprint: fingerprintDrift(resources),
    canonicalDigest,
  };
}

/** Data sources are read, not changed: what they say shows in what reads them. */
function observedResources(plan: PlanJson): readonly ObservedResource[] {
  const isManaged = ({ mode }: ResourceChangeJson) => mode !== 'data';
  const drifts = (plan.resource_drift ?? []).filter((entry) => isManaged(entry) && !isNoOp(entry.change));
  const drifted = new Map(drifts.map((entry) => [changeAddress(entry), entry]));
  const changes = (plan.resource_changes ?? []).filter(isManaged);
  const planned = new Set(changes.map(changeAddress));
  const unplanned = drifts.filter((entry) => !planned.has(changeAddress(entry)));
  return [
    ...changes
      .map((entry) => ({ entry, drift: drifted.get(changeAddress(entry))?.change }))
      .filter(({ entry, drift }) => drift !== undefined || hasEffect(entry)),
    ...unplanned.map((entry) => ({ entry: unchanged(entry), drift: entry.change })),
  ];
}

/** Of an object that the code does not want and that is gone, Terraform has nothing to plan. */
function unchanged(entry: ResourceChangeJson): ResourceChangeJson {
  const { after, after_sensitive } = entry.change;
  return {
    ...entry,
    previous_address: undefined,
    change: { actions: ['no-op'], before: after, after, before_sensitive: after_sensitive, after_sensitive },
  };
}
