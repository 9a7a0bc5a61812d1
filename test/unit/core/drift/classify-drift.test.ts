import { describe, expect, test } from 'vitest';
import { classifyDrift } from '../../../../src/core/drift/classify-drift.ts';
import { PlanFormatError } from '../../../../src/core/plan-json.ts';
import { DRIFT_KEY, findingsOf, kindsOf } from '../../../support/drift-findings.ts';
import { literals, sketchPlan } from '../../../support/drift-plan.ts';
import { planFixture } from '../../../support/plan-fixture.ts';

const A = 'x_thing.a';
const before = { id: 'i', name: 'a', size: 1, version: 1 };
const given = literals({ name: 'a', size: 1 });
const expressions = { name: { references: ['var.name'] }, size: { references: ['var.size'] } };
const INPUTS = ['changed', 'unchanged', 'unknown'] as const;

describe('an attribute', () => {
  const one = (sketch: Partial<Parameters<typeof sketchPlan>[0][number]>) =>
    sketchPlan([{ address: A, live: before, given, ...sketch }]);

  test.each(INPUTS)('changed by hand, and to be changed back: drift (inputs %s)', (inputs) => {
    const found = findingsOf(one({ applied: before, live: { ...before, size: 2 }, wanted: before }), inputs);
    expect(found.sync).toBe('drift');
    expect(found.inputs).toBe(inputs);
    expect(found.resources).toMatchObject([
      {
        address: A,
        type: 'x_thing',
        kind: 'drift',
        action: 'update',
        reason: undefined,
        missing: false,
        destructive: false,
        attributes: [
          { path: 'size', kind: 'drift', applied: '1', live: '2', wanted: '1', unknown: false, sensitive: false },
        ],
        attributesLeftOut: 0,
      },
    ]);
    expect(found.fingerprint).toMatch(/^[0-9a-f]{16}$/);
  });

  test.each(INPUTS)('changed by hand, and to be changed to a third value: conflict (inputs %s)', (inputs) => {
    const live = { ...before, size: 2 };
    const found = findingsOf(one({ applied: before, live, wanted: { ...before, size: 3 } }), inputs);
    expect(kindsOf(found)).toEqual({ [`${A} size`]: 'conflict' });
    expect(found.sync).toBe('drift');
    expect(found.fingerprint).toBeDefined();
  });

  test.each([
    ['changed', 'pending'],
    ['unchanged', 'external'],
    ['unknown', 'baseline_unknown'],
  ] as const)('to be changed and not changed by hand, with inputs %s: %s', (inputs, kind) => {
    const found = findingsOf(one({ wanted: { ...before, size: 3 } }), inputs);
    expect(kindsOf(found)).toEqual({ [`${A} size`]: kind });
    expect(found.sync).toBe(kind);
    expect(found.fingerprint).toBeUndefined();
  });

  test.each(INPUTS)('computed, changed and left alone: state only (inputs %s)', (inputs) => {
    const found = findingsOf(one({ applied: before, live: { ...before, version: 2 } }), inputs);
    expect(kindsOf(found)).toEqual({ [`${A} version`]: 'state_only' });
    expect(found.sync).toBe('state_only');
    expect(found.resources[0]?.action).toBeUndefined();
  });

  test('computed and changed while something else is pending is no drift', () => {
    const live = { ...before, version: 2 };
    const wanted = { id: 'i', name: 'a', size: 3 };
    const found = findingsOf(one({ applied: before, live, wanted, unknown: { version: true } }), 'changed');
    expect(kindsOf(found)).toEqual({ [`${A} size`]: 'pending', [`${A} version`]: 'state_only' });
    expect(found.sync).toBe('pending');
  });

  test('drift and a pending commit on one resource are told apart', () => {
    const applied = { ...before, tags: { team: 'x', env: 'dev' } };
    const live = { ...applied, tags: { team: 'hand', env: 'dev' } };
    const wanted = { ...applied, tags: { team: 'x', env: 'prod' } };
    const found = findingsOf(one({ applied, live, wanted }), 'changed');
    expect(kindsOf(found)).toEqual({ [`${A} tags.team`]: 'drift', [`${A} tags.env`]: 'pending' });
    expect(found.sync).toBe('drift');
    expect(found.resources[0]?.attributes.map(({ path }) => path)).toEqual(['tags.team', 'tags.env']);
  });

  test.each([
    ['unchanged', 'state_only', 'state_only'],
    ['changed', 'absorbed', 'state_only'],
    ['unknown', 'absorbed', 'state_only'],
  ] as const)(
    'given as a literal and kept, with inputs %s: %s when it says the same, else %s',
    (inputs, same, other) => {
      const live = { ...before, size: 2 };
      const absorbed = findingsOf(one({ applied: before, live, given: literals({ size: '2' }) }), inputs);
      expect(kindsOf(absorbed)).toEqual({ [`${A} size`]: same });
      expect(absorbed.sync).toBe(same);
      const ignored = findingsOf(one({ applied: before, live }), inputs);
      expect(kindsOf(ignored)).toEqual({ [`${A} size`]: other });
    },
  );

  test.each([
    ['unchanged', 'state_only'],
    ['changed', 'absorbed'],
    ['unknown', 'state_only'],
  ] as const)('given as an expression and kept, with inputs %s: %s', (inputs, kind) => {
    const plan = one({ applied: before, live: { ...before, size: 2 }, given: { size: { references: ['var.s'] } } });
    expect(kindsOf(findingsOf(plan, inputs))).toEqual({ [`${A} size`]: kind });
  });

  test('a hot-fix of a set that was merged is absorbed as a whole, whatever its order', () => {
    const sized = (...groups: string[]) => ({ ...before, groups });
    const plan = one({
      applied: sized('a', 'c'),
      live: sized('a', 'b', 'c'),
      given: literals({ groups: ['c', 'b', 'a'] }),
    });
    expect(kindsOf(findingsOf(plan, 'changed'))).toEqual({ [`${A} groups[*]`]: 'absorbed' });
  });

  test('within a list that is given as a literal, the list as a whole tells', () => {
    const ruled = (port: number) => ({ ...before, rule: [{ port, cidr: 'x' }] });
    const kept = { applied: ruled(1), live: ruled(2) };
    const kind = (given: unknown) => kindsOf(findingsOf(one({ ...kept, given: literals({ rule: given }) }), 'changed'));
    expect(kind([{ port: 1, cidr: 'x' }])).toEqual({ [`${A} rule[0].port`]: 'state_only' });
    expect(kind([{ cidr: 'x', port: '2' }])).toEqual({ [`${A} rule[0].port`]: 'absorbed' });
    const gone = {
      applied: ruled(1),
      live: null,
      wanted: ruled(3),
      given: literals({ rule: [{ port: 3, cidr: 'x' }] }),
    };
    expect(kindsOf(findingsOf(one(gone)))).toEqual({ [`${A} (all)`]: 'drift', [`${A} rule[0].port`]: 'consequence' });
  });

  test.each([
    [null, ''],
    ['', null],
    [null, []],
    [{}, null],
    [undefined, []],
  ])('put back to nothing, however that is written (%j, %j), is put back', (applied, wanted) => {
    const value = (note: unknown) => ({ ...before, note });
    const plan = one({ applied: value(applied), live: value('hand'), wanted: value(wanted) });
    expect(kindsOf(findingsOf(plan))).toEqual({ [`${A} note`]: 'drift' });
  });

  test.each([[false], [0], ['0']])('%j is not nothing', (wanted) => {
    const value = (note: unknown) => ({ ...before, note });
    const plan = one({ applied: value(null), live: value('hand'), wanted: value(wanted) });
    expect(kindsOf(findingsOf(plan))).toEqual({ [`${A} note`]: 'conflict' });
  });

  test('that is given, changed by hand, and that only the apply will tell: conflict', () => {
    const live = { ...before, size: 2 };
    const { size: _, ...wanted } = before;
    const plan = one({ applied: before, live, wanted, unknown: { size: true } });
    const found = findingsOf(plan);
    expect(kindsOf(found)).toEqual({ [`${A} size`]: 'conflict' });
    expect(found.resources[0]?.attributes[0]).toMatchObject({ live: '2', wanted: undefined, unknown: true });
  });

  test('whose marks alone changed is none', () => {
    expect(findingsOf(one({ applied: before, live: before })).sync).toBe('in_sync');
  });
});

