import { describe, expect, test } from 'vitest';
import {
  changeAddress,
  countStateResources,
  hasEffect,
  isImport,
  isNoOp,
  PlanFormatError,
  parsePlanJson,
  summarizePlan,
} from '../../../src/core/plan-json.ts';

const plan = (parts: Readonly<Record<string, unknown>>) =>
  parsePlanJson(JSON.stringify({ format_version: '1.2', ...parts }));
const summary = (parts: Readonly<Record<string, unknown>>) => summarizePlan(plan(parts), 'd');
const resource = (actions: readonly string[], more: object = {}, change: object = {}) => ({
  address: 'a.b',
  type: 'a',
  change: { actions, ...change },
  ...more,
});
const MOVED = { previous_address: 'a.old' };
const IMPORTED = { importing: { id: 'i' } };

describe('what a plan does to one object', () => {
  test.each([
    [['create'], {}, {}, 'create'],
    [['delete'], {}, {}, 'delete'],
    [['update'], MOVED, IMPORTED, 'update'],
    [['read'], {}, {}, 'read'],
    [['forget'], {}, {}, 'forget'],
    [['create', 'forget'], {}, {}, 'create'],
    [['delete', 'create'], {}, {}, 'replace'],
    [['create', 'delete'], {}, {}, 'replace'],
    [['no-op'], MOVED, {}, 'move'],
    [['no-op'], {}, IMPORTED, 'import'],
    [['no-op'], MOVED, IMPORTED, 'import'],
  ] as const)('%j %j %j: %s', (actions, more, change, action) => {
    expect(summary({ resource_changes: [resource(actions, more, change)] }).changes).toEqual([
      {
        address: 'a.b',
        previousAddress: (more as typeof MOVED).previous_address,
        type: 'a',
        action,
        reason: undefined,
      },
    ]);
  });

  test('nothing at all is not listed', () => {
    const parts = { resource_changes: [resource(['no-op']), resource(['no-op'], {}, { importing: null })] };
    expect(summary(parts)).toMatchObject({ empty: true, changes: [] });
  });

  test.each([[[]], [['no-op', 'no-op']], [['a thing nobody has heard of, and which has a very long name indeed']]])(
    '%j is not known here',
    (actions) => {
      const parts = { resource_changes: [resource(actions)] };
      expect(() => summary(parts)).toThrow(PlanFormatError);
      expect(() => summary(parts)).toThrow(
        `The plan has an action that is not known here: ${actions.join(', ').slice(0, 60)}.`,
      );
    },
  );

  test('an address tells a deposed object from the current one', () => {
    const [current, deposed] =
      plan({
        resource_changes: [resource(['delete']), resource(['delete'], { deposed: '1234' })],
      }).resource_changes ?? [];
    expect(current && changeAddress(current)).toBe('a.b');
    expect(deposed && changeAddress(deposed)).toBe('a.b (deposed 1234)');
  });

  test('has an effect unless nothing is done, moved or imported', () => {
    const effects = [
      resource(['no-op']),
      resource(['no-op'], MOVED),
      resource(['no-op'], {}, IMPORTED),
      resource(['update']),
    ];
    expect((plan({ resource_changes: effects }).resource_changes ?? []).map(hasEffect)).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect(isNoOp({ actions: ['update'] })).toBe(false);
    expect(isImport({ actions: ['no-op'] })).toBe(false);
  });
});

