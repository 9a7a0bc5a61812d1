import { createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyDrift } from '../../../../src/core/drift/classify-drift.ts';
import type { DifferenceKind } from '../../../../src/core/drift/drift.ts';
import { digestPlace, fingerprintDrift, fingerprintResource } from '../../../../src/core/drift/fingerprint.ts';
import { parsePlanJson } from '../../../../src/core/plan-json.ts';
import { DRIFT_KEY, findingsOf } from '../../../support/drift-findings.ts';
import { type ResourceSketch, sketchPlan } from '../../../support/drift-plan.ts';
import { planFixture, readPlanFixture } from '../../../support/plan-fixture.ts';

const KEY = createSecretKey(DRIFT_KEY);
const attribute = (path: string, digest = 'd', kind: DifferenceKind = 'drift') => ({ path, digest, kind });

describe('what stands at a place', () => {
  const place = { path: 'a.b', values: [1, 2, 3] as const, unknown: false };
  const digest = digestPlace(KEY, 'x.a', place);

  test.each([
    ['address', digestPlace(KEY, 'x.b', place)],
    ['path', digestPlace(KEY, 'x.a', { ...place, path: 'a.c' })],
    ['applied value', digestPlace(KEY, 'x.a', { ...place, values: [0, 2, 3] })],
    ['live value', digestPlace(KEY, 'x.a', { ...place, values: [1, 0, 3] })],
    ['wanted value', digestPlace(KEY, 'x.a', { ...place, values: [1, 2, 0] })],
    ['absent value', digestPlace(KEY, 'x.a', { ...place, values: [1, 2, undefined] })],
    ['null', digestPlace(KEY, 'x.a', { ...place, values: [1, 2, null] })],
    ['unknown value', digestPlace(KEY, 'x.a', { ...place, unknown: true })],
    ['text that looks like one absent', digestPlace(KEY, 'x.a', { ...place, values: [1, 2, '-'] })],
    ['key', digestPlace(createSecretKey(Buffer.from('another key')), 'x.a', place)],
  ])('another %s is another digest', (_what, other) => expect(other).not.toBe(digest));

  test('all of these differ from each other, too', () => {
    const values = [undefined, null, '-', 'unknown', [], {}, '', 0, false, '0'];
    const digests = values.map((value) => digestPlace(KEY, 'x.a', { ...place, values: [1, 2, value] }));
    expect(new Set([...digests, digestPlace(KEY, 'x.a', { ...place, unknown: true })]).size).toBe(values.length + 1);
  });

  test('the order of keys is no difference, nor is what is not known yet', () => {
    const of = (value: unknown) => digestPlace(KEY, 'x.a', { ...place, values: [1, value, 3] });
    expect(of({ a: 1, b: { c: 2, d: 3 } })).toBe(of({ b: { d: 3, c: 2 }, a: 1 }));
    expect(digestPlace(KEY, 'x.a', { ...place, unknown: true })).toBe(
      digestPlace(KEY, 'x.a', { ...place, values: [1, 2, 'anything'], unknown: true }),
    );
  });
});

describe('the fingerprint of a resource', () => {
  const fingerprint = fingerprintResource('x.a', 'update', [attribute('a'), attribute('b')]);

  test('is of its drift and its conflicts, in any order', () => {
    expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprintResource('x.a', 'update', [attribute('b'), attribute('a')])).toBe(fingerprint);
    expect(fingerprintResource('x.a', 'update', [attribute('b', 'd', 'conflict'), attribute('a')])).toBe(fingerprint);
  });

  test.each(['pending', 'baseline_unknown', 'external', 'consequence', 'state_only', 'absorbed'] as const)(
    'does not count what is %s',
    (kind) => {
      expect(fingerprintResource('x.a', 'update', [attribute('a'), attribute('b'), attribute('c', 'd', kind)])).toBe(
        fingerprint,
      );
      expect(fingerprintResource('x.a', 'update', [attribute('c', 'd', kind)])).toBeUndefined();
    },
  );

  test.each([
    ['address', fingerprintResource('x.b', 'update', [attribute('a'), attribute('b')])],
    ['action', fingerprintResource('x.a', 'replace', [attribute('a'), attribute('b')])],
    ['action, or none', fingerprintResource('x.a', undefined, [attribute('a'), attribute('b')])],
    ['path', fingerprintResource('x.a', 'update', [attribute('a'), attribute('c')])],
    ['value', fingerprintResource('x.a', 'update', [attribute('a'), attribute('b', 'e')])],
    ['number of attributes', fingerprintResource('x.a', 'update', [attribute('a')])],
    ['number of the same', fingerprintResource('x.a', 'update', [attribute('a'), attribute('b'), attribute('b')])],
  ])('is another with another %s', (_what, other) => expect(other).not.toBe(fingerprint));
});

