import { canonicalText } from '../canonical-text.ts';
import { asObject, memberOf } from '../json-value.ts';

/** Of a value after the last apply, of what is there now, and of what the code wants. */
export type Versions<T> = readonly [applied: T, live: T, wanted: T];

export function mapVersions<T, R>([applied, live, wanted]: Versions<T>, map: (version: T) => R): Versions<R> {
  return [map(applied), map(live), map(wanted)];
}

/** One element, found in one version or more. */
export interface ListElement {
  /** Its index in each version; undefined: not in that one. */
  readonly at: Versions<number | undefined>;
  /** Its place, where that says anything. */
  readonly index: number | undefined;
}

/** One version's elements, by the text of each, with its index. */
type Remainder = readonly (readonly [text: string, index: number])[];

/**
 * Which elements of three versions of a list or set belong together, those that are in all three left out; `whole` where no parting would
 * be right: it is the order that differs, an element is there twice, or somebody changed an element by hand that the code drops, which
 * must not look as if it could be put right by itself.
 *
 * One element left in each version is one that was changed, and so are those that share a name, a port or the like of their own. Places
 * say nothing of a set, so they count only where no wrong match could do harm: where two of the versions are one. Otherwise each element
 * counts by itself: it was added or taken away.
 */
export function alignList(lists: Versions<readonly unknown[]>, unknown: boolean): readonly ListElement[] | 'whole' {
  const sameLength = allEqual(mapVersions(lists, ({ length }) => length));
  if (unknown) return sameLength ? lists[0].map((_, index) => inPlace(index)) : 'whole';
  const left = withoutCommon(mapVersions(lists, (list) => list.map((item) => String(canonicalText(item)))));
  if (left.every(({ length }) => length === 0)) return 'whole';
  if (left.every(({ length }) => length === 1)) return [changed(mapVersions(left, (remainder) => remainder[0]?.[1]))];
  const indexes = mapVersions(left, (remainder) => remainder.map(([, index]) => index));
  const identified = byIdentity(lists, indexes);
  if (identified !== undefined) return identified;
  if (sameLength && allEqual(mapVersions(indexes, String)) && isTwofold(left)) return indexes[0].map(inPlace);
  return byPresence(left);
}

function changed(at: ListElement['at']): ListElement {
  return { at, index: at[2] };
}

/** Two of the three are the same. */
function isTwofold(left: Versions<Remainder>): boolean {
  return new Set(left.map((remainder) => JSON.stringify(remainder))).size < left.length;
}

/**
 * Elements that have one member by which they can be told apart, the same in all versions. undefined: there is none. Which member is taken
 * does not matter: what the code asks for and nobody did by hand is seen with any.
 */
function byIdentity(
  lists: Versions<readonly unknown[]>,
  indexes: Versions<readonly number[]>,
): readonly ListElement[] | undefined {
  const count = indexes[2].length;
  for (const name of Object.keys(asObject(lists[2][indexes[2][0] ?? 0]))) {
    const identities = (version: 0 | 1 | 2) =>
      new Map(indexes[version].map((index) => [identityOf(lists[version][index], name), index]));
    const [applied, live, wanted] = [identities(0), identities(1), identities(2)];
    const shared = [...wanted.keys()].filter((one) => one !== undefined && applied.has(one) && live.has(one));
    if (shared.length === count && indexes.every(({ length }) => length === count)) {
      return shared.map((one) => changed([applied.get(one), live.get(one), wanted.get(one)]));
    }
  }
  return undefined;
}

function identityOf(element: unknown, name: string): unknown {
  const value = memberOf(element, name);
  return typeof value === 'string' || typeof value === 'number' ? value : undefined;
}

function allEqual<T>([applied, live, wanted]: Versions<T>): boolean {
  return applied === live && live === wanted;
}

function inPlace(index: number): ListElement {
  return { at: [index, index, index], index };
}

/** How often an element is in all three is how often it is taken from each. */
function withoutCommon(versions: Versions<readonly string[]>): Versions<Remainder> {
  const counts = mapVersions(versions, countTexts);
  return mapVersions(versions, (texts) => {
    const taken = new Map<string, number>();
    return texts.flatMap((text, index) => {
      const before = taken.get(text) ?? 0;
      taken.set(text, before + 1);
      const common = Math.min(...counts.map((count) => count.get(text) ?? 0));
      return before < common ? [] : [[text, index] as const];
    });
  });
}

function countTexts(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

function byPresence(left: Versions<Remainder>): readonly ListElement[] | 'whole' {
  const places = mapVersions(left, (remainder) => new Map(remainder));
  if (places.some(({ size }, version) => size < (left[version]?.length ?? 0))) return 'whole';
  const [applied, live, wanted] = places;
  const texts = [...new Set(left.flatMap((remainder) => remainder.map(([text]) => text)))];
  const droppedByBoth = texts.some((text) => !live.has(text) && !wanted.has(text));
  const addedByHand = texts.some((text) => !applied.has(text) && !wanted.has(text));
  if (droppedByBoth && addedByHand) return 'whole';
  return texts.map((text) => ({ at: mapVersions(places, (place) => place.get(text)), index: undefined }));
}
