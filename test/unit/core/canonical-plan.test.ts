import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalizePlan, globMatches, type IgnoreRule } from '../../../src/core/canonical-plan.ts';
import { listPlanDifferences } from '../../../src/core/plan-differences.ts';
import { type PlanJson, parsePlanJson } from '../../../src/core/plan-json.ts';
import { planFixture, readPlanFixture } from '../../support/plan-fixture.ts';

const KEY = Buffer.from('a key of this installation');
const canonical = (plan: PlanJson, ignore: readonly IgnoreRule[] = [], key: Uint8Array = KEY) =>
  canonicalizePlan(plan, { key, ignore });
const edited = (name: string, from: string | RegExp, to: string) =>
  parsePlanJson(readPlanFixture(name).replace(from, to));
const FIXTURES = [
  'create',
  'nothing',
  'drift',
  'drift-missing',
  'update',
  'replace',
  'delete',
  'forget',
  'move',
  'import',
  'read',
  'deposed',
  'outputs',
];

function planOf(changes: readonly unknown[], outputs: Readonly<Record<string, unknown>> = {}): PlanJson {
  return parsePlanJson(JSON.stringify({ format_version: '1.2', resource_changes: changes, output_changes: outputs }));
}
const update = (address: string, before: unknown, after: unknown, unknown: unknown = {}) => ({
  address,
  type: 'x',
  change: { actions: ['update'], before, after, after_unknown: unknown },
});

const otherValues = (address: string, names: string) => ({
  address,
  approved: 'update',
  now: `update, with other values of ${names}`,
});

describe('canonicalizePlan', () => {
  test.each(FIXTURES)('%s is equal to itself and to no other', (name) => {
    const own = canonical(planFixture(name));
    expect(listPlanDifferences(own, canonical(planFixture(name)))).toEqual([]);
    for (const other of FIXTURES.filter((one) => one !== name)) {
      expect(listPlanDifferences(own, canonical(planFixture(other))), other).not.toEqual([]);
    }
  });

  test.each(FIXTURES)('%s: no value can be read from it', (name) => {
    const text = JSON.stringify(canonical(planFixture(name)));
    expect(text).not.toMatch(/canary|hot-fix|"two"|12345678901234567890/);
  });

  test('the key decides the hashes', () => {
    expect(canonical(planFixture('update'), [], Buffer.from('other')).digest).not.toBe(
      canonical(planFixture('update')).digest,
    );
  });

  test('the order in which Terraform lists things does not matter', () => {
    const values = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 });
    const changes = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), values, values), {
      selector: ([address]) => address,
      maxLength: 6,
    });
    fc.assert(
      fc.property(changes, fc.infiniteStream(fc.nat()), (list, random) => {
        const entries = list.map(([address, before, after]) => update(address, before, after));
        const shuffled = entries
          .map((entry) => [random.next().value ?? 0, entry] as const)
          .toSorted(([left], [right]) => left - right)
          .map(([, entry]) => ({
            ...entry,
            change: { ...entry.change, before: reversed(entry.change.before as Record<string, unknown>) },
          }));
        expect(canonical(planOf(shuffled)).digest).toBe(canonical(planOf(entries)).digest);
      }),
    );
  });

  test('any other value is another digest, and the comparison names its place', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(value, value, (left, right) => {
        const [one, two] = [left, right].map((after) => canonical(planOf([update('a.b', null, { x: after })])));
        if (!one || !two) throw new Error('unreachable');
        const same = sameValue(left, right);
        expect(one.digest === two.digest).toBe(same);
        expect(listPlanDifferences(one, two).every(({ address }) => address === 'a.b')).toBe(true);
        expect(listPlanDifferences(one, two).length > 0).toBe(!same);
      }),
    );
  });

  test('nothing, null, empty list and empty object are four different things', () => {
    const digests = [{}, { x: null }, { x: [] }, { x: {} }, { x: '' }, { x: false }, { x: 0 }].map(
      (after) => canonical(planOf([update('a.b', {}, after)])).digest,
    );
    expect(new Set(digests).size).toBe(digests.length);
  });

  test('known and not yet known differ', () => {
    const known = canonical(planOf([update('a.b', {}, { x: 'v', y: 1 })]));
    const unknown = canonical(planOf([update('a.b', {}, { y: 1 }, { x: true })]));
    expect(listPlanDifferences(known, unknown)).toEqual([otherValues('a.b', 'x')]);
  });
});

function sameValue(left: unknown, right: unknown): boolean {
  const plain = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, item]) => [key, plain(item)]),
        )
      : Array.isArray(value)
        ? value.map(plain)
        : value;
  return JSON.stringify(plain(left)) === JSON.stringify(plain(right));
}

