/** A value with the interval that holds the true one in 95 of 100 measurements. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const HALF_TAIL = 0.025;

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear between the two nearest, as spreadsheets and numpy do. @throws RangeError for no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) throw new RangeError('there is no quantile of no values');
  return below + (above - below) * (place - Math.floor(place));
}

/**
 * The median with its 95 % interval by order statistics: how many of n values lie below the true median is binomial with 1/2, whatever
 * their distribution is. Under six values no two of them hold it with 95 %, and the interval is from the smallest to the largest.
 */
export function estimateMedian(values: readonly number[]): Estimate {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.max(1, lowerRank(sorted.length));
  return {
    value: median(values),
    low: sorted[rank - 1] ?? Number.NaN,
    high: sorted[sorted.length - rank] ?? Number.NaN,
  };
}

/** From so many on the binomial is as good as normal, and its smallest terms are too small for a number. */
const MANY = 1_000;
/** Standard deviations that leave 2.5 % on one side. */
const DEVIATIONS = 1.96;

/** The largest rank k for which fewer than k of n fall below the median with at most 2.5 %; 0 when there is none. */
function lowerRank(n: number): number {
  if (n >= MANY) return Math.floor((n - DEVIATIONS * Math.sqrt(n)) / 2);
  let rank = 0;
  let tail = 0;
  let term = 0.5 ** n;
  while (tail + term <= HALF_TAIL) {
    tail += term;
    term = (term * (n - rank)) / (rank + 1);
    rank += 1;
  }
  return rank;
}