test('the fingerprint of all drift is of that of each, in any order', () => {
  const one = { fingerprint: '1' };
  const two = { fingerprint: '2' };
  const none = { fingerprint: undefined };
  expect(fingerprintDrift([one, two])).toMatch(/^[0-9a-f]{16}$/);
  expect(fingerprintDrift([two, none, one])).toBe(fingerprintDrift([one, two]));
  expect(fingerprintDrift([one])).not.toBe(fingerprintDrift([one, two]));
  expect(fingerprintDrift([one])).not.toBe(fingerprintDrift([two]));
  expect(fingerprintDrift([none])).toBeUndefined();
  expect(fingerprintDrift([])).toBeUndefined();
});

describe('the fingerprint of a plan', () => {
  test('is the same when the same is planned again, at another time', () => {
    const again = parsePlanJson(readPlanFixture('drift').replace('{', '{"timestamp": "2026-11-21T00:00:00Z", '));
    expect(findingsOf(again).fingerprint).toBe(findingsOf(planFixture('drift')).fingerprint);
  });

  test('is another for another drift, and with another key', () => {
    const { fingerprint } = findingsOf(planFixture('drift'));
    const other = parsePlanJson(readPlanFixture('drift').replaceAll('hot-fix', 'other fix'));
    expect(findingsOf(other).fingerprint).not.toBe(fingerprint);
    const options = { inputs: 'unchanged', mask: (text: string) => text, canonicalDigest: '' } as const;
    const keyed = classifyDrift(planFixture('drift'), { ...options, key: Buffer.from('another key') });
    expect(keyed.fingerprint).not.toBe(fingerprint);
    expect(findingsOf(planFixture('drift-missing')).fingerprint).not.toBe(fingerprint);
  });

  test('does not depend on what is known of the inputs, nor on what else is to be done', () => {
    const { fingerprint } = findingsOf(planFixture('drift'), 'unchanged');
    expect(findingsOf(planFixture('drift'), 'changed').fingerprint).toBe(fingerprint);
    expect(findingsOf(planFixture('drift'), 'unknown').fingerprint).toBe(fingerprint);
    const drift = { address: 'x.a', applied: { a: 1, v: 1 }, live: { a: 2, v: 1 }, wanted: { a: 1, v: 1 } };
    const alone = findingsOf(sketchPlan([drift])).fingerprint;
    const computed = { ...drift, live: { a: 2, v: 5 }, wanted: { a: 1 }, unknown: { v: true } };
    const pending = { address: 'x.b', live: { a: 1 }, wanted: { a: 2 } };
    expect(findingsOf(sketchPlan([computed, pending]), 'changed').fingerprint).toBe(alone);
  });

  test('does not depend on the order in which anything is listed', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(names, fc.infiniteStream(fc.nat()), (list, random) => {
        const values = (value: number) => Object.fromEntries(list.map((name) => [name, value] as const));
        const reversed = (value: number) => Object.fromEntries(Object.entries(values(value)).toReversed());
        const sketches: readonly ResourceSketch[] = list.map((name) => ({
          address: `x.${name}`,
          applied: values(1),
          live: values(2),
          wanted: values(1),
        }));
        const shuffled = sketches
          .map((sketch) => [random.next().value ?? 0, { ...sketch, live: reversed(2) }] as const)
          .toSorted(([left], [right]) => left - right)
          .map(([, sketch]) => sketch);
        expect(findingsOf(sketchPlan(shuffled)).fingerprint).toBe(findingsOf(sketchPlan(sketches)).fingerprint);
      }),
    );
  });
});
