import { expect, test } from 'vitest';
import {
  isObject,
  listBlocks,
  listLabelled,
  literalText,
  ownValue,
  plainText,
} from '../../../src/core/configuration-body.ts';

test.each([
  ['a list of blocks', { x: [{ a: 1 }, { b: 2 }] }, [{ a: 1 }, { b: 2 }]],
  ['one block, as JSON writes it', { x: { a: 1 } }, [{ a: 1 }]],
  ['among what is no block', { x: [1, null, 'a', [{}], { a: 1 }] }, [{ a: 1 }]],
  ['not a text', { x: 'a' }, []],
  ['not null', { x: null }, []],
  ['nothing', {}, []],
])('blocks are %s', (_what, body, blocks) => expect(listBlocks(body, 'x')).toEqual(blocks));

test('blocks with a label are told by it', () => {
  const body = { provider: [{ aws: [{ a: 1 }, { b: 2 }], gcp: { c: 3 } }, { aws: 'x' }] };
  expect(listLabelled(body, 'provider')).toEqual([
    ['aws', { a: 1 }],
    ['aws', { b: 2 }],
    ['gcp', { c: 3 }],
  ]);
  expect(listLabelled(body, 'module')).toEqual([]);
});

test.each([
  ['x', 'x', 'x'],
  ['$x %y {z}', '$x %y {z}', '$x %y {z}'],
  ['a-${x}', undefined, 'a-${x}'],
  ['%{ if x }', undefined, '%{ if x }'],
  [1, undefined, undefined],
  [['x'], undefined, undefined],
])('%j is literally %j and plainly %j', (value, literal, plain) => {
  expect(literalText({ a: value }, 'a')).toBe(literal);
  expect(plainText({ a: value }, 'a')).toBe(plain);
});

test('names that every object has are nothing of the file', () => {
  expect(ownValue({}, 'constructor')).toBeUndefined();
  expect(listBlocks({}, '__proto__')).toEqual([]);
  expect(plainText({}, 'toString')).toBeUndefined();
  expect(ownValue({ constructor: 'mine' }, 'constructor')).toBe('mine');
});

test.each([
  [{}, true],
  [[], false],
  [null, false],
  ['x', false],
  [undefined, false],
])('%j is an object: %s', (value, is) => expect(isObject(value)).toBe(is));
