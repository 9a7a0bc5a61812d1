import { execaSync } from 'execa';
import { describe, expect, test } from 'vitest';
import { isRefName, privateRef } from '../../../../src/adapters/git/ref-name.ts';

const NAMES = [
  'refs/heads/main',
  'refs/pull/12/head',
  'refs/heads/-x',
  'refs/heads/--upload-pack=x',
  'refs/heads/a/b',
  'refs/heads/ü',
  'refs/heads/@',
  'refs/heads/a@b',
  'refs/heads/a{b',
  'refs/heads/a b',
  'refs/heads/a..b',
  'refs/heads/a.lock',
  'refs/heads/a.lock/b',
  'refs/heads/.a',
  'refs/heads/a/.b',
  'refs/heads/a.',
  'refs/heads/a/',
  'refs/heads//a',
  'refs/heads/a~1',
  'refs/heads/a^',
  'refs/heads/a:b',
  'refs/heads/a?',
  'refs/heads/a*',
  'refs/heads/a[b',
  'refs/heads/a\\b',
  'refs/heads/a@{b',
  'refs/heads/a\u007f',
  'refs/heads/a\tb',
];

describe('ref names', () => {
  test.each(NAMES)('%j is judged as git judges it', (name) => {
    const git = execaSync('git', ['check-ref-format', name], { reject: false });
    expect(isRefName(name)).toBe(git.exitCode === 0);
  });

  test.each([
    'main',
    'HEAD',
    '',
    '+refs/heads/a',
    '-refs/heads/a',
    `refs/heads/${'a'.repeat(2_000)}`,
    'refs/heads/\ud800',
  ])('%j is no full ref name', (name) => {
    expect(isRefName(name)).toBe(false);
  });

  test('each ref has a place of its own, that cannot be in the way of another', () => {
    const places = new Set(['refs/heads/a', 'refs/heads/a/b', 'refs/heads/A', 'refs/tags/a'].map(privateRef));
    expect(places.size).toBe(4);
    for (const place of places) expect(place).toMatch(/^refs\/mirror\/[0-9a-f]{40}$/);
  });
});
