import { describe, expect, test } from 'vitest';
import { canonicalizePlan, globMatches, type IgnoreRule } from '../../../src/core/canonical-plan.ts';
import { parsePlanJson } from '../../../src/core/plan-json.ts';

const KEY = Buffer.from('a key of this installation');

function canonical(plan: Readonly<Record<string, unknown>>, ignore: readonly IgnoreRule[] = []) {
  return canonicalizePlan(parsePlanJson(JSON.stringify({ format_version: '1.2', ...plan })), { key: KEY, ignore });
}

const resource = (address: string, change: Readonly<Record<string, unknown>>, more: object = {}) => ({
  address,
  type: 'x',
  change: { actions: ['update'], ...change },
  ...more,
});
const one = (change: Readonly<Record<string, unknown>>, more: object = {}) =>
  canonical({ resource_changes: [resource('a.b', change, more)] }).changes['a.b'];

describe('what is compared', () => {
  test('before and after as keyed hashes, what is absent or only known later as a word', () => {
    const change = one({
      before: { gone: 1, both: 1 },
      after: { both: 2 },
      after_unknown: { later: true, known: false },
    });
    expect(change?.action).toBe('update');
    expect(change?.attributes).toEqual({
      both: expect.stringMatching(/^[\w-]{22}\/[\w-]{22}$/),
      gone: expect.stringMatching(/^[\w-]{22}\/-$/),
      later: '-/unknown',
    });
    expect(Object.keys(change?.attributes ?? {})).toEqual(['both', 'gone', 'later']);
  });

  test('what becomes unknown is, whatever stands there', () => {
    expect(one({ before: { x: 1 }, after: { x: 1 }, after_unknown: { x: true } })?.attributes['x']).toMatch(
      /\/unknown$/,
    );
  });

  test('a value at one place is another one elsewhere, so that no hash tells of another', () => {
    const { a = '', b = '' } = one({ before: null, after: { a: 'v', b: 'v' } })?.attributes ?? {};
    expect(a.split('/')[1]).not.toBe(b.split('/')[1]);
  });

  test.each([
    ['what is done', { actions: ['delete', 'create'] }, {}, 'delete+create'],
    ['whence it moved', {}, { previous_address: 'a.old' }, 'update, moved from a.old'],
    [
      'what forces a replace, in any order',
      { replace_paths: [['z', 0], ['a'], 'b'] },
      {},
      'update, forced by a and b and z.0',
    ],
    ['nothing of an empty list', { replace_paths: [], importing: null }, {}, 'update'],
  ])('%s', (_what, change, more, action) => expect(one(change, more)?.action).toBe(action));

  test('which object is imported, without its id in clear', () => {
    const { action = '' } = one({ importing: { id: 'i-12345' } }) ?? {};
    expect(action).toMatch(/^update, import [\w-]{22}$/);
    expect(one({ importing: { id: 'i-54321' } })?.action).not.toBe(action);
  });

  test('what is listed and left alone does not count', () => {
    const still = { actions: ['no-op'], before: { x: 1 }, after: { x: 1 } };
    const plan = canonical({ resource_changes: [resource('a.b', still)], output_changes: { o: still } });
    expect(plan).toMatchObject({ version: 1, changes: {}, outputs: {} });
    expect(plan.digest).toBe(canonical({}).digest);
  });

  test('an object that is moved or imported and not changed does', () => {
    const still = { actions: ['no-op'] };
    expect(one(still, { previous_address: 'a.old' })?.action).toBe('no-op, moved from a.old');
    expect(one({ ...still, importing: { id: 'i' } })?.action).toMatch(/^no-op, import /);
  });

  test('what would be invoked, in its order', () => {
    const invoking = (...actions: readonly string[]) =>
      canonical({ action_invocations: actions.map((address) => ({ address })) });
    expect(Object.keys(invoking('x', 'y').changes)).toEqual(['action_invocations[0]', 'action_invocations[1]']);
    expect(invoking('x').changes['action_invocations[0]']).toEqual({
      action: 'invoke',
      attributes: { address: expect.stringMatching(/^-\/[\w-]{22}$/) },
    });
    expect(invoking('x', 'y').digest).not.toBe(invoking('y', 'x').digest);
  });

  test('outputs, in the order of their names', () => {
    const change = { actions: ['create'], before: null, after: 'v' };
    const { outputs } = canonical({ output_changes: { b: change, a: { ...change, actions: ['delete', 'create'] } } });
    expect(Object.entries(outputs).map(([name, { action }]) => `${name} ${action}`)).toEqual([
      'a delete+create',
      'b create',
    ]);
  });
});

describe('what is left out', () => {
  const plan = { resource_changes: [resource('a.b', { before: {}, after: { x: { y: 1 }, z: 2 } })] };
  const kept = (address: string, attribute: string) =>
    Object.keys(canonical(plan, [{ address, attribute }]).changes['a.b']?.attributes ?? {});

  test.each([
    ['a.b', 'x', ['z']],
    ['a.b', 'x.y', ['z']],
    ['a.*', 'z', ['x.y']],
    ['a.b', '*', []],
    ['a.c', '*', ['x.y', 'z']],
    ['a.b', 'y', ['x.y', 'z']],
  ])('at %s: %s', (address, attribute, rest) => {
    expect(kept(address, attribute).filter((name) => name !== '')).toEqual(rest);
  });

  test('the value of an output, which has no name, is called value', () => {
    const output = { output_changes: { now: { actions: ['update'], before: 1, after: 2 } } };
    const attributes = (attribute: string) =>
      canonical(output, [{ address: 'output.now', attribute }]).outputs['now']?.attributes;
    expect(attributes('value')).toEqual({});
    expect(Object.keys(attributes('other') ?? {})).toEqual(['']);
  });
});

test.each([
  ['', '', true],
  ['', 'a', false],
  ['a', 'a', true],
  ['a', 'ab', false],
  ['*', 'anything', true],
  ['a*', 'a', true],
  ['a*', 'ba', false],
  ['b*', 'abc', false],
  ['*a', 'ba', true],
  ['*a', 'ab', false],
  ['a*b*c', 'a-b-c', true],
  ['a*b*c', 'abc', true],
  ['a*x*c', 'a-b-c', false],
  ['a*a*b', 'ab', false],
  ['a*aa*a', 'aaa', false],
  ['a**b', 'ab', true],
  ['*b*', 'b', true],
  ['*b*', 'abc', true],
  ['*b*', 'ac', false],
])('%j matches %j: %j', (glob, text, matches) => expect(globMatches(glob, text)).toBe(matches));
