import { describe, expect, test } from 'vitest';
import type { CanonicalChange, CanonicalPlan } from '../../../src/core/canonical-plan.ts';
import { listPlanDifferences } from '../../../src/core/plan-differences.ts';

type Changes = Readonly<Record<string, CanonicalChange>>;

const change = (action: string, attributes: Readonly<Record<string, string>> = {}) => ({ action, attributes });
const plan = (digest: string, changes: Changes = {}, outputs: Changes = {}): CanonicalPlan => ({
  version: 1,
  digest,
  changes,
  outputs,
});
const between = (a: Changes, b: Changes) => listPlanDifferences(plan('a', a), plan('b', b));

describe('what two plans would do differently', () => {
  test('nothing when their digests are equal', () => {
    expect(listPlanDifferences(plan('a', { x: change('create') }), plan('a'))).toEqual([]);
  });

  test('what only one of them does, by address', () => {
    expect(between({ 'b.x': change('create') }, { 'a.x': change('delete') })).toEqual([
      { address: 'a.x', approved: undefined, now: 'delete' },
      { address: 'b.x', approved: 'create', now: undefined },
    ]);
  });

  test('what they do otherwise', () => {
    expect(between({ x: change('update') }, { x: change('delete+create') })).toEqual([
      { address: 'x', approved: 'update', now: 'delete+create' },
    ]);
  });

  test('names of attributes with other values, not the values', () => {
    const before = change('update', { size: '1/2', tags: '3/4', same: '5/6' });
    const after = change('update', { size: '1/9', zone: '7/8', same: '5/6' });
    expect(between({ x: before }, { x: after })).toEqual([
      { address: 'x', approved: 'update', now: 'update, with other values of size, tags, zone' },
    ]);
  });

  test('says nothing of what is equal', () => {
    const same = change('update', { size: '1/2' });
    expect(between({ x: same, y: change('create') }, { x: { ...same }, y: change('delete') })).toEqual([
      { address: 'y', approved: 'create', now: 'delete' },
    ]);
  });

  test('outputs are told from resources', () => {
    const [a, b] = [
      plan('a', {}, { ip: change('update', { '': '1/2' }) }),
      plan('b', {}, { ip: change('update', { '': '1/3' }) }),
    ];
    expect(listPlanDifferences(a, b)).toEqual([
      { address: 'output.ip', approved: 'update', now: 'update, with other values of its value' },
    ]);
  });

  test('a name of every object is not taken for a change', () => {
    expect(between({}, { constructor: change('create') })).toEqual([
      { address: 'constructor', approved: undefined, now: 'create' },
    ]);
    expect(between({ constructor: change('create') }, {})).toEqual([
      { address: 'constructor', approved: 'create', now: undefined },
    ]);
  });

  test('never silent when the digests differ', () => {
    expect(between({}, {})).toEqual([{ address: 'the plan', approved: 'one plan', now: 'another plan' }]);
  });
});
