import { expect, test } from 'vitest';
import { meetsConstraint } from '../../../src/core/version-constraint.ts';

test.each([
  ['1.11.4', '>= 1.5', true],
  ['1.11.4', '~> 1.5', true],
  ['2.0.0', '~> 1.5', false],
  ['1.5.9', '~> 1.5.3', true],
  ['1.6.0', '~> 1.5.3', false],
  ['1.5.2', '~> 1.5.3', false],
  ['1.11.4', '>= 1.3, < 2.0', true],
  ['1.11.4', '>= 1.3, < 1.11', false],
  ['1.11.4', '1.11.4', true],
  ['1.11.4', '= 1.11.3', false],
  ['1.11.4', '!= 1.11.4', false],
  ['1.11.4', '!= 1.11.3', true],
  ['1.11.4', '<= 1.11.4', true],
  ['1.11.4', '> 1.11.4', false],
  ['5.9.0', '~> 5', true],
  ['6.0.0', '~> 5', false],
  ['1.11.4', 'latest', undefined],
  ['1.11.4', '>= 1.5, soon', undefined],
  ['not a version', '>= 1', undefined],
])('%s meets %j: %j', (version, constraint, meets) => {
  expect(meetsConstraint(version, constraint)).toBe(meets);
});
