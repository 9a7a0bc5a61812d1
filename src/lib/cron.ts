import { Cron as CronerCron } from 'croner';

/** A cron expression on the clock of one time zone. */
export interface Cron {
  /** The first time strictly after the instant; undefined: never again. */
  next(after: Date): Date | undefined;
}

const FIELDS = /^(?:@[a-z]+|[^\s@]+(?: +[^\s@]+){4})$/i;
const MAX_LENGTH = 100;

/**
 * Compiles five fields: minute, hour, day of month, month, day of week. A time that a change of the clock leaves out comes
 * when the clock has changed, and one that comes twice counts the first time; what recurs within the hour goes on through both.
 * croner does that from any starting point, in half-hour changes such as Lord Howe's as well, where cron-parser leaves out the day.
 */
export function compileCron(expression: string, timezone: string): Cron | { readonly problem: string } {
  const zone = problemOfTimezone(timezone);
  if (zone !== undefined) return { problem: zone };
  const written = expression.trim();
  if (written.length > MAX_LENGTH || !FIELDS.test(written)) return { problem: notCron('it has not five fields') };
  try {
    const cron = new CronerCron(written, { timezone, paused: true, mode: '5-part' });
    return { next: (after) => cron.nextRun(after) ?? undefined };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { problem: notCron(why.replace(/^CronPattern: /, '')) };
  }
}

function notCron(why: string): string {
  return `not a cron expression such as "0 6 * * 1-5": ${why}`;
}

/** What is wrong with the name of a time zone; undefined: nothing. Abbreviations and offsets are refused because they know no summer time. */
export function problemOfTimezone(timezone: string): string | undefined {
  const shaped = timezone === 'UTC' || /^[A-Za-z_]{1,40}\/[A-Za-z0-9_+/-]{1,60}$/.test(timezone);
  if (shaped && isKnown(timezone)) return undefined;
  return `${JSON.stringify(timezone.slice(0, MAX_LENGTH))} is not an IANA time zone such as Europe/Berlin or UTC`;
}

function isKnown(timezone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: timezone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** Whatever recurs within the hour shows its closest times by then, unless these are five minutes or more apart anyway. */
const SAMPLE = 14;

/** Milliseconds between the two closest of its next times, which shows what recurs within the hour; undefined: it comes once at most. */
export function shortestGap(cron: Cron, after: Date): number | undefined {
  let shortest: number | undefined;
  let before = cron.next(after);
  for (let seen = 1; seen < SAMPLE && before !== undefined; seen += 1) {
    const next = cron.next(before);
    if (next === undefined) break;
    shortest = Math.min(shortest ?? Number.POSITIVE_INFINITY, next.getTime() - before.getTime());
    before = next;
  }
  return shortest;
}
