import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DriftWindow } from '../../../../src/core/drift/settings.ts';
import { checkWindowsAt, type WindowState } from '../../../../src/core/drift/windows.ts';

const HOUR = 3_600_000;

function window(kind: DriftWindow['kind'], cron: string, hours: number, timezone = 'UTC'): DriftWindow {
  return { kind, cron, durationMs: hours * HOUR, timezone };
}

const allow = (cron: string, hours: number, timezone?: string) => window('allow', cron, hours, timezone);
const deny = (cron: string, hours: number, timezone?: string) => window('deny', cron, hours, timezone);
const stateAt = (time: string, ...lists: readonly (readonly DriftWindow[])[]): WindowState =>
  checkWindowsAt(new Date(time))(lists);
const isOpen = (time: string, ...windows: readonly DriftWindow[]) => stateAt(time, windows).open;

const OUTSIDE = 'no window that allows checks is open';
const DENIED = 'a window that denies checks is open';
const closed = (why: string, opensAt: string | undefined) => ({
  open: false,
  why,
  opensAt: opensAt === undefined ? undefined : new Date(opensAt),
});

describe('whether a check may start', () => {
  test('without windows, always', () => {
    expect(stateAt('2026-11-21T12:00Z')).toEqual({ open: true });
    expect(stateAt('2026-11-21T12:00Z', [])).toEqual({ open: true });
  });

  test('with a window that allows, only inside of it: its first instant counts, its last does not', () => {
    const night = allow('0 22 * * *', 8);
    expect(stateAt('2026-11-21T21:59:59.999Z', [night])).toEqual(closed(OUTSIDE, '2026-11-21T22:00Z'));
    expect(isOpen('2026-11-21T22:00:00.000Z', night)).toBe(true);
    expect(isOpen('2026-11-22T05:59:59.999Z', night)).toBe(true);
    expect(stateAt('2026-11-22T06:00:00.000Z', [night])).toEqual(closed(OUTSIDE, '2026-11-22T22:00Z'));
  });

  test('of several that allow, one that is open is enough', () => {
    const night = allow('0 22 * * *', 8);
    const noon = allow('0 12 * * *', 1);
    for (const order of [
      [night, noon],
      [noon, night],
    ]) {
      expect(isOpen('2026-11-21T12:30Z', ...order)).toBe(true);
      expect(isOpen('2026-11-21T23:00Z', ...order)).toBe(true);
      expect(stateAt('2026-11-21T14:00Z', order)).toEqual(closed(OUTSIDE, '2026-11-21T22:00Z'));
    }
  });

  test('with windows that deny only, whenever none is open', () => {
    const lunch = deny('0 12 * * *', 1);
    expect(isOpen('2026-11-21T11:59Z', lunch)).toBe(true);
    expect(stateAt('2026-11-21T12:30Z', [lunch])).toEqual(closed(DENIED, '2026-11-21T13:00Z'));
    expect(isOpen('2026-11-21T13:00Z', lunch)).toBe(true);
  });

  test('one that denies beats those that allow', () => {
    const day = allow('0 6 * * *', 12);
    const lunch = deny('0 12 * * *', 1);
    expect(isOpen('2026-11-21T11:00Z', day, lunch)).toBe(true);
    expect(stateAt('2026-11-21T12:30Z', [day, lunch])).toEqual(closed(DENIED, '2026-11-21T13:00Z'));
    expect(stateAt('2026-11-21T12:30Z', [lunch, day])).toEqual(closed(DENIED, '2026-11-21T13:00Z'));
  });

  test('after the one that denies, the next that allows is what opens', () => {
    const day = allow('0 6 * * *', 12);
    const evening = deny('0 17 * * *', 4);
    expect(stateAt('2026-11-21T17:30Z', [day, evening])).toEqual(closed(DENIED, '2026-11-22T06:00Z'));
  });

  test('windows that overlap are one', () => {
    const hourly = deny('0 9-11 * * *', 2);
    expect(stateAt('2026-11-21T09:30Z', [hourly])).toEqual(closed(DENIED, '2026-11-21T13:00Z'));
    expect(isOpen('2026-11-21T12:59Z', hourly)).toBe(false);
  });

  test('every list has to be open', () => {
    const server = [deny('0 23 * * *', 2)];
    const repository = [allow('0 22 * * *', 4)];
    expect(stateAt('2026-11-21T22:30Z', server, repository).open).toBe(true);
    expect(stateAt('2026-11-21T23:30Z', server, repository)).toEqual(closed(DENIED, '2026-11-22T01:00Z'));
    expect(stateAt('2026-11-21T12:00Z', server, repository)).toEqual(closed(OUTSIDE, '2026-11-21T22:00Z'));
    expect(stateAt('2026-11-21T23:30Z', repository, server)).toEqual(closed(DENIED, '2026-11-22T01:00Z'));
  });

  test('what was due in between is not asked for again by the window: open is open, at any time of it', () => {
    const freeze = deny('0 8 * * *', 4);
    const states = ['T07:59Z', 'T08:00Z', 'T10:00Z', 'T11:59Z', 'T12:00Z', 'T12:01Z'].map((time) =>
      isOpen(`2026-11-21${time}`, freeze),
    );
    expect(states).toEqual([true, false, false, false, true, true]);
  });
});

