import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeDuration, exactDuration, parseDuration, parseScaled } from '../../../src/lib/duration.ts';

describe('what is written', () => {
  test.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['10m', 600_000],
    ['1.5h', 5_400_000],
    ['7 d', 604_800_000],
    ['0.001s', 1],
  ])('%s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  test.each([
    '',
    '5',
    'm',
    '5 weeks',
    '-5m',
    '5m ',
    '1e3s',
    '5M',
    '5  m',
    '1.0001h',
    '99999999999999d',
    '5constructor',
  ])('%j is none', (text) => expect(parseDuration(text)).toBeUndefined());

  test('what does not fit into a number is refused', () => {
    expect(parseScaled('999999999999TiB', { TiB: 2 ** 40 })).toBeUndefined();
    expect(parseScaled('2KiB', { KiB: 1024 })).toBe(2048);
  });
});

describe('in words', () => {
  test.each([
    [-5, '0 seconds'],
    [999, '0 seconds'],
    [1_000, '1 second'],
    [59_999, '59 seconds'],
    [60_000, '1 minute'],
    [3_599_999, '59 minutes'],
    [3_600_000, '1 hour'],
    [86_399_999, '23 hours'],
    [86_400_000, '1 day'],
    [20 * 86_400_000, '20 days'],
  ])('%i ms are about %s', (ms, words) => expect(describeDuration(ms)).toBe(words));

  test.each([
    [1_000, '1 second'],
    [90_000, '90 seconds'],
    [5_400_000, '90 minutes'],
    [21_600_000, '6 hours'],
    [172_800_000, '2 days'],
    [1_500, '1.5 seconds'],
  ])('%i ms are exactly %s', (ms, words) => expect(exactDuration(ms)).toBe(words));

  test('different durations are never told alike', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e10 }), fc.integer({ min: 1, max: 1e10 }), (a, b) => {
        expect(exactDuration(a) === exactDuration(b)).toBe(a === b);
      }),
    ));
});
