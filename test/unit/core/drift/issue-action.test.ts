import { describe, expect, test } from 'vitest';
import { decideIssue, isReportable, type DriftIssue } from '../../../../src/core/drift/issue-action.ts';
import { NO_DRIFT, type DriftState } from '../../../../src/core/drift/lifecycle.ts';
import { at, clean, CONFIRMED, drifting, ignored, play } from './drift-fixture.ts';

const QUIET = {
  rules: [{ kind: 'acknowledge', id: '1', by: 'ann', reason: 'ours', fingerprint: 'f1' }],
  until: undefined,
} as const;

/** Drift that was last seen after ten minutes. */
const DRIFTING = CONFIRMED;
/** It was gone after twenty. */
const GONE = play([[20, clean()]], 2, CONFIRMED).state;
const BACK = play(
  [
    [30, drifting()],
    [40, drifting()],
  ],
  2,
  GONE,
).state;
const SILENCED = play([[20, drifting('f1', { quiet: QUIET })]], 2, CONFIRMED).state;
const IGNORED = play([[20, ignored()]], 2, CONFIRMED).state;
const UNSURE = play([[0, drifting()]]).state;

const NONE: DriftIssue = { state: 'none' };
const issue = (state: 'open' | 'closed', byPeopleMinutes?: number, content = 'same'): DriftIssue => ({
  state,
  byPeopleAt: byPeopleMinutes === undefined ? undefined : at(byPeopleMinutes),
  content,
});

const decide = (state: DriftState, known: DriftIssue, refusal?: string) => decideIssue(state, 'same', known, refusal);
const NOTHING = { kind: 'nothing' };

test('people are told of what is confirmed and not silenced', () => {
  expect([DRIFTING, BACK].map(isReportable)).toEqual([true, true]);
  expect([NO_DRIFT, UNSURE, GONE, SILENCED, IGNORED].map(isReportable)).toEqual([false, false, false, false, false]);
});

describe('when there is drift', () => {
  test('an issue is opened where there is none', () => {
    expect(decide(DRIFTING, NONE)).toEqual({ kind: 'open' });
    expect(decide(BACK, NONE)).toEqual({ kind: 'open' });
  });

  test('one that says the same is left alone, and one that does not is edited', () => {
    expect(decide(DRIFTING, issue('open'))).toEqual(NOTHING);
    expect(decide(DRIFTING, issue('open', undefined, 'other'))).toEqual({ kind: 'edit' });
    expect(decide(DRIFTING, issue('open', 5, 'other'))).toEqual({ kind: 'edit' });
  });

  test('one that we closed is opened again', () => {
    expect(decide(BACK, issue('closed'))).toEqual({ kind: 'reopen', sentence: 'The drift is back.' });
    expect(decide(BACK, issue('closed', undefined, 'other'))).toEqual({
      kind: 'reopen',
      sentence: 'The drift is back.',
    });
  });

  test('one that people closed is opened again by a later check only', () => {
    const still = {
      kind: 'reopen',
      sentence:
        'This was closed, and the drift is still there. If it is to stay, acknowledge, snooze or ignore it with a command.',
    };
    expect(decide(DRIFTING, issue('closed', 11))).toEqual(NOTHING);
    expect(decide(DRIFTING, issue('closed', 10))).toEqual(NOTHING);
    expect(decide(DRIFTING, issue('closed', 9))).toEqual(still);
  });

  test('one that people closed before the drift went and came is simply back', () => {
    expect(decide(BACK, issue('closed', 15))).toEqual({ kind: 'reopen', sentence: 'The drift is back.' });
    expect(decide(BACK, issue('closed', 35))).toMatchObject({ sentence: expect.stringMatching(/^This was closed/) });
  });
});

describe('when there is none', () => {
  const END = 'The drift is gone: what runs is what the code says.';

  test('nothing is opened, edited or closed twice', () => {
    for (const state of [NO_DRIFT, GONE, UNSURE, SILENCED, IGNORED]) {
      expect(decide(state, NONE)).toEqual(NOTHING);
      expect(decide(state, issue('closed', undefined, 'other'))).toEqual(NOTHING);
      expect(decide(state, issue('closed', 50, 'other'))).toEqual(NOTHING);
    }
  });

  test('an open one is closed with why', () => {
    expect(decide(GONE, issue('open'))).toEqual({ kind: 'close', sentence: END, as: 'completed' });
    expect(decide(SILENCED, issue('open'))).toEqual({
      kind: 'close',
      sentence: 'Acknowledged by @ann: ours. It is reported again when it changes.',
      as: 'not_planned',
    });
    expect(decide(IGNORED, issue('open'))).toEqual({
      kind: 'close',
      sentence: 'All that drifts is under rules that ignore it.',
      as: 'not_planned',
    });
    expect(decide(NO_DRIFT, issue('open'))).toEqual({
      kind: 'close',
      sentence: 'There is no drift to report any more.',
      as: 'completed',
    });
  });

  test('one that people opened since is theirs', () => {
    expect(decide(GONE, issue('open', 21))).toEqual(NOTHING);
    expect(decide(GONE, issue('open', 20))).toEqual(NOTHING);
    expect(decide(GONE, issue('open', 19))).toEqual({ kind: 'close', sentence: END, as: 'completed' });
    expect(decide(NO_DRIFT, issue('open', 5))).toEqual(NOTHING);
    expect(decide(SILENCED, issue('open', 25))).toEqual(NOTHING);
  });
});

describe('when it may have no issue of its own', () => {
  test('none is opened, and an open one is closed with why', () => {
    expect(decide(DRIFTING, NONE, 'It is on the dashboard.')).toEqual(NOTHING);
    expect(decide(BACK, issue('closed'), 'It is on the dashboard.')).toEqual(NOTHING);
    const closing = { kind: 'close', sentence: 'It is on the dashboard.', as: 'not_planned' };
    expect(decide(DRIFTING, issue('open'), 'It is on the dashboard.')).toEqual(closing);
    expect(decide(DRIFTING, issue('open', 5, 'other'), 'It is on the dashboard.')).toEqual(closing);
  });

  test('drift that is gone is closed as gone all the same', () => {
    expect(decide(GONE, issue('open'), 'It is on the dashboard.')).toMatchObject({ as: 'completed' });
  });
});
