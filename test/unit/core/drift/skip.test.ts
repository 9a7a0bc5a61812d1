import { describe, expect, test } from 'vitest';
import { findSkip, isSuspended, type SkipFacts, type Suspension } from '../../../../src/core/drift/skip.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const at = (text: string) => new Date(text);

const CLEAR: SkipFacts = {
  now: NOW,
  enabled: true,
  requested: false,
  repository: 'present',
  suspension: undefined,
  applying: false,
  lock: undefined,
  openPullRequests: [],
  lastAppliedAt: undefined,
  windows: { open: true },
  roomLeft: true,
};

const SUSPENSION: Suspension = {
  reason: 'we move the network',
  by: 'ann',
  since: at('2026-11-18T11:00:00Z'),
  until: undefined,
};
const CLOSED = {
  open: false,
  why: 'no window that allows checks is open',
  opensAt: at('2026-11-21T22:00:00Z'),
} as const;

const EVERYTHING: SkipFacts = {
  ...CLEAR,
  enabled: false,
  repository: 'missing',
  suspension: SUSPENSION,
  applying: true,
  lock: { number: 12, who: 'bob' },
  openPullRequests: [14],
  lastAppliedAt: at('2026-11-21T11:57:00Z'),
  windows: CLOSED,
  roomLeft: false,
};

const skip = (some: Partial<SkipFacts>) => findSkip({ ...CLEAR, ...some });

test('nothing speaks against it', () => expect(skip({})).toBeUndefined());

describe('each reason by itself', () => {
  test.each([
    [{ enabled: false }, 'disabled', 'Its drift checks are turned off in the config.'],
    [{ repository: 'missing' }, 'missing', 'The repository is gone, or no longer shown to Holdfast.'],
    [{ repository: 'archived' }, 'archived', 'The repository is archived.'],
    [{ suspension: SUSPENSION }, 'suspended', 'Suspended by @ann for 3 days, until it is resumed: we move the network'],
    [
      { suspension: { ...SUSPENSION, until: at('2026-11-25T00:00:00Z') } },
      'suspended',
      'Suspended by @ann for 3 days, until 2026-11-25 00:00 UTC: we move the network',
    ],
    [{ applying: true }, 'applying', 'It is being applied.'],
    [{ lock: { number: 12, who: 'bob' } }, 'locked', 'It is locked by #12 (bob).'],
    [{ openPullRequests: [14] }, 'open_pull_request', '#14 is open and touches it.'],
    [{ openPullRequests: [14, 15, 9] }, 'open_pull_request', '#14, #15, #9 are open and touch it.'],
    [{ lastAppliedAt: at('2026-11-21T11:57:00Z') }, 'just_applied', 'It was applied 3 minutes ago.'],
    [
      { windows: CLOSED },
      'window_closed',
      'Checks may not start now: no window that allows checks is open. They may again from 2026-11-21 22:00 UTC.',
    ],
    [
      { windows: { ...CLOSED, opensAt: undefined } },
      'window_closed',
      'Checks may not start now: no window that allows checks is open. No opening is in sight.',
    ],
    [{ roomLeft: false }, 'disk', 'There is not enough room left on the disk.'],
  ] as const)('%j', (some, code, sentence) => expect(skip(some)).toEqual({ code, sentence }));
});

test('of several, what lasts longest is said', () => {
  const order: string[] = [];
  let facts = EVERYTHING;
  const without: Partial<Record<string, Partial<SkipFacts>>> = {
    disabled: { enabled: true },
    missing: { repository: 'archived' },
    archived: { repository: 'present' },
    suspended: { suspension: undefined },
    applying: { applying: false },
    locked: { lock: undefined },
    open_pull_request: { openPullRequests: [] },
    just_applied: { lastAppliedAt: undefined },
    window_closed: { windows: { open: true } },
    disk: { roomLeft: true },
  };
  for (let found = findSkip(facts); found !== undefined && order.length < 20; found = findSkip(facts)) {
    order.push(found.code);
    facts = { ...facts, ...without[found.code] };
  }
  expect(order).toEqual(Object.keys(without));
});

test('what a person asked for is stopped by what would make it wrong, not by what only makes it untimely', () => {
  const codes = (some: Partial<SkipFacts>) => skip({ requested: true, ...some })?.code;
  expect(codes({ openPullRequests: [14], lastAppliedAt: NOW, windows: CLOSED })).toBeUndefined();
  expect(codes({ lock: { number: 12, who: 'bob' } })).toBe('locked');
  expect(codes({ applying: true })).toBe('applying');
  expect(codes({ suspension: SUSPENSION })).toBe('suspended');
  expect(codes({ roomLeft: false })).toBe('disk');
});

test('an apply is over for checks after ten minutes', () => {
  expect(skip({ lastAppliedAt: at('2026-11-21T11:50:00.001Z') })?.code).toBe('just_applied');
  expect(skip({ lastAppliedAt: at('2026-11-21T11:50:00.000Z') })).toBeUndefined();
});

test('a suspension ends at its end', () => {
  expect(isSuspended({ ...SUSPENSION, until: at('2026-11-21T12:00:00.001Z') }, NOW)).toBe(true);
  expect(isSuspended({ ...SUSPENSION, until: NOW }, NOW)).toBe(false);
  expect(isSuspended(SUSPENSION, NOW)).toBe(true);
  expect(isSuspended(undefined, NOW)).toBe(false);
  expect(skip({ suspension: { ...SUSPENSION, until: NOW } })).toBeUndefined();
});
