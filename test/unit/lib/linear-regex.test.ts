import { expect, test } from 'vitest';
import { compileRegex } from '../../../src/lib/linear-regex.ts';

function compile(source: string) {
  const regex = compileRegex(source);
  if ('problem' in regex) throw new Error(regex.problem);
  return regex;
}

test('matches anywhere, in the syntax of Go', () => {
  expect(compile('(?i)MAIN|master').test('release-main')).toBe(true);
  expect(compile('^main$').test('release-main')).toBe(false);
});

test('says what is wrong with an expression', () => {
  expect(compileRegex('?')).toEqual({ problem: 'missing argument to repetition operator: `?`' });
  expect(compileRegex('(text')).toEqual({ problem: 'missing closing ): `(text`' });
});

test('does not backtrack', () => {
  const started = performance.now();
  expect(compile('^(a+)+$').test(`${'a'.repeat(5_000)}b`)).toBe(false);
  expect(performance.now() - started).toBeLessThan(1_000);
});

test('a replacement is taken as it is written', () => {
  expect(compile('s(e)cret').replace('a secret, a secret', '$1\\x')).toBe('a $1\\x, a $1\\x');
});
