/** How much of a summary is told. Lengths in UTF-16 units, counts in entries; what is left out is always counted. */
export interface DetailLevel {
  readonly title: number;
  readonly sentence: number;
  readonly rows: number;
  /** `short` leaves out time and link. */
  readonly columns: 'full' | 'short';
  /** Destroyed and replaced resources, all projects together. */
  readonly destroys: number;
  /** Entries of every other list. */
  readonly items: number;
}

const ALL = Number.POSITIVE_INFINITY;

/** From everything to the bare totals. The last one fits into 2,000 units whatever is put in. */
const DETAIL_LEVELS: readonly DetailLevel[] = [
  { title: 200, sentence: 2_000, rows: ALL, columns: 'full', destroys: 300, items: 100 },
  { title: 160, sentence: 600, rows: ALL, columns: 'full', destroys: 60, items: 30 },
  { title: 120, sentence: 300, rows: ALL, columns: 'short', destroys: 40, items: 20 },
  { title: 80, sentence: 240, rows: 100, columns: 'short', destroys: 30, items: 10 },
  { title: 60, sentence: 160, rows: 30, columns: 'short', destroys: 15, items: 4 },
  { title: 40, sentence: 100, rows: 8, columns: 'short', destroys: 5, items: 2 },
  { title: 30, sentence: 60, rows: 3, columns: 'short', destroys: 2, items: 0 },
  { title: 20, sentence: 40, rows: 0, columns: 'short', destroys: 0, items: 0 },
];
/** The summary may take this share of a comment before it is shortened in favour of the texts. */
const ROOM_FOR_SUMMARY = 0.6;
/** From this level on it may take all of it: it goes before the texts. */
const SUMMARY_FIRST = 4;

/** The most detailed rendering that fits, in UTF-16 units. */
export function mostDetailed<T extends { readonly length: number }>(
  limit: number,
  render: (level: DetailLevel) => T,
): T {
  let rendered: T | undefined;
  for (const [at, level] of DETAIL_LEVELS.entries()) {
    rendered = render(level);
    if (rendered.length <= (at < SUMMARY_FIRST ? limit * ROOM_FOR_SUMMARY : limit)) return rendered;
  }
  if (rendered === undefined || rendered.length > limit)
    throw new RangeError(`a comment needs more than ${limit} characters`);
  return rendered;
}

/** The first `count` entries and how many are left out. */
export function firstOf<T>(list: readonly T[], count: number): { readonly items: readonly T[]; readonly more: number } {
  return { items: list.slice(0, count), more: Math.max(0, list.length - count) };
}
