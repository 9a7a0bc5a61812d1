import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteWord, splitWords } from '../../../src/lib/shell-words.ts';

test.each([
  ['plan -d  a', ['plan', '-d', 'a']],
  [`-d "dir with space"`, ['-d', 'dir with space']],
  [`'some["addr"]' id`, ['some["addr"]', 'id']],
  ['a\\ b', ['a b']],
  ['"a\\"b"', ['a"b']],
  [`'a\\b'`, ['a\\b']],
  [`""`, ['']],
  [`a""b`, ['ab']],
  ['plan # a remark', ['plan']],
  ['a#b', ['a#b']],
  [`"#"`, ['#']],
  ['', []],
])('%s', (line, words) => {
  expect(splitWords(line)).toEqual(words);
});

test('an open quote and a dangling backslash are problems', () => {
  expect(splitWords("a 'b")).toEqual({ problem: "the quote ' is never closed" });
  expect(splitWords('a \\')).toEqual({ problem: 'nothing follows the last backslash' });
});

test('a quoted word is read back', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 30 }), { maxLength: 5 }), (words) => {
      expect(splitWords(words.map(quoteWord).join(' '))).toEqual(words);
    }),
  );
});
