import { describe, expect, test } from 'vitest';
import { differingPlaces, hasMark, sameValue } from '../../../../src/core/drift/differing-places.ts';

interface Said {
  readonly unknown?: unknown;
  readonly sensitive?: readonly [unknown, unknown, unknown];
}

const places = (applied: unknown, live: unknown, wanted: unknown, said: Said = {}) =>
  differingPlaces({
    values: [applied, live, wanted],
    unknown: said.unknown,
    sensitive: said.sensitive ?? [undefined, undefined, undefined],
  });
const paths = (...versions: Parameters<typeof places>) =>
  places(...versions).map(({ path, values }) => [path, ...values]);

describe('where three versions of a value differ', () => {
  test('as deep as it can be told', () => {
    const applied = {
      name: 'a',
      tags: { team: 'x', 'a.b': '1' },
      rule: [{ port: 80 }, { port: 443, cidr: '10.0.0.0/8' }],
    };
    const live = { name: 'a', tags: { team: 'y', 'a.b': '1' }, rule: [{ port: 80 }, { port: 443, cidr: '0.0.0.0/0' }] };
    const wanted = { ...applied, tags: { team: 'x', 'a.b': '2' } };
    expect(paths(applied, live, wanted)).toEqual([
      ['tags.team', 'x', 'y', 'x'],
      ['tags["a.b"]', '1', '1', '2'],
      ['rule[1].cidr', '10.0.0.0/8', '0.0.0.0/0', '10.0.0.0/8'],
    ]);
    expect(paths(applied, applied, applied)).toEqual([]);
  });

  test('a map that was not there before, and one that goes', () => {
    expect(paths({ tags: null }, { tags: { a: '1' } }, { tags: null })).toEqual([
      ['tags.a', undefined, '1', undefined],
    ]);
    expect(paths({ tags: { a: '1' } }, { tags: { a: '1' } }, {})).toEqual([['tags.a', '1', '1', undefined]]);
    expect(paths({ rule: null }, { rule: [{ port: 1 }] }, { rule: null })).toEqual([
      ['rule[*]', undefined, { port: 1 }, undefined],
    ]);
  });

  test('nothing, null, empty list and empty map differ as a whole', () => {
    expect(paths({ a: null }, { a: {} }, { a: null })).toEqual([['a', null, {}, null]]);
    expect(paths({ a: [] }, { a: null }, { a: [] })).toEqual([['a', [], null, []]]);
    expect(paths({ a: null }, { a: null }, {})).toEqual([['a', null, null, undefined]]);
    expect(paths({ a: {} }, { a: {} }, { a: {} })).toEqual([]);
    expect(paths({ a: [] }, { a: [] }, { a: [] })).toEqual([]);
  });

  test('what changes its shape differs as a whole', () => {
    expect(paths({ a: [1] }, { a: { b: 1 } }, { a: 'x' })).toEqual([['a', [1], { b: 1 }, 'x']]);
    expect(paths({ a: 1 }, { a: { b: 1 } }, { a: 1 })).toEqual([['a', 1, { b: 1 }, 1]]);
  });

  test('a list in another order is one difference', () => {
    expect(paths({ a: [1, 2] }, { a: [2, 1] }, { a: [1, 2] })).toEqual([['a', [1, 2], [2, 1], [1, 2]]]);
  });

  test('elements of a set have no index', () => {
    expect(paths({ a: ['x'] }, { a: ['x', 'hand', 'y'] }, { a: ['x', 'y', 'code'] })).toEqual([
      ['a[*]', undefined, 'hand', undefined],
      ['a[*]', undefined, 'y', 'y'],
      ['a[*]', undefined, undefined, 'code'],
    ]);
  });

  test('names lead to the place without its indexes, and the outermost list is known', () => {
    const value = (port: number) => ({ a: { rules: [{ b: { c: [{ port }] } }] } });
    expect(places(value(1), value(2), value(1))).toMatchObject([
      { path: 'a.rules[0].b.c[0].port', names: ['a', 'rules', 'b', 'c', 'port'], namesToList: 2 },
    ]);
    expect(places({ a: { b: 1 } }, { a: { b: 2 } }, { a: { b: 1 } })).toMatchObject([
      { names: ['a', 'b'], namesToList: 2 },
    ]);
  });

  test('what only the apply will tell is a place, whether it was changed or not', () => {
    const unknown = { id: true, tags: { a: true }, rule: [{}, { id: true }] };
    const before = { id: 'i', name: 'n', tags: { a: '1', b: '2' }, rule: [{ port: 1 }, { port: 2, id: 'r' }] };
    const wanted = { name: 'n', tags: { b: '2' }, rule: [{ port: 1 }, { port: 2 }] };
    const found = places(before, before, wanted, { unknown });
    expect(found.map(({ path, unknown: known }) => [path, known])).toEqual([
      ['id', true],
      ['tags.a', true],
      ['rule[1].id', true],
    ]);
    expect(places({ a: { b: 1 } }, { a: { b: 2 } }, {}, { unknown: { a: true } })).toMatchObject([
      { path: 'a', unknown: true },
    ]);
    expect(places({ a: 1 }, { a: 1 }, { a: 1 }, { unknown: {} })).toEqual([]);
  });

  test('a list of unknown elements and another length is unknown as a whole', () => {
    expect(places({ a: ['x'] }, { a: ['x'] }, { a: ['x', null] }, { unknown: { a: [false, true] } })).toMatchObject([
      { path: 'a', unknown: true },
    ]);
  });

  test('sensitive is what is marked in any version, all of it or a part', () => {
    const marked = (...sensitive: [unknown, unknown, unknown]) =>
      places({ a: { b: 1 }, c: 1 }, { a: { b: 2 }, c: 2 }, { a: { b: 1 }, c: 1 }, { sensitive }).map(
        ({ path, sensitive: found }) => [path, found],
      );
    expect(marked({ a: true }, {}, {})).toEqual([
      ['a.b', true],
      ['c', false],
    ]);
    expect(marked({}, { a: { b: true } }, {})).toEqual([
      ['a.b', true],
      ['c', false],
    ]);
    expect(marked({}, {}, true)).toEqual([
      ['a.b', true],
      ['c', true],
    ]);
    const element = places({ a: [] }, { a: [{ b: 1 }, 2] }, { a: [] }, { sensitive: [{}, { a: [{ b: true }] }, {}] });
    expect(element.map(({ path, sensitive }) => [path, sensitive])).toEqual([
      ['a[*]', true],
      ['a[*]', false],
    ]);
  });

  test('marks of an element are those of its own place in each version', () => {
    const found = places(
      { a: ['s', 'x'] },
      { a: ['y', 's'] },
      { a: ['s', 'z'] },
      { sensitive: [{ a: [true, false] }, { a: [false, true] }, { a: [true, false] }] },
    );
    expect(found).toMatchObject([{ values: ['x', 'y', 'z'], sensitive: false }]);
  });

  test('a key that JavaScript has a meaning for is one like any other', () => {
    const value = (text: string) => JSON.parse(`{"a": {"__proto__": "${text}", "constructor": "${text}"}}`) as unknown;
    expect(paths(value('1'), value('2'), value('1'))).toEqual([
      ['a.__proto__', '1', '2', '1'],
      ['a.constructor', '1', '2', '1'],
    ]);
    expect(paths({ a: {} }, { a: {} }, { a: {} }, { unknown: JSON.parse('{"toString": {}}') })).toEqual([]);
  });

  test('what is nested deeper than anybody nests is compared as a whole', () => {
    const nested = (text: string) => Array.from({ length: 200 }).reduce<unknown>((inner) => ({ a: inner }), text);
    const [place, ...more] = places(nested('x'), nested('y'), nested('x'));
    expect(more).toEqual([]);
    expect(place?.names.length).toBe(61);
    expect(places(nested('x'), nested('x'), nested('x'))).toEqual([]);
  });
});

test.each([
  [1, 1, true],
  [1, '1', false],
  [null, undefined, false],
  [{ a: 1, b: [2] }, { b: [2], a: 1 }, true],
  [{ a: 1 }, { a: 2 }, false],
  [[1, 2], [2, 1], false],
  ['{}', {}, false],
  [{}, null, false],
  [null, {}, false],
])('%j and %j are the same: %s', (left, right, same) => expect(sameValue(left, right)).toBe(same));

test.each([
  [true, true],
  [false, false],
  [undefined, false],
  [null, false],
  [{}, false],
  [{ a: { b: [false, {}] } }, false],
  [{ a: { b: [false, true] } }, true],
])('%j has a mark: %s', (marks, has) => expect(hasMark(marks)).toBe(has));
