import { describe, expect, test } from 'vitest';
import { classifyDrift } from '../../../../src/core/drift/classify-drift.ts';
import { ATTRIBUTES_PER_RESOURCE } from '../../../../src/core/drift/classify-resource.ts';
import { SENSITIVE_VALUE, VALUE_LENGTH } from '../../../../src/core/drift/value-texts.ts';
import { createMasker } from '../../../../src/lib/mask.ts';
import { DRIFT_KEY, findingsOf } from '../../../support/drift-findings.ts';
import { sketchPlan } from '../../../support/drift-plan.ts';

const A = 'x_thing.a';
type Values = Readonly<Record<string, unknown>>;

const drifted = (applied: Values, live: Values, rest: Partial<Parameters<typeof sketchPlan>[0][number]> = {}) =>
  sketchPlan([{ address: A, applied, live, wanted: applied, ...rest }]);
const attributesOf = (plan: ReturnType<typeof sketchPlan>, mask: (text: string) => string = (text) => text) =>
  classifyDrift(plan, { inputs: 'unchanged', key: DRIFT_KEY, mask, canonicalDigest: '' }).resources[0]?.attributes ??
  [];

describe('values in findings', () => {
  test('are JSON with sorted keys', () => {
    expect(attributesOf(drifted({ a: 'x', b: null }, { a: { z: 1, b: [true] }, b: 2 }))).toMatchObject([
      { path: 'a', applied: '"x"', live: '{"b":[true],"z":1}', wanted: '"x"' },
      { path: 'b', applied: 'null', live: '2', wanted: 'null' },
    ]);
  });

  test('that Terraform calls sensitive are not there', () => {
    const plan = drifted(
      { a: 'secret-one', b: null },
      { a: 'secret-two', b: { c: 'secret-three' } },
      {
        sensitive: { a: true, b: { c: true } },
      },
    );
    expect(attributesOf(plan)).toMatchObject([
      { path: 'a', sensitive: true, applied: SENSITIVE_VALUE, live: SENSITIVE_VALUE, wanted: SENSITIVE_VALUE },
      { path: 'b.c', sensitive: true, applied: undefined, live: SENSITIVE_VALUE, wanted: undefined },
    ]);
    expect(JSON.stringify(findingsOf(plan))).not.toContain('secret-');
  });

  test('are told apart all the same', () => {
    const digest = (live: string) =>
      attributesOf(drifted({ a: 'x' }, { a: live }, { sensitive: { a: true } }))[0]?.digest;
    expect(digest('one')).not.toBe(digest('two'));
    expect(digest('one')).toBe(digest('one'));
  });

  test('are masked before they are cut, so that no half of a secret is left', () => {
    const secret = 'correct-horse-battery-staple';
    const { mask } = createMasker([secret]);
    const long = `${'x'.repeat(VALUE_LENGTH - 20)} ${secret} ${'y'.repeat(100)}`;
    const [attribute] = attributesOf(drifted({ a: secret }, { a: long }), mask);
    expect(attribute?.applied).not.toContain(secret);
    expect(attribute?.live).not.toContain('correct');
    expect(attribute?.live).toMatch(/^"x+ /);
    expect(attribute?.live?.length).toBe(VALUE_LENGTH);
  });

  test('are bounded, and cut between characters', () => {
    const [attribute] = attributesOf(drifted({ a: `x${'😀'.repeat(1_000)}` }, { a: 'y'.repeat(10_000_000) }));
    expect(attribute?.applied).toMatch(/^"x(?:😀)+…$/u);
    expect(attribute?.applied?.length).toBe(VALUE_LENGTH - 1);
    expect(attribute?.live?.length).toBe(VALUE_LENGTH);
    const whole = `"${'z'.repeat(VALUE_LENGTH - 2)}"`;
    expect(attributesOf(drifted({ a: 1 }, { a: 'z'.repeat(VALUE_LENGTH - 2) }))[0]?.live).toBe(whole);
  });

  test('that are unknown have no text', () => {
    const plan = sketchPlan([
      {
        address: A,
        live: { a: 'x' },
        wanted: {},
        unknown: { a: true },
        actions: ['update'],
        given: { a: { references: ['var.a'] } },
      },
    ]);
    expect(attributesOf(plan)).toMatchObject([
      { path: 'a', applied: '"x"', live: '"x"', wanted: undefined, unknown: true, sensitive: false },
    ]);
  });

  test('are kept for so many attributes of a resource, the gravest first', () => {
    const many = (value: number) =>
      Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`a${String(index).padStart(3, '0')}`, value]));
    const plan = sketchPlan([
      { address: A, applied: { ...many(1), z: 1 }, live: { ...many(2), z: 2 }, wanted: { ...many(2), z: 1 } },
    ]);
    const [resource] = findingsOf(plan).resources;
    expect(resource?.kind).toBe('drift');
    expect(resource?.attributes.length).toBe(192);
    expect(resource?.attributesLeftOut).toBe(501 - 192);
    expect(resource?.attributes.slice(0, 3).map(({ path }) => path)).toEqual(['z', 'a000', 'a001']);
  });

  test('are kept all while they are not too many, and of each kind one however many there are', () => {
    const many = (count: number, value: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${1000 + index}`, value]));
    const kept = (count: number) => {
      const values = (drifting: number, rest: readonly [number, number]) => ({
        ...many(count - 2, drifting),
        external: rest[0],
        computed: rest[1],
      });
      const sketch = { applied: values(1, [1, 1]), live: values(2, [1, 2]), wanted: values(1, [2, 2]) };
      return findingsOf(sketchPlan([{ address: A, ...sketch }])).resources[0];
    };
    expect(kept(ATTRIBUTES_PER_RESOURCE)).toMatchObject({ attributesLeftOut: 0 });
    const more = kept(ATTRIBUTES_PER_RESOURCE + 1);
    expect(more).toMatchObject({ kind: 'drift', attributesLeftOut: 7 });
    expect(more?.attributes.slice(-3).map(({ kind }) => kind)).toEqual(['drift', 'external', 'state_only']);
  });

  test('left out count for the fingerprint', () => {
    const many = (first: number, last: number) =>
      Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`a${1000 + index}`, index < 299 ? first : last]));
    const one = findingsOf(drifted(many(1, 1), many(2, 2)));
    const other = findingsOf(drifted(many(1, 1), many(2, 3)));
    expect(one.resources[0]?.attributesLeftOut).toBe(108);
    expect(one.fingerprint).not.toBe(other.fingerprint);
  });

  test('stand at paths of a bounded length that stay different', () => {
    const key = 'k'.repeat(5_000);
    const tags = (value: string) => ({ tags: { [`${key}1`]: value, [`${key}2`]: value, ['s'.repeat(395)]: value } });
    const paths = attributesOf(drifted(tags('x'), tags('y'))).map(({ path }) => path);
    expect(paths.map(({ length }) => length)).toEqual([408, 408, 400]);
    expect(new Set(paths).size).toBe(3);
    expect(paths[0]).toMatch(/^tags\.k+…[0-9a-f]{8}$/);
    expect(paths[2]).toBe(`tags.${'s'.repeat(395)}`);
  });
});

describe('five thousand resources', () => {
  // How long it takes, `npm run bench` tells; were it more than linear, this would not end in time.
  test('that all drift are classified', () => {
    const values = (size: number) => ({
      ...Object.fromEntries(Array.from({ length: 3 }, (_, index) => [`attribute_${index}`, `value ${index}`])),
      size,
      tags: { team: 'x', size: String(size) },
      rule: [{ port: 80 }, { port: 443, size }],
      groups: ['sg-1', 'sg-2', `sg-${size}`],
    });
    const sketches = Array.from({ length: 5_000 }, (_, index) => ({
      address: `x_thing.a[${index}]`,
      applied: values(3),
      live: values(4),
      wanted: values(3),
      dependsOn: ['x_thing.b', 'x_thing.c'],
    }));
    const plan = sketchPlan(sketches);
    const { mask } = createMasker(Array.from({ length: 300 }, (_, index) => `secret number ${index}`));
    const found = classifyDrift(plan, { inputs: 'unchanged', key: DRIFT_KEY, mask, canonicalDigest: '' });
    expect(found.resources.length).toBe(5_000);
    expect(found.resources[0]?.attributes.map(({ path }) => path)).toEqual([
      'groups[2]',
      'rule[1].size',
      'size',
      'tags.size',
    ]);
  });

  test('are no more than one with twenty thousand elements in a set', () => {
    const rules = (from: number) => ({ rule: Array.from({ length: 20_000 }, (_, index) => ({ port: from + index })) });
    const [resource] = findingsOf(drifted(rules(0), rules(10_000))).resources;
    expect(resource?.kind).toBe('drift');
  });
});