describe('the whole object', () => {
  const place = (path: string) => `${A} ${path}`;

  test.each(INPUTS)('gone, and to be made again: missing, which is drift (inputs %s)', (inputs) => {
    const wanted = { name: 'a', size: 1 };
    const unknown = { id: true, version: true };
    const plan = sketchPlan([{ address: A, applied: before, live: null, wanted, unknown, given }]);
    const found = findingsOf(plan, inputs);
    expect(found.sync).toBe('drift');
    expect(found.resources).toMatchObject([
      { kind: 'drift', action: 'create', missing: true, destructive: false, attributes: [{ path: '', kind: 'drift' }] },
    ]);
    const nothing = { applied: undefined, live: undefined, wanted: undefined, unknown: false, sensitive: false };
    expect(found.resources[0]?.attributes[0]).toMatchObject(nothing);
  });

  test.each([
    ['changed', 'pending'],
    ['unchanged', 'external'],
    ['unknown', 'baseline_unknown'],
  ] as const)('gone, and to be made again as another: the rest is no drift (inputs %s: %s)', (inputs, kind) => {
    const wanted = { name: 'a', size: 9 };
    const plan = sketchPlan([
      { address: A, applied: before, live: null, wanted, unknown: { id: true, version: true }, given: expressions },
    ]);
    const found = findingsOf(plan, inputs);
    expect(kindsOf(found)).toEqual({ [place('(all)')]: 'drift', [place('size')]: kind });
    expect(found.resources[0]?.attributes[1]).toMatchObject({ applied: '1', live: undefined, wanted: '9' });
  });

  test.each([
    ['changed', 'pending'],
    ['unchanged', 'consequence'],
    ['unknown', 'baseline_unknown'],
  ] as const)('gone, and to be made again as a literal says that was not applied (inputs %s: %s)', (inputs, kind) => {
    const wanted = { name: 'a', size: 9 };
    const plan = sketchPlan([
      { address: A, applied: before, live: null, wanted, unknown: { id: true, version: true }, given },
    ]);
    expect(kindsOf(findingsOf(plan, inputs))).toEqual({ [place('(all)')]: 'drift', [place('size')]: kind });
  });

  test.each([
    ['changed', 'absorbed'],
    ['unchanged', 'state_only'],
    ['unknown', 'state_only'],
  ] as const)('gone, and wanted no more (inputs %s: %s)', (inputs, kind) => {
    const found = findingsOf(sketchPlan([{ address: A, applied: before, live: null, wanted: null }]), inputs);
    expect(kindsOf(found)).toEqual({ [place('(all)')]: kind });
    expect(found.resources[0]).toMatchObject({ missing: false, destructive: false, action: undefined });
    expect(found.sync).toBe(kind);
  });

  test.each([
    ['a new one', { live: null, wanted: { name: 'a' } }, 'create', false],
    ['one the code dropped', { live: before, wanted: null }, 'delete', true],
    ['one to be forgotten', { live: before, wanted: null, actions: ['forget'] }, 'forget', false],
    ['one moved', { live: before, previousAddress: 'x_thing.old' }, 'move', false],
    ['one imported', { live: before, importing: { id: 'i' } }, 'import', false],
  ] as const)('%s', (_what, sketch, action, destructive) => {
    const plan = sketchPlan([{ address: A, ...sketch }]);
    expect(kindsOf(findingsOf(plan, 'changed'))).toEqual({ [place('(all)')]: 'pending' });
    expect(kindsOf(findingsOf(plan, 'unchanged'))).toEqual({ [place('(all)')]: 'external' });
    expect(kindsOf(findingsOf(plan, 'unknown'))).toEqual({ [place('(all)')]: 'baseline_unknown' });
    expect(findingsOf(plan).resources[0]).toMatchObject({ action, destructive, missing: false, kind: 'external' });
  });

  test('one imported and changed on the way', () => {
    const plan = sketchPlan([{ address: A, live: before, wanted: { ...before, size: 2 }, importing: { id: 'i' } }]);
    expect(kindsOf(findingsOf(plan, 'changed'))).toEqual({ [place('(all)')]: 'pending', [place('size')]: 'pending' });
  });

  test('one moved and changed by hand: the move is pending, the change is drift', () => {
    const live = { ...before, size: 2 };
    const plan = sketchPlan([{ address: A, applied: before, live, wanted: before, previousAddress: 'x_thing.old' }]);
    const found = findingsOf(plan, 'changed');
    expect(kindsOf(found)).toEqual({ [place('size')]: 'drift', [place('(all)')]: 'pending' });
    expect(found.resources[0]).toMatchObject({ address: A, kind: 'drift', action: 'update' });
  });

  test('one moved and gone, which the code does not want', () => {
    const plan = sketchPlan([
      { address: A, applied: before, live: null, wanted: null, previousAddress: 'x_thing.old' },
    ]);
    expect(findingsOf(plan).resources).toMatchObject([{ kind: 'state_only', action: undefined, missing: false }]);
  });

  test.each(INPUTS)('left over by an apply that failed: pending, whatever the inputs (%s)', (inputs) => {
    const tainted = {
      address: A,
      live: before,
      wanted: { name: 'a', size: 1 },
      unknown: { id: true, version: true },
      actions: ['delete', 'create'],
      reason: 'replace_because_tainted',
      given,
    };
    const deposed = { address: A, live: before, wanted: null, deposed: '00c0ffee' };
    const found = findingsOf(sketchPlan([tainted, deposed]), inputs);
    expect(found.resources).toMatchObject([
      { address: A, kind: 'pending', action: 'replace', reason: 'replace_because_tainted', destructive: true },
      { address: `${A} (deposed 00c0ffee)`, kind: 'pending', action: 'delete', destructive: true },
    ]);
    expect(kindsOf(found)).toEqual({ [place('(all)')]: 'pending', [`${A} (deposed 00c0ffee) (all)`]: 'pending' });
  });

  test('tainted, and changed by hand as well', () => {
    const live = { ...before, size: 2 };
    const plan = sketchPlan([
      {
        address: A,
        applied: before,
        live,
        wanted: before,
        actions: ['delete', 'create'],
        reason: 'replace_because_tainted',
        given,
      },
    ]);
    expect(kindsOf(findingsOf(plan))).toEqual({ [place('size')]: 'drift', [place('(all)')]: 'pending' });
  });

  test('a drift that only a replacement puts right is destructive', () => {
    const live = { ...before, name: 'b' };
    const plan = sketchPlan([
      {
        address: A,
        applied: before,
        live,
        wanted: { name: 'a', size: 1 },
        unknown: { id: true, version: true },
        actions: ['delete', 'create'],
        given,
      },
    ]);
    const found = findingsOf(plan);
    expect(kindsOf(found)).toEqual({ [place('name')]: 'drift' });
    expect(found.resources[0]).toMatchObject({ action: 'replace', destructive: true, missing: false });
  });

  test('what was changed by hand in an object that goes anyway', () => {
    const plan = sketchPlan([{ address: A, applied: before, live: { ...before, size: 2 }, wanted: null }]);
    const found = findingsOf(plan, 'changed');
    expect(kindsOf(found)).toEqual({ [place('(all)')]: 'pending', [place('size')]: 'state_only' });
    expect(found.sync).toBe('pending');
  });

  test('to be changed for a reason that no attribute tells', () => {
    const plan = sketchPlan([{ address: A, live: before, actions: ['update'] }]);
    expect(kindsOf(findingsOf(plan, 'changed'))).toEqual({ [place('(all)')]: 'pending' });
    const computed = { address: A, applied: before, live: { ...before, version: 2 }, actions: ['update'] };
    expect(kindsOf(findingsOf(sketchPlan([computed]), 'changed'))).toEqual({
      [place('(all)')]: 'pending',
      [place('version')]: 'state_only',
    });
  });
});

