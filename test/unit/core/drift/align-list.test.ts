import { describe, expect, test } from 'vitest';
import { alignList } from '../../../../src/core/drift/align-list.ts';

const align = (applied: readonly unknown[], live: readonly unknown[], wanted: readonly unknown[], unknown = false) =>
  alignList([applied, live, wanted], unknown);
const _ = undefined;

describe('what belongs together in three versions of a list', () => {
  test('one element that is another in each version is one that was changed, wherever it stands', () => {
    expect(align(['a', 'x'], ['a', 'y'], ['a', 'x'])).toEqual([{ at: [1, 1, 1], index: 1 }]);
    expect(align(['x', 'a', 'b'], ['a', 'b', 'y'], ['a', 'z', 'b'])).toEqual([{ at: [0, 2, 1], index: 1 }]);
    expect(align([{ port: 1 }], [{ port: 2 }], [{ port: 1 }])).toEqual([{ at: [0, 0, 0], index: 0 }]);
  });

  test('the order of keys is no difference', () => {
    expect(align([{ a: 1, b: 2 }, 'x'], [{ b: 2, a: 1 }, 'y'], [{ a: 1, b: 2 }, 'x'])).toEqual([
      { at: [1, 1, 1], index: 1 },
    ]);
  });

  test('elements changed in place keep their index', () => {
    expect(align(['a', 'b', 'c'], ['A', 'b', 'C'], ['a', 'b', 'c'])).toEqual([
      { at: [0, 0, 0], index: 0 },
      { at: [2, 2, 2], index: 2 },
    ]);
  });

  test('elements that came and went count each by itself', () => {
    expect(align(['a', 'b'], ['a', 'b', 'hand'], ['a', 'b', 'code'])).toEqual([
      { at: [_, 2, _], index: _ },
      { at: [_, _, 2], index: _ },
    ]);
    expect(align(['a', 'b', 'c'], ['c'], ['a', 'b', 'c'])).toEqual([
      { at: [0, _, 0], index: _ },
      { at: [1, _, 1], index: _ },
    ]);
    expect(align([], ['a'], ['a', 'b'])).toEqual([
      { at: [_, 0, 0], index: _ },
      { at: [_, _, 1], index: _ },
    ]);
  });

  test('a set whose order turned around is matched by its content', () => {
    expect(align(['a', 'b', 'c'], ['c', 'b', 'a', 'd'], ['b', 'c', 'a', 'e', 'f'])).toEqual([
      { at: [_, 3, _], index: _ },
      { at: [_, _, 3], index: _ },
      { at: [_, _, 4], index: _ },
    ]);
    // Elements of the same length, but not at the same places: a set.
    expect(align(['a', 'x', 'y'], ['p', 'q', 'a'], ['a', 'x', 'y'])).toEqual([
      { at: [1, _, 1], index: _ },
      { at: [2, _, 2], index: _ },
      { at: [_, 0, _], index: _ },
      { at: [_, 1, _], index: _ },
    ]);
  });

  test('one that both dropped counts by itself when nobody added any', () => {
    expect(align(['a', 'x', 'y'], ['a'], ['a', 'x'])).toEqual([
      { at: [1, _, 1], index: _ },
      { at: [2, _, _], index: _ },
    ]);
  });

  describe('elements that have something of their own', () => {
    const rules = (...list: readonly [port: unknown, cidr: string][]) => list.map(([port, cidr]) => ({ cidr, port }));

    test('are matched by it, wherever they stand, though all three versions differ', () => {
      const applied = rules([1, 'x'], [2, 'x'], [3, 'x']);
      expect(align(applied, rules([3, 'x'], [2, 'x'], [1, 'hand']), rules([2, 'code'], [3, 'x'], [1, 'x']))).toEqual([
        { at: [1, 1, 0], index: 0 },
        { at: [0, 2, 2], index: 2 },
      ]);
      expect(
        align(rules(['a', 'x'], ['b', 'x']), rules(['b', 'y'], ['a', 'x']), rules(['a', 'z'], ['b', 'x'])),
      ).toEqual([
        { at: [0, 1, 0], index: 0 },
        { at: [1, 0, 1], index: 1 },
      ]);
    });

    test.each([
      ['is not the same in all', rules([1, 'x'], [2, 'x']), rules([1, 'y'], [3, 'x']), rules([1, 'z'], [2, 'x'])],
      ['is there twice', rules([1, 'x'], [1, 'y']), rules([1, 'p'], [1, 'q']), rules([1, 'r'], [1, 's'])],
      [
        'is no text or number',
        rules([[1], 'x'], [[2], 'x']),
        rules([[1], 'y'], [[2], 'x']),
        rules([[1], 'z'], [[2], 'y']),
      ],
      ['is null', rules([null, 'x'], [2, 'x']), rules([null, 'y'], [2, 'x']), rules([null, 'z'], [2, 'y'])],
      ['is not of an object', [['x'], ['y']], [['p'], ['q']], [['r'], ['s']]],
      ['has one less before', rules([1, 'x']), rules([1, 'y'], [2, 'y']), rules([1, 'z'], [2, 'z'])],
      [
        'has one more before',
        rules([1, 'x'], [2, 'x'], [3, 'x']),
        rules([1, 'y'], [2, 'y']),
        rules([1, 'z'], [2, 'z']),
      ],
      ['has one less now', rules([1, 'x'], [2, 'x']), rules([1, 'y']), rules([1, 'z'], [2, 'z'])],
    ])('but not by one that %s', (_what, applied, live, wanted) => {
      const found = align(applied, live, wanted);
      expect(found === 'whole' || found.every(({ index }) => index === undefined)).toBe(true);
    });
  });

  test.each([
    ['the order alone', ['a', 'b'], ['b', 'a'], ['a', 'b']],
    ['nothing', ['a'], ['a'], ['a']],
    ['nothing at all', [], [], []],
    ['an element there twice before', ['a', 'a'], [], ['b']],
    ['an element there twice now', [], ['a', 'a'], ['b']],
    ['an element to be there twice', ['b'], [], ['a', 'a']],
    ['an element there once more than in all', ['a', 'a', 'a', 'b'], ['a', 'c'], ['a', 'b', 'c']],
    ['an element changed by hand that the code drops', ['a', 'x'], ['a', 'y'], ['a']],
  ])('as a whole: %s', (_what, applied, live, wanted) => expect(align(applied, live, wanted)).toBe('whole'));

  test('one more of the same that all have otherwise', () => {
    expect(align(['a'], ['a', 'a'], ['a'])).toEqual([{ at: [_, 1, _], index: _ }]);
  });

  test('what only the apply will tell has its place and nothing else', () => {
    expect(align(['a', 'b'], ['b', 'a'], ['a', null], true)).toEqual([
      { at: [0, 0, 0], index: 0 },
      { at: [1, 1, 1], index: 1 },
    ]);
    expect(align(['a'], ['a'], ['a', null], true)).toBe('whole');
    expect(align(['a', 'b'], ['a'], ['a'], true)).toBe('whole');
  });
});
