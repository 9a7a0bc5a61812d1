import { describe, expect, test } from 'vitest';
import { findMove } from '../../../src/core/find-move.ts';
import { HEAD, OLD_HEAD } from '../../support/builders.ts';

describe('a pull request that was verified', () => {
  const verified = { headSha: OLD_HEAD, baseRef: 'main' };

  test('is the same while head and base branch are', () => {
    expect(findMove(verified, { ...verified }, 'holdfast')).toBeUndefined();
  });

  test('has moved with a push', () => {
    expect(findMove(verified, { ...verified, headSha: HEAD }, 'atlantis')).toEqual({
      project: undefined,
      what: `commit ${HEAD.slice(0, 7)} was pushed while the apply was verified`,
      next: 'Nothing was applied. Comment `atlantis plan` and read the new plan.',
    });
  });

  test('has moved with its base branch', () => {
    expect(findMove(verified, { ...verified, baseRef: 'lax' }, 'holdfast')?.what).toBe(
      'its base branch became `lax` while the apply was verified',
    );
  });
});