describe('what changes because something else does', () => {
  const missing = {
    address: 'module.m[0].x_thing.root["k"]',
    applied: before,
    live: null,
    wanted: { name: 'a', size: 1 },
    unknown: { id: true, version: true },
  };
  const { size: _, ...wanted } = before;
  const follower = (dependsOn: readonly string[]) => ({
    address: A,
    live: before,
    wanted,
    unknown: { size: true },
    given: { size: { references: ['local.root'] } },
    dependsOn,
  });
  const ON_ROOT = ['module.m.x_thing.root'];

  test('is a consequence when it depended on it', () => {
    const found = findingsOf(sketchPlan([follower(ON_ROOT), missing]));
    expect(kindsOf(found)[`${A} size`]).toBe('consequence');
    expect(found.sync).toBe('drift');
    expect(found.resources.find(({ address }) => address === A)).toMatchObject({
      kind: 'consequence',
      action: 'update',
      fingerprint: undefined,
    });
  });

  test.each([
    ['changed', 'pending'],
    ['unknown', 'baseline_unknown'],
  ] as const)('and may as well be the code when that is not as it was applied (%s)', (inputs, kind) => {
    const found = findingsOf(sketchPlan([follower(ON_ROOT), missing]), inputs);
    expect(kindsOf(found)[`${A} size`]).toBe(kind);
  });

  test.each([
    ['on nothing that changes', ['x_thing.other']],
    ['on itself', ['x_thing.a']],
    ['on nothing', []],
  ])('is external when it depended %s', (_what, dependsOn) => {
    const other = { address: 'x_thing.other', live: before };
    const found = findingsOf(sketchPlan([follower(dependsOn), missing, other]));
    expect(kindsOf(found)[`${A} size`]).toBe('external');
  });

  test('is a consequence as a whole when no attribute tells more', () => {
    const whole = { address: A, live: before, actions: ['delete', 'create'], dependsOn: ON_ROOT };
    expect(kindsOf(findingsOf(sketchPlan([whole, missing])))[`${A} (all)`]).toBe('consequence');
  });

  test('is external where a value is known: that, nothing here changed', () => {
    const known = { address: A, live: before, wanted: { ...before, size: 7 }, dependsOn: ON_ROOT };
    expect(kindsOf(findingsOf(sketchPlan([known, missing])))[`${A} size`]).toBe('external');
  });

  test('depends as the state of a child module says', () => {
    const deep = { address: 'module.c.x_thing.a', live: before, actions: ['update'] };
    const state = { resources: [{ address: deep.address, depends_on: ON_ROOT }] };
    const plan = sketchPlan([deep, missing], {
      prior_state: { values: { root_module: { child_modules: [{ child_modules: [state] }] } } },
    });
    expect(kindsOf(findingsOf(plan))).toMatchObject({ 'module.c.x_thing.a (all)': 'consequence' });
  });

  test('alone is no state of its own', () => {
    const reading = { address: 'data.x_thing.d', mode: 'data', live: null, wanted: {}, actions: ['read'] };
    expect(findingsOf(sketchPlan([reading])).sync).toBe('in_sync');
  });
});

