import { compileCron } from '../../lib/cron.ts';
import type { DriftWindow } from './settings.ts';

export type WindowState =
  | { readonly open: true }
  /** `opensAt` undefined: not within the time that is looked ahead. `why` ends a sentence. */
  | { readonly open: false; readonly why: string; readonly opensAt: Date | undefined };

/** As far ahead as an opening is looked for: the steps, and the time. */
const MAX_STEPS = 200;
const MAX_AHEAD_MS = 400 * 86_400_000;

/**
 * Tells at one instant for any windows whether a check may start. Every list has to be open by itself. A list without windows is open;
 * with a window that allows, it is open inside of one only; a window that denies closes it in any case.
 * A window lasts its duration by the stop-watch, also through a night in which the clocks change.
 * Nothing is started by a window that opens: what was due in the meantime still is.
 */
export function checkWindowsAt(now: Date): (lists: readonly (readonly DriftWindow[])[]) => WindowState {
  const known = new Map<string, WindowState>();
  return (lists) => {
    if (lists.length === 0) return { open: true };
    const key = JSON.stringify(lists);
    const state = known.get(key) ?? stateOf(lists.map(compile), now);
    known.set(key, state);
    return state;
  };
}

interface Compiled {
  readonly kind: DriftWindow['kind'];
  /** Begins before or at the instant and is not over; undefined: not inside. */
  current(at: Date): { readonly end: Date } | undefined;
  next(after: Date): Date | undefined;
}

/** A window that cannot be read denies always or allows never. */
function compile(windows: readonly DriftWindow[]): readonly Compiled[] {
  return windows.map(({ kind, cron: expression, timezone, durationMs }) => {
    const cron = compileCron(expression, timezone);
    if ('problem' in cron) {
      const forever = kind === 'deny' ? { end: new Date(8.64e15) } : undefined;
      return { kind, current: () => forever, next: () => undefined };
    }
    return {
      kind,
      current: (at) => {
        const start = cron.next(new Date(at.getTime() - durationMs));
        return start !== undefined && start <= at ? { end: new Date(start.getTime() + durationMs) } : undefined;
      },
      next: (after) => cron.next(after),
    };
  });
}

function stateOf(lists: readonly (readonly Compiled[])[], now: Date): WindowState {
  const closed = lists.map((list) => closedAt(list, now)).find((one) => one !== undefined);
  return closed === undefined ? { open: true } : { open: false, why: closed.why, opensAt: findOpening(lists, now) };
}

interface Closed {
  readonly why: string;
  /** Nothing changes before; undefined: never. */
  readonly until: Date | undefined;
}

function closedAt(list: readonly Compiled[], at: Date): Closed | undefined {
  const denial = list.flatMap((window) => (window.kind === 'deny' ? (window.current(at) ?? []) : []))[0];
  if (denial !== undefined) return { why: 'a window that denies checks is open', until: denial.end };
  const allows = list.filter((window) => window.kind === 'allow');
  if (allows.length === 0 || allows.some((window) => window.current(at) !== undefined)) return undefined;
  const starts = allows.flatMap((window) => window.next(at)?.getTime() ?? []);
  return {
    why: 'no window that allows checks is open',
    until: starts.length === 0 ? undefined : new Date(Math.min(...starts)),
  };
}

/** From one change to the next, until all lists are open. */
function findOpening(lists: readonly (readonly Compiled[])[], now: Date): Date | undefined {
  let at = now;
  for (let step = 0; step < MAX_STEPS && at.getTime() - now.getTime() <= MAX_AHEAD_MS; step += 1) {
    const closed = lists.flatMap((list) => closedAt(list, at) ?? []);
    if (closed.length === 0) return at;
    const [first] = closed;
    if (first?.until === undefined) return undefined;
    at = first.until;
  }
  return undefined;
}
