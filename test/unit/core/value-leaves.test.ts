import { describe, expect, test } from 'vitest';
import { pathAndParents, valueLeaves } from '../../../src/core/value-leaves.ts';

describe('the ends of a value', () => {
  test.each([
    ['a text', 'x', [['', 'x']]],
    ['zero', 0, [['', 0]]],
    ['null', null, [['', null]]],
    ['nothing', undefined, []],
    ['an empty list', [], [['', []]]],
    ['an empty object', {}, [['', {}]]],
    [
      'a list',
      [1, [2]],
      [
        ['[0]', 1],
        ['[1][0]', 2],
      ],
    ],
    [
      'an object',
      { a: { b: 1, c: null } },
      [
        ['a.b', 1],
        ['a.c', null],
      ],
    ],
    [
      'what is empty inside',
      { a: [], b: {} },
      [
        ['a', []],
        ['b', {}],
      ],
    ],
    ['an absent value', { a: undefined, b: 1 }, [['b', 1]]],
  ])('of %s', (_what, value, leaves) => expect([...valueLeaves(value)]).toEqual(leaves));

  test.each([
    [{ 'a.b': 1 }, '["a.b"]'],
    [{ a: { 'b"c': 1 } }, 'a["b\\"c"]'],
    [{ '': 1 }, '[""]'],
    [{ 'a b': { c: 1 } }, '["a b"].c'],
    [{ 'a-b_1': [{ c: 1 }] }, 'a-b_1[0].c'],
  ])('of %j is at %s', (value, path) => expect([...valueLeaves(value)].map(([at]) => at)).toEqual([path]));

  test('start where they are told', () => expect([...valueLeaves({ a: [1] }, 'x')]).toEqual([['x.a[0]', 1]]));
});

test.each([
  ['a', ['a']],
  ['a.b', ['a.b', 'a']],
  ['a.b[0]', ['a.b[0]', 'a.b', 'a']],
  ['a.b[*].c', ['a.b[*].c', 'a.b[*]', 'a.b', 'a']],
  ['a[10].b', ['a[10].b', 'a[10]', 'a']],
  ['a["b.c"].d', ['a["b.c"].d', 'a["b.c"]', 'a']],
  ['a["b\\"].c"].d', ['a["b\\"].c"].d', 'a["b\\"].c"]', 'a']],
  ['["a.b"].c', ['["a.b"].c', '["a.b"]']],
  ['', []],
])('%s lies in %j', (path, parents) => expect(pathAndParents(path)).toEqual(parents));