function reversed<T>(value: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(value).toReversed());
}

describe('the comparison', () => {
  test('says what was changed outside, and what would now be done', () => {
    const approved = canonical(planFixture('update'));
    // The prior state is not part of the effect.
    const elsewhere = readPlanFixture('update').replaceAll('"values":{"content":"one"', '"values":{"content":"x"');
    expect(elsewhere).not.toBe(readPlanFixture('update'));
    expect(listPlanDifferences(approved, canonical(parsePlanJson(elsewhere)))).toEqual([]);
    const before = canonical(edited('update', /"before":\{"content":"one"/, '"before":{"content":"hot-fix"'));
    expect(listPlanDifferences(approved, before)).toEqual([otherValues('fakecloud_object.a', 'content')]);
    const after = canonical(edited('update', /"after":\{"content":"two"/, '"after":{"content":"three"'));
    expect(listPlanDifferences(approved, after)).toEqual([otherValues('fakecloud_object.a', 'content')]);
  });

  test('says what came, went and turned into something else', () => {
    const one = canonical(planOf([update('a.one', {}, {})]));
    const two = canonical(planOf([update('a.two', {}, {})]));
    const gone = canonical(planFixture('delete'));
    expect(listPlanDifferences(one, two)).toEqual([
      { address: 'a.one', approved: 'update', now: undefined },
      { address: 'a.two', approved: undefined, now: 'update' },
    ]);
    expect(listPlanDifferences(canonical(planFixture('update')), gone)).toEqual([
      { address: 'fakecloud_object.a', approved: 'update', now: 'delete' },
    ]);
  });

  test('the cause of a replace, the source of a move and the id of an import count', () => {
    const pairs: readonly (readonly [string, string | RegExp, string])[] = [
      ['replace', '"replace_paths":[["name"]]', '"replace_paths":[["content"]]'],
      ['move', '"previous_address":"fakecloud_object.a"', '"previous_address":"fakecloud_object.z"'],
      ['import', '"importing":{"id":"a"}', '"importing":{"id":"b"}'],
    ];
    for (const [name, from, to] of pairs) {
      expect(listPlanDifferences(canonical(planFixture(name)), canonical(edited(name, from, to))), name).toHaveLength(
        1,
      );
    }
  });

  test('outputs are compared, and called so', () => {
    const changed = canonical(edited('outputs', '"after":"two"', '"after":"three"'));
    expect(listPlanDifferences(canonical(planFixture('outputs')), changed)).toEqual([
      otherValues('output.x', 'its value'),
    ]);
  });
});

describe('ignore rules', () => {
  const plan = (time: string, team = 'x') =>
    planOf([update('aws_instance.web["a"]', {}, { tags: { at: time, 'b.c': time, team }, list: [{ at: time }] })], {
      now: { actions: ['update'], before: '1', after: time, after_unknown: false },
    });
  const rules: readonly IgnoreRule[] = [
    { address: 'aws_instance.web["a"]', attribute: 'tags.at' },
    { address: 'aws_*', attribute: 'tags["b.c"]' },
    { address: '*web*', attribute: 'list' },
    { address: 'output.now', attribute: '*' },
  ];

  test('leave out what they match and what lies under it, and nothing else', () => {
    expect(listPlanDifferences(canonical(plan('1'), rules), canonical(plan('2'), rules))).toEqual([]);
    expect(listPlanDifferences(canonical(plan('1'), rules), canonical(plan('2', 'y'), rules))).toHaveLength(1);
    for (const dropped of rules) {
      const fewer = rules.filter((rule) => rule !== dropped);
      expect(
        listPlanDifferences(canonical(plan('1'), fewer), canonical(plan('2'), fewer)),
        dropped.attribute,
      ).toHaveLength(1);
    }
  });

  test('never hide an action', () => {
    const all: readonly IgnoreRule[] = [{ address: '*', attribute: '*' }];
    expect(
      listPlanDifferences(canonical(planFixture('update'), all), canonical(planFixture('delete'), all)),
    ).toHaveLength(1);
    expect(
      listPlanDifferences(canonical(planFixture('update'), all), canonical(planFixture('nothing'), all)),
    ).toHaveLength(1);
  });

  test.each([
    ['*', '', true],
    ['a*c', 'abc', true],
    ['a*c', 'ac', true],
    ['a*c', 'abd', false],
    ['a*b*b', 'ab', false],
    ['a*b*b', 'abb', true],
    ['a[0]', 'a[0]', true],
    ['a[0]', 'a0', false],
    ['*.b', 'a.b', true],
    ['ab*ba', 'aba', false],
  ])('%j on %j: %j', (glob, text, matches) => {
    expect(globMatches(glob, text)).toBe(matches);
  });
});
