import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGlob, containsGlob, escapeGlob, type GlobDialect } from '../../../src/lib/glob.ts';

function matches(pattern: string, path: string, dialect?: GlobDialect): boolean {
  const glob = compileGlob(pattern, dialect);
  if ('problem' in glob) throw new Error(glob.problem);
  return glob.matches(path);
}

describe('a glob over paths', () => {
  test.each([
    ['modules/*', 'modules/a', true],
    ['modules/*', 'modules', false],
    ['modules/*', 'modules/a/b', false],
    ['*', '.hidden', true],
    ['**', 'a/b/c', true],
    ['a/**', 'a', true],
    ['a/**', 'a/b/c', true],
    ['a/**', 'ab', false],
    ['a/**/z', 'a/z', true],
    ['a/**/z', 'a/b/c/z', true],
    ['a/**/z', 'a/bz', false],
    ['**/x', 'x', true],
    ['**/x', 'a/b/x', true],
    ['**/x', 'ax', false],
    ['a**b', 'axb', true],
    ['a**b', 'a/b', false],
    ['env-?', 'env-1', true],
    ['env-?', 'env-', false],
    ['env?x', 'env/x', false],
    ['[ab]c', 'bc', true],
    ['[!ab]c', 'bc', false],
    ['[^ab]c', 'cc', true],
    ['[!a]', '/', false],
    ['[a-c]', 'b', true],
    ['{dev,prod}/app', 'prod/app', true],
    ['{dev,prod}/app', 'test/app', false],
    ['{a,b{c,d}}', 'bd', true],
    ['a,b}', 'a,b}', true],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['a.b+c(d)$', 'a.b+c(d)$', true],
    ['a.b', 'axb', false],
  ])('%s on %s is %s', (pattern, path, wanted) => {
    expect(matches(pattern, path)).toBe(wanted);
  });

  test.each(['[', 'a[bc', '\\', '{a,b', `${'a'.repeat(1_001)}`])('refuses %s', (pattern) => {
    expect(compileGlob(pattern)).toHaveProperty('problem');
  });
});

describe('a glob as in an ignore file', () => {
  test.each([
    ['**/*.tf*', 'main.tf', true],
    ['**/*.tf*', 'a/b/x.tfvars', true],
    ['*.tf', 'a/main.tf', false],
    ['**.tf', 'a/b/main.tf', true],
    ['a/**', 'a/b/c', true],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['{a,b}', '{a,b}', true],
    ['{a,b}', 'a', false],
  ])('%s on %s is %s', (pattern, path, wanted) => {
    expect(matches(pattern, path, 'ignore_file')).toBe(wanted);
  });
});

test('only stars, question marks and brackets make a directory a glob', () => {
  expect(['*', 'a?', '[a]'].every(containsGlob)).toBe(true);
  expect(['.', 'a{b,c}', 'a-b'].some(containsGlob)).toBe(false);
});

test('an escaped text matches itself only', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), (text) => {
      expect(matches(escapeGlob(text), text)).toBe(true);
      expect(matches(escapeGlob(text), `${text}x`)).toBe(false);
      expect(matches(escapeGlob(text), text, 'ignore_file')).toBe(true);
    }),
  );
});

test('never throws, whatever the pattern and the path', () => {
  const hostile = fc.string({ unit: fc.constantFrom(...'*?[]{}\\/!^,-.ab('), maxLength: 30 });
  fc.assert(
    fc.property(hostile, hostile, fc.constantFrom<GlobDialect>('paths', 'ignore_file'), (pattern, path, dialect) => {
      const glob = compileGlob(pattern, dialect);
      if ('matches' in glob) expect(typeof glob.matches(path)).toBe('boolean');
    }),
    { numRuns: 500 },
  );
});

test('many stars against a long name take no time', () => {
  const started = performance.now();
  expect(matches(`${'*a'.repeat(30)}b`, 'a'.repeat(2_000))).toBe(false);
  expect(performance.now() - started).toBeLessThan(1_000);
});
