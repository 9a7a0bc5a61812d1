import { describe, expect, test } from 'vitest';
import type { InputsComparison } from '../../../../src/core/drift/drift.ts';
import { findingsOf } from '../../../support/drift-findings.ts';
import { type ResourceSketch, sketchPlan } from '../../../support/drift-plan.ts';
import { planFixture } from '../../../support/plan-fixture.ts';

const A = 'module.m["k"].x_thing.a[0]';
const before = { id: 'i', size: 1, version: 1, meta: { etag: 'x' } };
const update = { actions: ['update'], before: 'one', after: 'two', after_unknown: false };
const later = { actions: ['update'], before: 'one', after_unknown: true };
const computed: ResourceSketch = { address: A, applied: before, live: { ...before, version: 2, meta: { etag: 'y' } } };

function outputsOf(
  sketches: readonly ResourceSketch[],
  outputs: Readonly<Record<string, unknown>>,
  inputs: InputsComparison,
  relevant?: unknown,
) {
  const found = findingsOf(
    sketchPlan(sketches, {
      output_changes: outputs,
      ...(relevant === undefined ? {} : { relevant_attributes: relevant }),
    }),
    inputs,
  );
  return { sync: found.sync, kinds: found.outputs.map(({ name, kind }) => [name, kind]), outputs: found.outputs };
}

describe('a root output', () => {
  test.each([
    ['changed', 'pending'],
    ['unchanged', 'external'],
    ['unknown', 'baseline_unknown'],
  ] as const)('that changes while nothing else does, with inputs %s: %s', (inputs, kind) => {
    const found = outputsOf([], { b: update, a: update, same: { ...update, actions: ['no-op'] } }, inputs);
    expect(found.kinds).toEqual([
      ['a', kind],
      ['b', kind],
    ]);
    expect(found.sync).toBe(kind);
  });

  test.each([
    ['changed', 'pending'],
    ['unchanged', 'consequence'],
    ['unknown', 'baseline_unknown'],
  ] as const)('that only the apply will tell, with inputs %s: %s', (inputs, kind) => {
    expect(outputsOf([], { o: later }, inputs).kinds).toEqual([['o', kind]]);
    const part = { ...update, after: { a: 1 }, after_unknown: { b: true } };
    expect(outputsOf([], { o: part }, inputs).kinds).toEqual([['o', kind]]);
  });

  test('that only follows is no state of its own', () => {
    expect(outputsOf([], { o: later }, 'unchanged').sync).toBe('in_sync');
  });

  test.each([
    ['the attribute', [{ resource: 'module.m["k"].x_thing.a', attribute: ['version'] }], 'state_only'],
    ['the attribute of any instance', [{ resource: 'module.m.x_thing.a[7]', attribute: ['version'] }], 'state_only'],
    ['the attribute, as OpenTofu documents it', [{ resource: A, attribute: 'version' }], 'state_only'],
    ['another, as OpenTofu documents it', [{ resource: A, attribute: 'size' }], 'external'],
    ['a part of it', [{ resource: A, attribute: ['meta', 'etag'] }], 'state_only'],
    ['the whole object', [{ resource: A, attribute: [] }], 'state_only'],
    ['the whole object, otherwise put', [{ resource: A }], 'state_only'],
    ['another attribute', [{ resource: A, attribute: ['size'] }], 'external'],
    ['another object', [{ resource: 'x_thing.a', attribute: ['version'] }], 'external'],
    [
      'several',
      [
        { resource: 'data.x.d', attribute: ['a'] },
        { resource: A, attribute: ['version'] },
      ],
      'state_only',
    ],
    ['nothing', [], 'external'],
    ['nothing that is known', 'x', 'external'],
    ['something odd', [null, 7], 'external'],
  ])('that changes when a computed attribute did and the plan reads %s', (_what, relevant, kind) => {
    const found = outputsOf([computed], { o: update }, 'unchanged', relevant);
    expect(found.kinds).toEqual([['o', kind]]);
    expect(found.sync).toBe(kind);
  });

  test('that reads what was computed anew may have been changed by the code as well, where that was changed', () => {
    const relevant = [{ resource: A, attribute: ['version'] }];
    expect(outputsOf([computed], { o: update }, 'changed', relevant).kinds).toEqual([['o', 'pending']]);
    expect(outputsOf([computed], { o: update }, 'unknown', relevant).kinds).toEqual([['o', 'baseline_unknown']]);
  });

  test('that reads a drift does not change for what was computed', () => {
    const drift = { address: A, applied: before, live: { ...before, size: 2 }, wanted: before };
    const relevant = [{ resource: A, attribute: ['size'] }];
    expect(outputsOf([drift], { o: update }, 'unchanged', relevant).kinds).toEqual([['o', 'external']]);
  });

  test('is shown in its versions', () => {
    const secret = { before_sensitive: false, after_sensitive: true };
    const marked = { before_sensitive: { deep: true }, after_sensitive: false };
    const { outputs } = outputsOf(
      [],
      { a: update, b: later, c: { ...update, ...secret }, d: { ...update, ...marked, before: { deep: 1 } } },
      'changed',
    );
    const common = { kind: 'pending', live: undefined, unknown: false, sensitive: false };
    const hidden = { ...common, sensitive: true, applied: '(sensitive value)', wanted: '(sensitive value)' };
    expect(outputs).toEqual([
      { ...common, name: 'a', applied: '"one"', wanted: '"two"' },
      { ...common, name: 'b', applied: '"one"', wanted: undefined, unknown: true },
      { ...hidden, name: 'c' },
      { ...hidden, name: 'd' },
    ]);
  });

  test('as Terraform writes it', () => {
    const found = findingsOf(planFixture('outputs'), 'changed');
    expect(found).toMatchObject({ sync: 'pending', resources: [] });
    expect(found.outputs).toMatchObject([
      { name: 'new', applied: 'null', wanted: '{"list":[],"long":"12345678901234567890"}' },
      { name: 'x', applied: '"one"', wanted: '"two"' },
    ]);
  });
});
