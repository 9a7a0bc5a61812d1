import { expect, test } from 'vitest';
import { suggest } from '../../../src/lib/suggestion.ts';

test('the nearest candidate within two letters', () => {
  expect(suggest('paln', ['apply', 'plan'])).toBe('plan');
  expect(suggest('PLAN', ['plan', 'plane'])).toBe('plan');
  expect(suggest('plun', ['plane', 'plan'])).toBe('plan');
});

test('nothing when all are too far, or half of a short word would have to change', () => {
  expect(suggest('thanks', ['plan', 'apply'])).toBeUndefined();
  expect(suggest('xy', ['on'])).toBeUndefined();
  expect(suggest('x'.repeat(61), ['x'.repeat(60)])).toBeUndefined();
});
