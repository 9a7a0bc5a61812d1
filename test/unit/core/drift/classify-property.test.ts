import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DifferenceKind, gravest, type InputsComparison, isDrift } from '../../../../src/core/drift/drift.ts';
import { findingsOf } from '../../../support/drift-findings.ts';
import { sketchPlan } from '../../../support/drift-plan.ts';
import {
  type ElementEvent,
  type SimulatedResource,
  simulatedResources,
  sketchOf,
  truthOf,
} from '../../../support/simulated-change.ts';

const inputs = fc.constantFrom<InputsComparison>('changed', 'unchanged', 'unknown');

/** What was found of one resource: by path, and the kinds of the elements of its set. */
function foundOf(resources: ReturnType<typeof findingsOf>['resources'], address: string) {
  const attributes = resources.find((one) => one.address === address)?.attributes ?? [];
  const inSet = ({ path }: { readonly path: string }) => path.startsWith('groups');
  return {
    byPath: Object.fromEntries(
      attributes.filter((one) => !inSet(one)).map(({ path, kind }) => [path === '' ? '(all)' : path, kind]),
    ),
    inSet: attributes.filter(inSet).map(({ kind }) => kind),
  };
}

const BY_HAND: readonly ElementEvent[] = ['hand added', 'hand removed'];
const BY_CODE: readonly ElementEvent[] = ['code added', 'code removed'];
const CAUSES: readonly DifferenceKind[] = ['pending', 'external', 'baseline_unknown'];

/**
 * Which element was exchanged for which, nobody can tell of a set. But what was done by hand is always seen as drift, what the code asks
 * for never passes as part of it, and what befell in one way alone is told exactly.
 */
function checkSet(groups: readonly ElementEvent[], kinds: readonly DifferenceKind[]): void {
  const hand = groups.filter((one) => BY_HAND.includes(one));
  const code = groups.filter((one) => BY_CODE.includes(one));
  const changed = groups.filter((one) => one !== 'none');
  expect(kinds.length > 0).toBe(changed.length > 0);
  expect(kinds.some(isDrift)).toBe(hand.length > 0);
  if (code.length > 0) expect(kinds.some((kind) => CAUSES.includes(kind) || kind === 'conflict')).toBe(true);
  if (hand.length === changed.length) expect(kinds.every((kind) => kind === 'drift')).toBe(true);
  if (code.length === changed.length) expect(kinds.every((kind) => CAUSES.includes(kind))).toBe(true);
}

describe('whatever is done to cloud and code', () => {
  const check = (list: readonly SimulatedResource[], compared: InputsComparison) => {
    const findings = findingsOf(sketchPlan(list.map(sketchOf)), compared);
    for (const resource of list) {
      const found = foundOf(findings.resources, resource.address);
      expect(found.byPath).toEqual(truthOf(resource, compared));
      if (resource.object === 'kept' || resource.object === 'tainted') checkSet(resource.groups, found.inSet);
    }
    return findings;
  };

  test('each place is called what befell it', () => {
    fc.assert(
      fc.property(simulatedResources, inputs, (list, compared) => void check(list, compared)),
      { numRuns: 500 },
    );
  });

  test('the project is called after the gravest of it', () => {
    fc.assert(
      fc.property(simulatedResources, inputs, (list, compared) => {
        const plain = list.map((resource) => ({ ...resource, groups: [] }));
        const kind = gravest(plain.flatMap((resource) => Object.values(truthOf(resource, compared))));
        const findings = check(plain, compared);
        expect(findings.sync).toBe(kind === 'conflict' ? 'drift' : (kind ?? 'in_sync'));
        expect(findings.fingerprint !== undefined).toBe(kind !== undefined && isDrift(kind));
        expect(findings.resources.map((one) => one.address)).toEqual(
          findings.resources.map((one) => one.address).toSorted(),
        );
      }),
      { numRuns: 200 },
    );
  });

  test('an apply that would delete something real is always called destructive', () => {
    fc.assert(
      fc.property(simulatedResources, inputs, (list, compared) => {
        const { resources } = findingsOf(sketchPlan(list.map(sketchOf)), compared);
        for (const resource of list) {
          const found = resources.find(({ address }) => address === resource.address);
          const renamed = ['hand', 'code', 'both'].includes(resource.name) && resource.object === 'kept';
          const deletes = renamed || resource.object === 'tainted' || resource.object === 'removed by code';
          expect(found?.destructive ?? false).toBe(deletes);
          expect(found?.missing ?? false).toBe(resource.object === 'removed by hand');
        }
      }),
      { numRuns: 100 },
    );
  });
});
