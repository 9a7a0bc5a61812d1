import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CODE_OWNERS_MAX_BYTES,
  CODE_OWNERS_PATHS,
  ownersOfAll,
  readCodeOwners,
  type CodeOwners,
} from '../../../src/core/code-owners.ts';

function read(text: string): CodeOwners {
  const owners = readCodeOwners(text);
  if (owners === undefined) throw new Error('too long');
  return owners;
}

const matches = (pattern: string, path: string) => read(`${pattern} @o`).ownersOf(path).length > 0;

describe('patterns', () => {
  test.each([
    ['*', ['a', 'a/b', 'a/b/c.tf', '.github/x'], []],
    ['**', ['a', 'a/b/c'], []],
    ['*.js', ['a.js', 'x/a.js', 'x/a.js/b'], ['a.jsx', 'x/ajs']],
    ['/build/logs/', ['build/logs/a', 'build/logs/x/a'], ['build/logs', 'x/build/logs/a', 'build/logsx/a']],
    ['docs/*', ['docs/a.md', 'docs/.x'], ['docs/x/a.md', 'x/docs/a.md', 'docs']],
    ['apps/', ['apps/a', 'x/apps/a', 'x/apps/y/a'], ['apps', 'x/apps', 'xapps/a', 'appsx/a']],
    ['/docs/', ['docs/a', 'docs/x/a'], ['x/docs/a', 'docs']],
    ['/scripts', ['scripts', 'scripts/a', 'scripts/x/a'], ['x/scripts', 'scriptsx']],
    ['scripts', ['scripts', 'scripts/a', 'x/scripts', 'x/scripts/a'], ['scriptsx', 'x/scriptsx']],
    ['**/logs', ['logs', 'logs/a', 'x/logs/a', 'x/y/logs/z/a'], ['xlogs/a']],
    ['**/logs/', ['logs/a', 'x/logs/a'], ['logs', 'x/logs']],
    ['infra/prod', ['infra/prod', 'infra/prod/main.tf'], ['infra/prod2/main.tf', 'x/infra/prod/a']],
    ['infra/**/prod', ['infra/prod/a', 'infra/x/prod/a', 'infra/x/y/prod'], ['infra/xprod/a']],
    ['infra/**', ['infra/a', 'infra/x/a'], ['infra', 'x/infra/a']],
    ['/infra/**/', ['infra/a', 'infra/x/a'], ['infra']],
    ['infra/*/main.tf', ['infra/x/main.tf'], ['infra/main.tf', 'infra/x/y/main.tf']],
    ['/*', ['a', '.x'], ['a/b']],
    ['/*.tf', ['a.tf'], ['x/a.tf']],
    ['a?.tf', ['ab.tf', 'x/ab.tf'], ['a.tf', 'a/.tf']],
    ['{a,b}', ['{a,b}'], ['a', 'b']],
    ['with\\ blank/', ['with blank/a'], ['with', 'blank/a']],
    ['Docs/', ['Docs/a'], ['docs/a']],
    ['a+b.(c)', ['a+b.(c)'], ['aab.c']],
  ])('%s', (pattern, yes, no) => {
    expect(yes.filter((path) => !matches(pattern, path))).toEqual([]);
    expect(no.filter((path) => matches(pattern, path))).toEqual([]);
  });
});

describe('the file', () => {
  test('the last pattern that matches decides, and one without owners takes them away', () => {
    const owners = read('* @global\n/infra/ @acme/infra bob@example.com\n/infra/sandbox/\n*.md @writer\n');
    expect(owners.ownersOf('README')).toEqual(['@global']);
    expect(owners.ownersOf('infra/prod/main.tf')).toEqual(['@acme/infra', 'bob@example.com']);
    expect(owners.ownersOf('infra/sandbox/main.tf')).toEqual([]);
    expect(owners.ownersOf('infra/sandbox/a.md')).toEqual(['@writer']);
    expect(read('').ownersOf('a')).toEqual([]);
  });

  test('remarks, blank lines and line ends of any kind', () => {
    const owners = read('# * @a\r\n\r\n  /x/   @b  # and @c\r\n\t/y/\t@d #@e\n');
    expect([owners.ownersOf('x/1'), owners.ownersOf('y/1'), owners.ownersOf('z')]).toEqual([['@b'], ['@d'], []]);
  });

  test.each(['!x', 'x[ab]', 'x]', '\\#x', 'x/***', '#x', 'x\\'])(
    'a line that begins with %s is passed over',
    (pattern) => {
      const owners = read(`* @a\n${pattern} @b\n`);
      for (const path of ['x', 'xa', '#x', 'x/y', '\\']) expect(owners.ownersOf(path)).toEqual(['@a']);
    },
  );

  test.each(['b', '@', '@b/', '@b/c/d', '@-b', 'b@', 'b@c', '@b,@c'])('so is one with the owner %s', (owner) => {
    expect(read(`* @a\n* @c ${owner}\n`).ownersOf('x')).toEqual(['@a']);
  });

  test.each(['@b', '@b-c', '@b_corp', '@org/team.x', 'b.c+d@example.co.uk'])('%s is an owner', (owner) => {
    expect(read(`* ${owner}`).ownersOf('x')).toEqual([owner]);
  });

  test('one that is too long is not read', () => {
    expect(readCodeOwners('a @b\n'.repeat(10_000))).toBeDefined();
    expect(readCodeOwners('a @b\n'.repeat(10_001))).toBeUndefined();
  });

  test('whatever it holds, it is read', () =>
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.string(), (text, path) => {
        expect(Array.isArray(read(text).ownersOf(path))).toBe(true);
      }),
    ));
});

test('where the file is, and how large it may be', () => {
  expect(CODE_OWNERS_PATHS).toEqual(['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS']);
  expect(CODE_OWNERS_MAX_BYTES).toBe(3_145_728);
});

test('of several files, whoever owns most of them is first', () => {
  const owners = read('*.tf @b @a\nvariables.tf @c @b\nREADME @d');
  expect(ownersOfAll(owners, ['x/main.tf', 'x/variables.tf', 'x/README', 'x/none'])).toEqual(['@b', '@a', '@c', '@d']);
  expect(ownersOfAll(owners, ['x/README', 'x/main.tf', 'x/outputs.tf'])).toEqual(['@a', '@b', '@d']);
  expect(ownersOfAll(owners, [])).toEqual([]);
});
