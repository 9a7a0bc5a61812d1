import { describe, expect, test } from 'vitest';
import { canonicalText } from '../../../src/core/canonical-text.ts';
import { asList, asObject, isJsonObject, memberOf } from '../../../src/core/json-value.ts';

describe('what another program wrote', () => {
  test.each([
    [{ a: 1 }, true],
    [{}, true],
    [[], false],
    [null, false],
    [undefined, false],
    ['{}', false],
    [0, false],
  ])('%j is an object: %s', (value, is) => {
    expect(isJsonObject(value)).toBe(is);
    expect(asObject(value)).toEqual(is ? value : {});
  });

  test.each([
    [[1], [1]],
    [[], []],
    [{ length: 1 }, []],
    ['a', []],
    [undefined, []],
  ])('the list of %j is %j', (value, list) => expect(asList(value)).toEqual(list));

  test.each([
    [{ a: 1 }, 'a', 1],
    [{ a: null }, 'a', null],
    [{ a: 1 }, 'b', undefined],
    [{}, 'toString', undefined],
    [[7], '0', undefined],
    [[7], 'length', undefined],
    ['text', 'length', undefined],
    [null, 'a', undefined],
  ])('%j has under %s: %j', (value, name, found) => expect(memberOf(value, name)).toEqual(found));
});

test.each([
  [{ b: 1, a: { d: [{ f: 1, e: 2 }], c: null } }, '{"a":{"c":null,"d":[{"e":2,"f":1}]},"b":1}'],
  [[2, 1], '[2,1]'],
  ['x', '"x"'],
  [null, 'null'],
  [undefined, undefined],
  [{ c: 1, b: 2, a: 3 }, '{"a":3,"b":2,"c":1}'],
])('%j is written as %s', (value, text) => expect(canonicalText(value)).toBe(text));
