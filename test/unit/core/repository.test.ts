import { describe, expect, test } from 'vitest';
import { pullRequestId } from '../../../src/core/record.ts';
import { commitSha, fullName, isCommitSha } from '../../../src/core/repository.ts';

describe('a commit id', () => {
  const sha = '0123456789abcdef0123456789abcdef01234567';

  test.each([sha, 'f'.repeat(64)])('is %s', (text) => {
    expect(isCommitSha(text)).toBe(true);
    expect(commitSha(text)).toBe(text);
  });

  test.each([
    '',
    'main',
    sha.slice(1),
    `${sha}0`,
    sha.toUpperCase(),
    ` ${sha}`,
    `${sha}\n`,
    'f'.repeat(63),
    'f'.repeat(65),
  ])('is not %j', (text) => {
    expect(isCommitSha(text)).toBe(false);
    expect(() => commitSha(text)).toThrow(TypeError);
  });

  test('that is none is shown, but not at any length', () => {
    expect(() => commitSha('a"b')).toThrow('not a full commit id: "a\\"b"');
    expect(() => commitSha('x'.repeat(500))).toThrow(new TypeError(`not a full commit id: "${'x'.repeat(80)}"`));
  });
});

test('a repository is told by owner and name', () => {
  expect(fullName({ owner: 'acme', name: 'infra' })).toBe('acme/infra');
});

test('a pull request is told by ids, which survive a rename', () => {
  expect(pullRequestId({ host: 'github.com', id: '42' }, 7)).toBe('github.com/42/7');
});