describe('the summary', () => {
  test('counts every kind, a replace in both of its halves', () => {
    const parts = {
      resource_changes: [
        resource(['create']),
        resource(['update'], MOVED),
        resource(['delete', 'create']),
        resource(['delete']),
        resource(['forget']),
        resource(['no-op'], {}, IMPORTED),
        resource(['no-op']),
      ],
      output_changes: { a: { actions: ['create'] }, b: { actions: ['no-op'] } },
    };
    expect(summary(parts)).toMatchObject({
      empty: false,
      canonicalDigest: 'd',
      counts: { add: 2, change: 1, destroy: 2, replace: 1, import: 1, move: 1, forget: 1, outputs: 1 },
    });
  });

  test.each([
    [{}, true],
    [{ output_changes: { a: { actions: ['no-op'] } } }, true],
    [{ output_changes: { a: { actions: ['update'] } } }, false],
    [{ resource_changes: [resource(['read'])] }, false],
    [{ action_invocations: [] }, true],
    [{ resource_drift: [resource(['update'])] }, true],
  ])('of %j is empty: %j', (parts, empty) => expect(summary(parts).empty).toBe(empty));

  test('lists what drifted', () => {
    const parts = {
      resource_drift: [resource(['update']), resource(['no-op'], MOVED), resource(['delete'], { deposed: 'd1' })],
    };
    expect(summary(parts).drifted).toEqual(['a.b', 'a.b (deposed d1)']);
  });

  test.each([
    ['pass', 'check', undefined, []],
    ['unknown', 'check', undefined, ['check.x: will be known only after the apply']],
    ['unknown', 'resource', undefined, []],
    ['fail', 'check', undefined, ['check.x: failed']],
    ['fail', 'resource', null, ['check.x: failed']],
    ['error', 'check', [], ['check.x: could not be evaluated']],
    ['fail', 'check', [{ problems: null }, { problems: [{}] }], ['check.x: failed']],
    ['fail', 'check', [{ problems: [{ message: 'a' }, { message: 'b' }] }], ['check.x: a', 'check.x: b']],
    ['error', 'check', [{ problems: [{ message: 'a' }] }], ['check.x: a']],
  ])('says of a check that is %s (%s, %j): %j', (status, kind, instances, sentences) => {
    const checks = [{ address: { kind, to_display: 'check.x' }, status, instances }];
    expect(summary({ checks }).checks).toEqual(sentences);
  });
});

describe('reading', () => {
  test.each([
    ['nonsense', '"show -json" did not answer with JSON.'],
    ['null', '"show -json" answered with no format version, but only 1.x is understood.'],
    ['{"format_version": 1}', '"show -json" answered with no format version, but only 1.x is understood.'],
    ['{"format_version": "10.1"}', '"show -json" answered with format version 10.1, but only 1.x is understood.'],
    [
      `{"format_version": "${'9'.repeat(99)}"}`,
      `"show -json" answered with format version ${'9'.repeat(20)}, but only 1.x is understood.`,
    ],
    [
      '{"format_version": "1.2", "output_changes": {"o": 1}}',
      '"show -json" answered with a plan that is not as documented (at "output_changes.o").',
    ],
    ['{"format_version": "1.2", "errored": true}', 'The plan file holds a plan that failed halfway'],
  ])('%s is refused: %s', (text, words) => {
    expect(() => parsePlanJson(text)).toThrow(PlanFormatError);
    expect(() => parsePlanJson(text)).toThrow(words);
  });

  test.each(['1', '1.0', '1.99'])('format %s is understood, and what is not known is kept', (version) => {
    const parsed = parsePlanJson(JSON.stringify({ format_version: version, errored: false, more: { x: 1 } }));
    expect(parsed).toMatchObject({ format_version: version, more: { x: 1 } });
  });

  test('numbers stay numbers up to fifteen characters', () => {
    const text = (number: string) => `{"format_version": "1.2", "prior_state": ${number}}`;
    expect(parsePlanJson(text('123456789012345')).prior_state).toBe(123456789012345);
    expect(parsePlanJson(text('1234567890123456')).prior_state).toBe('1234567890123456');
    expect(parsePlanJson(text('0.12345678901234567')).prior_state).toBe('0.12345678901234567');
    expect(parsePlanJson(text('"text"')).prior_state).toBe('text');
  });
});

test.each([
  [undefined, 0],
  [{}, 0],
  [{ values: {} }, 0],
  [{ values: { root_module: { resources: [{}, {}] } } }, 2],
  [{ values: { root_module: { child_modules: [{ resources: [{}] }, { child_modules: [{ resources: [{}] }] }] } } }, 2],
])('a state of %j has %i resources', (prior_state, count) => {
  expect(countStateResources(plan({ prior_state }))).toBe(count);
});
