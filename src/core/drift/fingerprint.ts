import { createHash, type KeyObject } from 'node:crypto';
import { hashValue } from '../canonical-plan.ts';
import { canonicalText } from '../canonical-text.ts';
import type { PlanAction } from '../plan.ts';
import { type AttributeDifference, isDrift, type ResourceDifference } from './drift.ts';
import type { Place } from './differing-places.ts';

/** Short enough to be typed, and nobody without the key can look for two drifts that share one. Hex digits. */
const FINGERPRINT_LENGTH = 16;
const ABSENT = '-';
const UNKNOWN = 'unknown';

/** Keyed hash of what stands at a place in its three versions. */
export function digestPlace(
  key: KeyObject,
  address: string,
  { path, values, unknown }: Pick<Place, 'path' | 'values' | 'unknown'>,
): string {
  const versions = values.map((value) => canonicalText(value) ?? ABSENT);
  return hashValue(key, address, path, unknown ? [...versions.slice(0, 2), UNKNOWN] : versions);
}

type Drifting = Pick<AttributeDifference, 'path' | 'kind' | 'digest'>;

/** Of one resource's drift; undefined when there is none. What else is pending for it or was computed anew does not count. */
export function fingerprintResource(
  address: string,
  action: PlanAction | undefined,
  attributes: readonly Drifting[],
): string | undefined {
  const drifting = attributes
    .filter(({ kind }) => isDrift(kind))
    .map(({ path, digest }) => JSON.stringify([path, digest]));
  return drifting.length === 0 ? undefined : digestOf([address, action ?? ABSENT, ...drifting.toSorted()]);
}

/** Of all drift of a project; undefined when there is none. The order in which Terraform lists things does not count. */
export function fingerprintDrift(resources: readonly Pick<ResourceDifference, 'fingerprint'>[]): string | undefined {
  const found = resources.map(({ fingerprint }) => fingerprint).filter((fingerprint) => fingerprint !== undefined);
  return found.length === 0 ? undefined : digestOf(found.toSorted());
}

function digestOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, FINGERPRINT_LENGTH);
}
