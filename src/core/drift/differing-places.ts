import { canonicalText } from '../canonical-text.ts';
import { asList, isJsonObject } from '../json-value.ts';
import { childPath } from '../value-leaves.ts';
import { alignList, mapVersions, type Versions } from './align-list.ts';

/** A value in three versions, and what Terraform says of it besides. */
export interface VersionedValue {
  /** undefined: it is not there. */
  readonly values: Versions<unknown>;
  /** Terraform's `after_unknown`: `true` for all of it, or a tree with `true` where only the apply will tell. */
  readonly unknown: unknown;
  /** Terraform's marks of each version, likewise. */
  readonly sensitive: Versions<unknown>;
}

/** A place where they differ. */
export interface Place {
  /** As in `AttributeDifference`. */
  readonly path: string;
  /** Names on the way from the top to the place, indexes left out. */
  readonly names: readonly string[];
  /** How many of them lead to the outermost list it is in, or to itself. */
  readonly namesToList: number;
  readonly values: Versions<unknown>;
  readonly unknown: boolean;
  readonly sensitive: boolean;
}

/** `namesToList` is set by the first list on the way. */
type At = Pick<Place, 'path' | 'names'> & { readonly namesToList: number | undefined };

/** Terraform's values are shallow; what lies deeper than this is compared as a whole. */
const MAX_DEPTH = 60;

/**
 * Where three versions of a value differ, as deep as it can be told. Lists and sets look the same in JSON, and Terraform writes a set in
 * an order that any change may turn around; so elements are matched by their content, not by their index (`alignList`).
 */
export function differingPlaces(value: VersionedValue): readonly Place[] {
  const found: Place[] = [];
  visit(value, { path: '', names: [], namesToList: undefined }, found, 0);
  return found;
}

export function sameValue(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (!isComposite(left) || !isComposite(right)) return false;
  return canonicalText(left) === canonicalText(right);
}

function visit(value: VersionedValue, at: At, found: Place[], depth: number): void {
  const present = value.values.filter((version) => version !== undefined && version !== null);
  if (value.unknown === true || depth > MAX_DEPTH || present.length === 0) addPlace(value, at, found);
  else if (present.every(Array.isArray)) visitList(value, at, found, depth);
  else if (present.every(isJsonObject)) visitObject(value, at, found, depth);
  else addPlace(value, at, found);
}

function addPlace({ values, unknown, sensitive }: VersionedValue, at: At, found: Place[]): void {
  const [applied, live, wanted] = values;
  const someUnknown = hasMark(unknown);
  if (!someUnknown && sameValue(applied, live) && sameValue(live, wanted)) return;
  const namesToList = at.namesToList ?? at.names.length;
  found.push({ ...at, namesToList, values, unknown: someUnknown, sensitive: sensitive.some(hasMark) });
}

function visitObject(value: VersionedValue, at: At, found: Place[], depth: number): void {
  const before = found.length;
  const keys = new Set(
    [...value.values, value.unknown].flatMap((part) => (isJsonObject(part) ? Object.keys(part) : [])),
  );
  for (const key of keys) {
    const child = membersOf(value, [key, key, key]);
    visit(child, { ...at, path: childPath(at.path, key), names: [...at.names, key] }, found, depth + 1);
  }
  // Nothing, null and {} differ without differing in anything.
  if (found.length === before) addPlace(value, at, found);
}

function visitList(value: VersionedValue, at: At, found: Place[], depth: number): void {
  const lists = mapVersions(value.values, asList);
  const alignment = alignList(lists, hasMark(value.unknown));
  if (alignment === 'whole') {
    addPlace(value, at, found);
    return;
  }
  for (const element of alignment) {
    const path = `${at.path}[${element.index ?? '*'}]`;
    const inList = { ...at, path, namesToList: at.namesToList ?? at.names.length };
    const child = membersOf(value, element.at);
    // Of one that came or went, its parts say less than the whole.
    if (element.index === undefined) addPlace(child, inList, found);
    else visit(child, inList, found, depth + 1);
  }
}

type Key = string | number | undefined;

function membersOf({ values, unknown, sensitive }: VersionedValue, keys: Versions<Key>): VersionedValue {
  return {
    values: [member(values[0], keys[0]), member(values[1], keys[1]), member(values[2], keys[2])],
    unknown: memberMarks(unknown, keys[2]),
    sensitive: [
      memberMarks(sensitive[0], keys[0]),
      memberMarks(sensitive[1], keys[1]),
      memberMarks(sensitive[2], keys[2]),
    ],
  };
}

function member(value: unknown, key: Key): unknown {
  if (key === undefined || !isComposite(value) || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string | number, unknown>>)[key];
}

function memberMarks(marks: unknown, key: Key): unknown {
  return marks === true ? true : member(marks, key);
}

/** Whether the tree has a mark anywhere. */
export function hasMark(marks: unknown): boolean {
  return marks === true || (isComposite(marks) && Object.values(marks).some(hasMark));
}

function isComposite(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
