const DAY = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** Up to when something counts: the end of a day such as `2026-12-31` in UTC, or `2026-12-31T18:00Z`. undefined: it is neither. */
export function parseEnd(written: string): Date | undefined {
  const isDay = DAY.test(written);
  const time = isDay || TIME.test(written) ? Date.parse(written) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(isDay ? time + 86_400_000 : time);
}

/** `2026-12-31 18:00 UTC`: the same for every reader. */
export function instantText(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
