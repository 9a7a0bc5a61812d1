import { expect, test } from 'vitest';
import { problemOfTypedWorkspace, problemOfWorkspace } from '../../../src/core/workspace-name.ts';

test.each(['default', 'a&&id', 'a`id`b', '.hidden', 'my.work_space-1', '$(id)', '~x', 'x'.repeat(200)])(
  '%s is a workspace',
  (name) => {
    expect(problemOfWorkspace(name)).toBeUndefined();
  },
);

test.each(['../evil', '/etc', 'sub\\dir', 'a..b', 'a\nid', 'a b', 'a\u0000', 'a\u202eb', '-chdir', 'x'.repeat(201)])(
  '%j is none',
  (name) => {
    expect(problemOfWorkspace(name)).toBeDefined();
    expect(problemOfTypedWorkspace(name)).toBeDefined();
  },
);

test.each(['', '~x', 'a$b'])('%j is none in a comment', (name) => {
  expect(problemOfTypedWorkspace(name)).toBeDefined();
});

test('signs of a shell are nothing to us', () => {
  expect(problemOfTypedWorkspace('a;id')).toBeUndefined();
});
