import type { Estimate } from './statistics.ts';

/** One line of the table. */
export interface Figure extends Estimate {
  readonly name: string;
  readonly unit: 'ratio' | 'ms' | 'MB' | 'count';
  /** At most this; undefined for what is only told. */
  readonly goal?: number;
  /** Measurements (of pairs) behind it. */
  readonly samples: number;
  /** What else a reader wants to know: both sides' medians, counts. */
  readonly details: Readonly<Record<string, number | string>>;
}

export interface BenchmarkOptions {
  readonly pairs: number;
  /** For the growth of memory; few runs would tell nothing. */
  readonly runs: number;
  /** How many projects, where a benchmark of drift checks is to be smaller than it is. */
  readonly projects?: number;
  readonly say: (text: string) => void;
}

export interface Benchmark {
  readonly name: string;
  readonly about: string;
  /** Only when asked for by name or with `--all`: it takes longer than all others together. */
  readonly long?: boolean;
  run(options: BenchmarkOptions): Promise<readonly Figure[]>;
}

/** Noise may push a measurement over a goal, but not the better end of its interval. */
export function isMissed({ goal, low }: Figure): boolean {
  return goal !== undefined && !(low <= goal);
}

/** A figure that was counted and not estimated. */
export function exactly(value: number): Estimate {
  return { value, low: value, high: value };
}

export function formatTable(figures: readonly Figure[]): string {
  const head = ['measured', 'median', '95 % interval', 'goal', 'n', '', 'beside it'];
  const rows = figures.map((figure) => [
    figure.name,
    show(figure.value, figure.unit),
    figure.low === figure.high ? '' : `${show(figure.low, figure.unit)} .. ${show(figure.high, figure.unit)}`,
    figure.goal === undefined ? '' : `<= ${show(figure.goal, figure.unit)}`,
    String(figure.samples),
    figure.goal === undefined ? '' : isMissed(figure) ? 'MISSED' : 'met',
    Object.entries(figure.details)
      .map(([key, value]) => `${key} ${typeof value === 'number' ? round(value) : value}`)
      .join(', '),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(Math.min(width, 40)))), ...rows.map(line)].join('\n');
}

function show(value: number, unit: Figure['unit']): string {
  if (unit === 'ratio') return value.toFixed(2);
  if (unit === 'count') return String(round(value));
  return `${value.toFixed(1)} ${unit}`;
}

function round(value: number): number {
  return Number(value.toFixed(value < 10 ? 2 : 1));
}
