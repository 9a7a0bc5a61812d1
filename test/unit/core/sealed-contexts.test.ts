import { expect, test } from 'vitest';
import { artifactContext, outputContext, planTextContext } from '../../../src/core/sealed-contexts.ts';

test('what is stored says whose it is, and no two places say the same', () => {
  expect(outputContext('r1', 2)).toBe('output:r1:2');
  expect(planTextContext('r1')).toBe('plan-text:r1');
  expect(artifactContext('r1', 'errored.tfstate')).toBe('artifact:r1:errored.tfstate');
});
