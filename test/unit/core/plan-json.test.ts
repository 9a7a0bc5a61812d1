import { describe, expect, test } from 'vitest';
import {
  countStateResources,
  failedChecks,
  PlanFormatError,
  parsePlanJson,
  summarizePlan,
} from '../../../src/core/plan-json.ts';
import { planFixture, readPlanFixture } from '../../support/plan-fixture.ts';

const NONE = { add: 0, change: 0, destroy: 0, replace: 0, import: 0, move: 0, forget: 0, outputs: 0 };
const summaryOf = (name: string) => summarizePlan(planFixture(name), 'digest');

describe('summarizePlan', () => {
  test.each([
    [
      'create',
      { add: 3, outputs: 2 },
      ['fakecloud_object.a create', 'fakecloud_object.b create', 'module.child.terraform_data.child create'],
    ],
    ['nothing', {}, []],
    ['drift', { change: 1 }, ['fakecloud_object.a update']],
    ['drift-missing', { add: 1 }, ['fakecloud_object.a create']],
    ['update', { change: 1 }, ['fakecloud_object.a update']],
    ['replace', { add: 1, destroy: 1, replace: 1 }, ['fakecloud_object.a replace']],
    ['delete', { destroy: 1 }, ['fakecloud_object.a delete']],
    ['forget', { forget: 1 }, ['fakecloud_object.a forget']],
    ['move', { move: 1 }, ['fakecloud_object.new move']],
    ['import', { import: 1 }, ['fakecloud_object.a import']],
    ['read', { change: 1 }, ['data.fakecloud_object.again read', 'fakecloud_object.a update']],
    ['outputs', { outputs: 2 }, []],
  ] as const)('%s', (name, counts, changes) => {
    const summary = summaryOf(name);
    expect(summary.counts).toEqual({ ...NONE, ...counts });
    expect(summary.changes.map(({ address, action }) => `${address} ${action}`)).toEqual(changes);
    expect(summary.empty).toBe(name === 'nothing');
    expect(summary.canonicalDigest).toBe('digest');
  });

  test('a deposed object has an address of its own', () => {
    const { changes, counts } = summaryOf('deposed');
    expect(counts).toEqual({ ...NONE, destroy: 1 });
    expect(changes[0]?.address).toMatch(/^fakecloud_object\.a \(deposed [0-9a-f]{8}\)$/);
  });

  test('tells what drifted, whence something moved and why it is replaced', () => {
    expect(summaryOf('drift').drifted).toEqual(['fakecloud_object.a']);
    expect(summaryOf('drift-missing').drifted).toEqual(['fakecloud_object.a']);
    expect(summaryOf('update').drifted).toEqual([]);
    expect(summaryOf('move').changes[0]?.previousAddress).toBe('fakecloud_object.a');
    expect(summaryOf('replace').changes[0]?.reason).toBe('replace_because_cannot_update');
  });

  test('repeats failed checks and names unknown ones', () => {
    expect(summaryOf('checks').checks.toSorted()).toEqual([
      'check.fails: the content is not two',
      'check.unknown: will be known only after the apply',
    ]);
  });

  test('repeats failed checks alone, of resources and outputs too, where they are asked for', () => {
    expect(failedChecks(planFixture('checks'))).toEqual(['check.fails: the content is not two']);
    const check = (kind: string, status: string) => ({ address: { kind, to_display: kind }, status });
    const checks = ['pass', 'unknown', 'fail', 'error'].flatMap((status) => [
      check('resource', status),
      check('check', status),
    ]);
    expect(failedChecks(parsePlanJson(JSON.stringify({ format_version: '1.2', checks })))).toEqual([
      'resource: failed',
      'check: failed',
      'resource: could not be evaluated',
      'check: could not be evaluated',
    ]);
    expect(failedChecks(parsePlanJson('{"format_version": "1.2", "checks": null}'))).toEqual([]);
  });

  test('counts the resources of the state, modules included', () => {
    expect(countStateResources(planFixture('nothing'))).toBe(1);
    expect(countStateResources(planFixture('create'))).toBe(0);
    const nested = {
      format_version: '1.2',
      prior_state: { values: { root_module: { resources: [{}], child_modules: [{ resources: [{}, {}] }] } } },
    };
    expect(countStateResources(parsePlanJson(JSON.stringify(nested)))).toBe(3);
  });

  test('what a plan would invoke is not nothing', () => {
    const plan = parsePlanJson('{"format_version": "1.2", "action_invocations": [{}]}');
    expect(summarizePlan(plan, '').empty).toBe(false);
  });
});

describe('parsePlanJson', () => {
  test.each([
    ['', 'did not answer with JSON'],
    ['[1]', 'no format version'],
    ['{"format_version": "2.0"}', 'format version 2.0'],
    ['{"format_version": "1.2", "resource_changes": [{}]}', 'not as documented (at "resource_changes.0.address")'],
    ['{"format_version": "1.2", "errored": true}', 'failed halfway'],
  ])('refuses %j in words', (text, words) => {
    expect(() => parsePlanJson(text)).toThrow(PlanFormatError);
    expect(() => parsePlanJson(text)).toThrow(words);
  });

  test('refuses an action it does not know', () => {
    const change = { address: 'a.b', type: 'a', change: { actions: ['explode'] } };
    const plan = parsePlanJson(JSON.stringify({ format_version: '1.9', resource_changes: [change] }));
    expect(() => summarizePlan(plan, '')).toThrow('an action that is not known here: explode');
  });

  test('keeps every digit of long numbers', () => {
    expect(readPlanFixture('outputs')).toContain('12345678901234567890');
    const { output_changes: outputs } = planFixture('outputs');
    expect(outputs?.['new']?.after).toEqual({ long: '12345678901234567890', list: [] });
  });
});
