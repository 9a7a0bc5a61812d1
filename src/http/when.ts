import { describeDuration } from '../lib/duration.ts';
import type { WhenView } from '../pages/project-view.ts';

const MOMENT_MS = 1_000;

/** `2 hours ago`, `in 4 hours`, `now`. */
export function when(now: Date, at: Date): WhenView {
  const ms = at.getTime() - now.getTime();
  if (Math.abs(ms) < MOMENT_MS) return { at, text: 'now' };
  return { at, text: ms < 0 ? `${describeDuration(-ms)} ago` : `in ${describeDuration(ms)}` };
}

/** The same of a time that may not be known. */
export function whenKnown(now: Date, at: Date | string | undefined): WhenView | undefined {
  return at === undefined ? undefined : when(now, new Date(at));
}
