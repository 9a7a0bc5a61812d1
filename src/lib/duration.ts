type Units = Readonly<Record<string, number>>;

const DURATIONS: Units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A number with one of the units, such as `512MiB` or `1.5 h`, in the unit that counts 1; undefined when it is none. */
export function parseScaled(written: string, units: Units): number | undefined {
  const match = /^(?<amount>\d{1,12}(?:\.\d{1,3})?) ?(?<unit>[A-Za-z]{1,3})$/.exec(written);
  const unit = match?.groups?.unit ?? '';
  if (!Object.hasOwn(units, unit)) return undefined;
  const value = Math.round(Number(match?.groups?.amount) * (units[unit] ?? 0));
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Milliseconds of `30s`, `10m`, `12h` or `7d`; undefined when it is no duration. */
export function parseDuration(written: string): number | undefined {
  return parseScaled(written, DURATIONS);
}

const NAMES = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const;

/** About how long, for people: in whole numbers of the largest unit that fits, such as `3 days`; less than a second is `0 seconds`. */
export function describeDuration(ms: number): string {
  const [name, unit] = NAMES.find(([, size]) => ms >= size) ?? NAMES[3];
  return plural(Math.max(0, Math.floor(ms / unit)), name);
}

/** Exactly how long, to the second: in the largest unit of which it is a whole number, such as `90 minutes`. */
export function exactDuration(ms: number): string {
  const [name, unit] = NAMES.find(([, size]) => ms >= size && ms % size === 0) ?? NAMES[3];
  return plural(ms / unit, name);
}

function plural(count: number, name: string): string {
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
