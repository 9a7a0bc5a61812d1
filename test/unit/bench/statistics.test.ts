import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exactly, type Figure, isMissed } from '../../bench/figure.ts';
import { estimateMedian, median, quantile } from '../../bench/statistics.ts';

const oneTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

describe('the statistics of the benchmarks', () => {
  test('the median and other quantiles lie between the values', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile(oneTo(101), 0.99)).toBe(100);
    expect(() => median([])).toThrow(RangeError);
  });

  // Ranks from the tables of the sign test, two-sided 5 %.
  test.each([
    [5, 1, 5],
    [6, 1, 6],
    [9, 2, 8],
    [20, 6, 15],
    [25, 8, 18],
    [2_000, 956, 1_045],
  ])('of %i values the interval goes from the %ith to the %ith', (count, low, high) => {
    expect(estimateMedian(oneTo(count))).toMatchObject({ low, high });
  });

  test('the interval holds the median, whatever the order of the values', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }), (values) => {
        const { low, value, high } = estimateMedian(values);
        expect(low).toBeLessThanOrEqual(value);
        expect(value).toBeLessThanOrEqual(high);
      }),
    );
  });

  test('a goal is missed only when the better end of the interval exceeds it', () => {
    const figure: Figure = { name: '', unit: 'ratio', samples: 20, details: {}, goal: 1, ...exactly(2) };
    expect(isMissed(figure)).toBe(true);
    expect(isMissed({ ...figure, low: 1 })).toBe(false);
    expect(isMissed({ ...figure, low: Number.NaN })).toBe(true);
    const { goal: _, ...told } = figure;
    expect(isMissed(told)).toBe(false);
  });
});
