import type { PlanAction } from '../plan.ts';
import { type ChangeJson, isImport, type ResourceChangeJson } from '../plan-json.ts';
import { differingPlaces, type Place, sameValue, type VersionedValue } from './differing-places.ts';
import type { DifferenceKind, InputsComparison } from './drift.ts';
import { type GivenValues, givenValue, isLiterally, valueAt } from './given-values.ts';

/** What Terraform says of one resource instance. */
export interface ObservedResource {
  /** What it would do. */
  readonly entry: ResourceChangeJson;
  /** How reality differs from the state; undefined: not at all. */
  readonly drift: ChangeJson | undefined;
}

export interface ResourceContext {
  readonly inputs: InputsComparison;
  readonly given: GivenValues;
  /** Whether it depended, when it was applied last, on something that this plan changes. */
  readonly follows: (address: string) => boolean;
}

export interface Found {
  readonly place: Place;
  readonly kind: DifferenceKind;
}

/** Why an apply would change what nobody changed by hand, by what is known of the code. */
export const CAUSE = { changed: 'pending', unknown: 'baseline_unknown', unchanged: 'external' } as const;

/** The place of what is about the whole object. */
const WHOLE: Place = {
  path: '',
  names: [],
  namesToList: 0,
  values: [undefined, undefined, undefined],
  unknown: false,
  sensitive: false,
};

/** @param action what an apply would do; undefined: nothing. */
export function findDifferences(
  observed: ObservedResource,
  action: PlanAction | undefined,
  context: ResourceContext,
): readonly Found[] {
  const value = versionsOf(observed);
  const { address } = observed.entry;
  if (isGone(observed)) return action === undefined ? [goneForGood(context)] : madeAgain(value, address, context);
  const whole = ofWholeObject(observed.entry, action, context);
  if (isAllOrNothing(action)) return [...whole, ...leftBehind(value)];
  const places = differingPlaces(value).flatMap((place) => {
    const kind = kindOfPlace(place, value, address, context);
    return kind === undefined ? [] : [{ place, kind }];
  });
  if (whole.length > 0 || action === undefined || places.some(({ kind }) => explainsAction(kind))) {
    return [...whole, ...places];
  }
  return [{ place: WHOLE, kind: causeOfUnknown(address, context) }, ...places];
}

/** The object was there after the last apply and is not any more. */
export function isGone({ drift }: ObservedResource): boolean {
  return drift?.actions.includes('delete') ?? false;
}

function isAllOrNothing(action: PlanAction | undefined): boolean {
  return action === 'create' || action === 'delete' || action === 'forget';
}

function versionsOf({ entry: { change }, drift }: ObservedResource): VersionedValue {
  return {
    values: [drift === undefined ? change.before : drift.before, change.before, change.after],
    unknown: change.after_unknown,
    sensitive: [drift?.before_sensitive, change.before_sensitive, change.after_sensitive],
  };
}

/** Nothing makes it again: the code does not want it any more either, or what decides on it, such as `count`, does not. */
function goneForGood({ inputs }: ResourceContext): Found {
  return { place: WHOLE, kind: inputs === 'changed' ? 'absorbed' : 'state_only' };
}

/**
 * What comes back is what the code says now; where that is not what was applied, more than drift would be put right. Of a literal in code
 * that is as it was applied, nothing but `ignore_changes` can have kept it from being applied, and that does not hold for a new object.
 */
function madeAgain(
  { values: [applied, , wanted], ...rest }: VersionedValue,
  address: string,
  context: ResourceContext,
): readonly Found[] {
  const changed = differingPlaces({ ...rest, values: [applied, applied, wanted] }).filter(({ unknown }) => !unknown);
  const kindOf = ({ names, namesToList }: Place): DifferenceKind => {
    const given = givenValue(context.given, address, names.slice(0, namesToList));
    return context.inputs === 'unchanged' && given.kind === 'literal' ? 'consequence' : CAUSE[context.inputs];
  };
  return [
    { place: WHOLE, kind: 'drift' },
    ...changed.map((place): Found => {
      const [before, , after] = place.values;
      return { kind: kindOf(place), place: { ...place, values: [before, undefined, after] } };
    }),
  ];
}

/** What was changed by hand in an object that goes anyway. */
function leftBehind({ values: [applied, live], ...rest }: VersionedValue): readonly Found[] {
  const places = differingPlaces({ ...rest, values: [applied, live, live], unknown: undefined });
  return places.map((place) => ({ place, kind: 'state_only' }));
}

/** What is to be told of the object beside its attributes. */
function ofWholeObject(
  entry: ResourceChangeJson,
  action: PlanAction | undefined,
  { inputs }: ResourceContext,
): readonly Found[] {
  const unfinished = entry.deposed !== undefined || entry.action_reason === 'replace_because_tainted';
  const declared = isAllOrNothing(action) || entry.previous_address !== undefined || isImport(entry.change);
  if (action === undefined || (!unfinished && !declared)) return [];
  return [{ place: WHOLE, kind: unfinished ? 'pending' : CAUSE[inputs] }];
}

function explainsAction(kind: DifferenceKind): boolean {
  return kind !== 'state_only' && kind !== 'absorbed';
}

/** undefined: it is no difference, for an apply gives every value anew that the provider computes. */
function kindOfPlace(
  place: Place,
  value: VersionedValue,
  address: string,
  context: ResourceContext,
): DifferenceKind | undefined {
  const [applied, live, wanted] = place.values;
  const changedByHand = !sameValue(applied, live);
  if (place.unknown) {
    if (givenValue(context.given, address, place.names).kind === 'nothing')
      return changedByHand ? 'state_only' : undefined;
    return changedByHand ? 'conflict' : causeOfUnknown(address, context);
  }
  if (sameValue(live, wanted)) return kindOfKept(place, value, address, context);
  if (!changedByHand) return CAUSE[context.inputs];
  return sameValue(applied, wanted) || (isEmpty(applied) && isEmpty(wanted)) ? 'drift' : 'conflict';
}

/** With the code as it was applied, what only the apply will tell depends on something else that changes, where there is such a thing. */
function causeOfUnknown(address: string, { inputs, follows }: ResourceContext): DifferenceKind {
  return inputs === 'unchanged' && follows(address) ? 'consequence' : CAUSE[inputs];
}

/** Reality was changed, and an apply keeps it: because the code says the same by now, or because it does not care. */
function kindOfKept(place: Place, value: VersionedValue, address: string, context: ResourceContext): DifferenceKind {
  if (context.inputs === 'unchanged') return 'state_only';
  const names = place.names.slice(0, place.namesToList);
  const given = givenValue(context.given, address, names);
  if (given.kind === 'literal') {
    return isLiterally(given.value, valueAt(value.values[1], names)) ? 'absorbed' : 'state_only';
  }
  return given.kind === 'expression' && context.inputs === 'changed' ? 'absorbed' : 'state_only';
}

/** Providers write "nothing" in several ways, and turn one into another. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