describe('clocks', () => {
  test('a window is its zone’s, whatever zone the machine is in', () => {
    const tokyo = allow('0 9 * * *', 1, 'Asia/Tokyo');
    expect(isOpen('2026-11-21T00:30Z', tokyo)).toBe(true);
    expect(stateAt('2026-11-21T09:30Z', [tokyo])).toEqual(closed(OUTSIDE, '2026-11-22T00:00Z'));
  });

  test('the night in which an hour is left out', () => {
    const night = allow('30 2 * * *', 1, 'Europe/Berlin');
    expect(isOpen('2026-03-28T01:45Z', night)).toBe(true);
    // 02:30 does not exist: it begins at 03:00, and lasts its hour.
    expect(isOpen('2026-03-29T00:59Z', night)).toBe(false);
    expect(isOpen('2026-03-29T01:00Z', night)).toBe(true);
    expect(isOpen('2026-03-29T01:59Z', night)).toBe(true);
    expect(isOpen('2026-03-29T02:00Z', night)).toBe(false);
  });

  test('the night in which an hour comes twice', () => {
    const night = allow('30 2 * * *', 1, 'Europe/Berlin');
    expect(isOpen('2026-10-25T00:30Z', night)).toBe(true);
    // The second 02:30 begins nothing.
    expect(isOpen('2026-10-25T01:29Z', night)).toBe(true);
    expect(isOpen('2026-10-25T01:45Z', night)).toBe(false);
    expect(isOpen('2026-10-26T01:45Z', night)).toBe(true);
  });

  test('a window over the change lasts as long as ever', () => {
    const night = deny('0 22 * * *', 8, 'Europe/Berlin');
    expect(stateAt('2026-03-29T00:00Z', [night])).toEqual(closed(DENIED, '2026-03-29T05:00Z'));
    expect(stateAt('2026-10-25T00:00Z', [night])).toEqual(closed(DENIED, '2026-10-25T04:00Z'));
  });
});

describe('when nothing opens', () => {
  test('a window that allows and never comes', () => {
    expect(stateAt('2026-11-21T12:00Z', [allow('0 0 30 2 *', 1)])).toEqual(closed(OUTSIDE, undefined));
  });

  test('one that denies and never ends', () => {
    expect(stateAt('2026-11-21T12:00Z', [deny('0 * * * *', 2)])).toEqual(closed(DENIED, undefined));
  });

  test('what cannot be read denies always, and allows never', () => {
    expect(isOpen('2026-11-21T12:00Z', deny('nonsense', 1))).toBe(false);
    expect(stateAt('2026-11-21T12:00Z', [allow('nonsense', 1)])).toEqual(closed(OUTSIDE, undefined));
    expect(isOpen('2026-11-21T12:00Z', allow('0 12 * * *', 1), allow('nonsense', 1))).toBe(true);
  });
});

test('the opening that is told is one, and the instant before it is none', () =>
  fc.assert(
    fc.property(
      fc.date({ min: new Date('2026-01-01'), max: new Date('2026-12-31'), noInvalidDate: true }),
      fc.array(
        fc.record({
          kind: fc.constantFrom('allow' as const, 'deny' as const),
          cron: fc.constantFrom('0 22 * * *', '30 2 * * *', '0 9 * * 1-5', '0 */6 * * *'),
          durationMs: fc.integer({ min: 1, max: 12 }).map((hours) => hours * HOUR),
          timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'),
        }),
        { maxLength: 4 },
      ),
      (now, windows) => {
        const state = checkWindowsAt(now)([windows]);
        if (state.open || state.opensAt === undefined) return;
        expect(state.opensAt.getTime()).toBeGreaterThan(now.getTime());
        expect(checkWindowsAt(state.opensAt)([windows]).open).toBe(true);
        expect(checkWindowsAt(new Date(state.opensAt.getTime() - 1))([windows]).open).toBe(false);
      },
    ),
  ));
