import { expect, test } from 'vitest';
import { baseName, isWithin, joinPath, leavesRepository, parentDirectory } from '../../../src/core/repository-path.ts';

test.each([
  ['main.tf', '.', 'main.tf'],
  ['a/main.tf', 'a', 'main.tf'],
  ['a/b/main.tf', 'a/b', 'main.tf'],
])('%s is in %s and called %s', (path, directory, name) => {
  expect(parentDirectory(path)).toBe(directory);
  expect(baseName(path)).toBe(name);
});

test.each([
  ['.', 'a', 'a'],
  ['.', '.', '.'],
  ['.', '', '.'],
  ['a', '', 'a'],
  ['a', './b//c/', 'a/b/c'],
  ['a/b', '../c', 'a/c'],
  ['a', '..', '.'],
  ['a', '../..', '..'],
  ['a', '../../..', '../..'],
  ['a', '../../b', '../b'],
  ['a', '/b', 'a/b'],
  ['a', '...', 'a/...'],
])('from %s, %s is %s', (directory, relative, path) => expect(joinPath(directory, relative)).toBe(path));

test.each([
  ['..', true],
  ['../a', true],
  ['.', false],
  ['..a', false],
  ['a/..', false],
])('%s leaves the repository: %s', (path, leaves) => expect(leavesRepository(path)).toBe(leaves));

test.each([
  ['a/b', '.', true],
  ['a', 'a', true],
  ['a/b/c', 'a', true],
  ['ab', 'a', false],
  ['a', 'a/b', false],
  ['.', 'a', false],
])('%s lies within %s: %s', (path, directory, within) => expect(isWithin(path, directory)).toBe(within));
