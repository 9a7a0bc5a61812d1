import { estimateMedian, median } from './statistics.ts';
import type { BenchmarkOptions, Figure } from './figure.ts';

/** Two ways to do the same, in milliseconds. */
export interface Pair {
  readonly ours: number;
  readonly bare: number;
}

/** Their order alternates, so that what the first leaves to the second (caches, heat) favours neither; the first pair warms up and is dropped. */
export async function measurePairs(
  { pairs, say }: BenchmarkOptions,
  sides: {
    readonly ours: (round: number) => Promise<number>;
    readonly bare: (round: number) => Promise<number>;
  },
): Promise<readonly Pair[]> {
  const measured: Pair[] = [];
  for (let round = 0; round <= pairs; round += 1) {
    const first = round % 2 === 0 ? await sides.ours(round) : undefined;
    const bare = await sides.bare(round);
    const ours = first ?? (await sides.ours(round));
    say(`  ${round === 0 ? 'warm-up' : `pair ${round}`}: ours ${ours.toFixed(1)}, bare ${bare.toFixed(1)} ms`);
    if (round > 0) measured.push({ ours, bare });
  }
  return measured;
}

/** The median of the paired ratios: what slows both sides of a pair down falls out. */
export function ratioFigure(name: string, goal: number, pairs: readonly Pair[], details: Figure['details']): Figure {
  return {
    name,
    unit: 'ratio',
    goal,
    samples: pairs.length,
    ...estimateMedian(pairs.map(({ ours, bare }) => ours / bare)),
    details: {
      'ours ms': median(pairs.map(({ ours }) => ours)),
      'bare ms': median(pairs.map(({ bare }) => bare)),
      ...details,
    },
  };
}