describe('the plan as a whole', () => {
  test('of which nothing is to be told', () => {
    expect(findingsOf(sketchPlan([{ address: A, live: before }]))).toEqual({
      sync: 'in_sync',
      inputs: 'unchanged',
      complete: true,
      resources: [],
      outputs: [],
      failedChecks: [],
      fingerprint: undefined,
      canonicalDigest: 'digest',
    });
    expect(findingsOf(sketchPlan([], { resource_changes: undefined, resource_drift: undefined })).sync).toBe('in_sync');
  });

  test('data sources are read, which changes nothing', () => {
    const data = { address: 'data.x_thing.d', mode: 'data', live: null, wanted: { name: 'a' } };
    const plan = sketchPlan([
      { ...data, actions: ['read'], reason: 'read_because_check_nested' },
      { ...data, address: 'data.x_thing.e', applied: before, live: { ...before, size: 2 } },
    ]);
    expect(findingsOf(plan).resources).toEqual([]);
  });

  test('that leaves something out proves nothing where it found nothing', () => {
    const part = { complete: false };
    const drifted = { address: A, applied: before, live: { ...before, size: 2 }, wanted: before };
    const computed = { address: A, applied: before, live: { ...before, version: 2 } };
    expect(findingsOf(sketchPlan([], part))).toMatchObject({ sync: 'unknown', complete: false });
    expect(findingsOf(sketchPlan([computed], part)).sync).toBe('unknown');
    expect(findingsOf(sketchPlan([drifted], part)).sync).toBe('drift');
    expect(findingsOf(sketchPlan([{ address: A, live: before, wanted: null }], part)).sync).toBe('external');
    expect(findingsOf(sketchPlan([], { complete: true })).sync).toBe('in_sync');
  });

  test('takes the gravest of what it finds', () => {
    const at = (name: string) => `x_thing.${name}`;
    const sketches = [
      { address: at('drift'), applied: before, live: { ...before, size: 2 }, wanted: before },
      { address: at('pending'), live: before, wanted: { ...before, size: 2 } },
      { address: at('absorbed'), applied: before, live: { ...before, size: 2 }, given: literals({ size: 2 }) },
      { address: at('computed'), applied: before, live: { ...before, version: 2 } },
    ];
    const syncOf = (...names: string[]) =>
      findingsOf(sketchPlan(sketches.filter(({ address }) => names.some((name) => address === at(name)))), 'changed')
        .sync;
    expect(syncOf('absorbed', 'computed', 'pending', 'drift')).toBe('drift');
    expect(syncOf('absorbed', 'computed', 'pending')).toBe('pending');
    expect(syncOf('absorbed', 'computed')).toBe('state_only');
    expect(syncOf('absorbed')).toBe('absorbed');
  });

  test('lists resources by address, however Terraform lists them', () => {
    const drifted = (address: string) => ({ address, applied: before, live: { ...before, size: 2 }, wanted: before });
    const [b, a, c] = ['x.b', 'x.a', 'x.c'].map(drifted);
    if (!a || !b || !c) throw new Error('unreachable');
    expect(findingsOf(sketchPlan([b, c, a])).resources.map(({ address }) => address)).toEqual(['x.a', 'x.b', 'x.c']);
  });

  test('a deposed object is not the one that took its place', () => {
    const drifted = { address: A, applied: before, live: { ...before, size: 2 }, wanted: before };
    const found = findingsOf(sketchPlan([drifted, { address: A, live: before, wanted: null, deposed: 'ab' }]));
    expect(kindsOf(found)).toEqual({ [`${A} size`]: 'drift', [`${A} (deposed ab) (all)`]: 'pending' });
  });

  test('an action that nobody knows is no finding', () => {
    const plan = sketchPlan([{ address: A, live: before, actions: ['dance'] }]);
    expect(() => findingsOf(plan)).toThrow(PlanFormatError);
  });

  test('failed checks are told beside, in bounds, and unknown ones are none', () => {
    const found = findingsOf(planFixture('checks'), 'changed');
    expect(found.failedChecks).toEqual(['check.fails: the content is not two']);
    expect(found.sync).toBe('pending');
    const checks = Array.from({ length: 60 }, (_, index) => ({
      address: { kind: 'resource', to_display: `check.${index}` },
      status: index === 0 ? 'error' : 'fail',
      instances: [{ problems: [{ message: 'x'.repeat(1_000) }] }],
    }));
    const plan = sketchPlan([{ address: A, live: before }], { checks });
    const many = classifyDrift(plan, {
      inputs: 'unchanged',
      key: DRIFT_KEY,
      mask: (text) => text.replace('check.1:', 'masked'),
      canonicalDigest: '',
    });
    expect(many.sync).toBe('in_sync');
    expect(many.failedChecks.length).toBe(50);
    expect(many.failedChecks[1]).toMatch(/^masked x+…$/);
    expect(many.failedChecks.every(({ length }) => length === 500)).toBe(true);
  });
});
