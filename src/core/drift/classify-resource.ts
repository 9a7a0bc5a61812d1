import type { KeyObject } from 'node:crypto';
import { changeAddress, hasEffect, planAction } from '../plan-json.ts';
import { DIFFERENCE_KINDS, type DifferenceKind, gravest, type ResourceDifference } from './drift.ts';
import {
  type Found,
  findDifferences,
  isGone,
  type ObservedResource,
  type ResourceContext,
} from './find-differences.ts';
import { digestPlace, fingerprintResource } from './fingerprint.ts';
import { type Mask, pathText, valueTexts } from './value-texts.ts';

/** How many attributes of one resource are carried. */
export const ATTRIBUTES_PER_RESOURCE = 200;

export interface DescribeContext extends ResourceContext {
  /** Of the keyed hashes. */
  readonly key: KeyObject;
  readonly mask: Mask;
}

/** undefined: nothing differs. */
export function classifyResource(observed: ObservedResource, context: DescribeContext): ResourceDifference | undefined {
  const { entry } = observed;
  const action = hasEffect(entry) ? planAction(entry) : undefined;
  const found = findDifferences(observed, action, context);
  const kind = gravest(found.map((one) => one.kind));
  if (kind === undefined) return undefined;
  const address = changeAddress(entry);
  const all = found.toSorted(byGravityAndPath).map((one) => ({
    place: one.place,
    attribute: { path: pathText(one.place.path), kind: one.kind, digest: digestPlace(context.key, address, one.place) },
  }));
  const kept = keepSome(all);
  return {
    address,
    type: entry.type,
    kind,
    action,
    reason: entry.action_reason,
    missing: isGone(observed) && action !== undefined,
    destructive: entry.change.actions.includes('delete'),
    attributes: kept.map(({ place, attribute }) => ({ ...attribute, ...valueTexts(place, context.mask) })),
    attributesLeftOut: all.length - kept.length,
    fingerprint: fingerprintResource(
      address,
      action,
      all.map(({ attribute }) => attribute),
    ),
  };
}

/** The gravest, and one of each kind at least: what an apply would do to the resource shows in them, however many there are. */
function keepSome<T extends { readonly attribute: { readonly kind: DifferenceKind } }>(
  sorted: readonly T[],
): readonly T[] {
  if (sorted.length <= ATTRIBUTES_PER_RESOURCE) return sorted;
  const most = ATTRIBUTES_PER_RESOURCE - DIFFERENCE_KINDS.length;
  return sorted.filter(({ attribute }, index) => index < most || attribute.kind !== sorted[index - 1]?.attribute.kind);
}

function byGravityAndPath(left: Found, right: Found): number {
  const gravity = DIFFERENCE_KINDS.indexOf(left.kind) - DIFFERENCE_KINDS.indexOf(right.kind);
  if (gravity !== 0) return gravity;
  return left.place.path < right.place.path ? -1 : 1;
}
