import { describe, expect, test } from 'vitest';
import { NO_DRIFT, type DriftState } from '../../../../src/core/drift/lifecycle.ts';
import {
  notifyOfRemediation,
  notifyOfState,
  notifyOfWaiting,
  overdueAt,
  type WaitingProject,
} from '../../../../src/core/drift/notifications.ts';
import { keyOf } from '../../../support/builders.ts';
import { at, clean, CONFIRMED, drifting, FAILED, play, START, type Step } from './drift-fixture.ts';

const KEY = keyOf('prod');
const QUIET = {
  rules: [{ kind: 'acknowledge', id: '1', by: 'ann', reason: 'ours', fingerprint: 'f1' }],
  until: undefined,
} as const;

/** What is told at each step, and the state in the end. */
function tell(steps: readonly Step[], from: DriftState = NO_DRIFT) {
  let state = from;
  return steps.flatMap((step) => {
    const before = state;
    state = play([step], 2, before).state;
    return notifyOfState(KEY, before, state);
  });
}

const events = (steps: readonly Step[], from?: DriftState) =>
  tell(steps, from).map(({ event, fingerprint }) => `${event} ${fingerprint}`);

describe('drift', () => {
  test('is told when it is confirmed, when it is another, and when it is gone', () => {
    const told = tell([
      [0, drifting()],
      [10, drifting()],
      [20, drifting()],
      [30, drifting('f2')],
      [40, drifting('f2')],
      [50, clean()],
      [60, clean()],
    ]);
    expect(told).toEqual([
      { event: 'drift_opened', key: `drift_opened ${KEY} 1 f1`, fingerprint: 'f1', sentence: 'Drift was found.' },
      {
        event: 'drift_changed',
        key: `drift_changed ${KEY} 1 f2`,
        fingerprint: 'f2',
        sentence: 'The drift is another one now.',
      },
      {
        event: 'drift_resolved',
        key: `drift_resolved ${KEY} 1 f2`,
        fingerprint: 'f2',
        sentence: 'The drift is gone: what runs is what the code says.',
      },
    ]);
  });

  test('that was never confirmed is told to nobody, nor are errors', () => {
    expect(
      tell([
        [0, drifting()],
        [10, clean()],
        [20, FAILED],
      ]),
    ).toEqual([]);
    expect(
      tell(
        [
          [20, FAILED],
          [30, FAILED],
        ],
        CONFIRMED,
      ),
    ).toEqual([]);
  });

  test('that comes back within a day has the keys of before, and later others', () => {
    const again = tell(
      [
        [20, clean()],
        [30, drifting()],
        [40, drifting()],
      ],
      CONFIRMED,
    ).at(-1);
    expect(again?.key).toBe(`drift_opened ${KEY} 1 f1`);
    const later = tell(
      [
        [20, clean()],
        [9_000, drifting()],
        [9_010, drifting()],
      ],
      CONFIRMED,
    ).at(-1);
    expect(later?.key).toBe(`drift_opened ${KEY} 2 f1`);
  });

  test('that is silenced is not told, and told as found when the silence is over', () => {
    const quiet = drifting('f1', { quiet: QUIET });
    expect(
      events([
        [0, quiet],
        [10, quiet],
      ]),
    ).toEqual([]);
    expect(events([[20, quiet]], CONFIRMED)).toEqual([]);
    expect(
      events(
        [
          [20, quiet],
          [30, clean()],
        ],
        CONFIRMED,
      ),
    ).toEqual([]);
    expect(
      events(
        [
          [20, quiet],
          [30, drifting('f2')],
        ],
        CONFIRMED,
      ),
    ).toEqual(['drift_opened f2']);
  });

  test('that is another at every check is told of twice, and again when it has kept still', () => {
    const restless = ['f2', 'f3', 'f4', 'f5', 'f5', 'f6'].map((one, index): Step => [20 + index, drifting(one)]);
    expect(events(restless, CONFIRMED)).toEqual(['drift_changed f2', 'drift_changed f3', 'drift_changed f6']);
  });

  test('that comes and goes is not told as changed', () => {
    const flapping = play(
      [
        [20, clean()],
        [30, drifting()],
        [40, drifting()],
      ],
      2,
      CONFIRMED,
    ).state;
    expect(events([[50, drifting('f2')]], flapping)).toEqual([]);
    expect(
      events(
        [
          [50, clean()],
          [60, clean()],
          [70, clean()],
        ],
        flapping,
      ),
    ).toEqual(['drift_resolved f1']);
  });

  test('of a record that does not say how it ended is told as gone', () => {
    expect(notifyOfState(KEY, CONFIRMED, NO_DRIFT)).toMatchObject([
      { event: 'drift_resolved', sentence: 'The drift is gone.' },
    ]);
  });
});

test('what came of putting it right is told once per run', () => {
  const outcome = { project: KEY, runId: 'r1', fingerprint: 'f1', by: 'ann', failure: undefined };
  expect(notifyOfRemediation(outcome)).toEqual({
    event: 'remediation_done',
    key: `remediation_done ${KEY} r1`,
    fingerprint: 'f1',
    sentence: '@ann put the drift right.',
  });
  expect(notifyOfRemediation({ ...outcome, failure: 'the plan is another one' })).toEqual({
    event: 'remediation_failed',
    key: `remediation_failed ${KEY} r1`,
    fingerprint: 'f1',
    sentence: '@ann wanted to put the drift right, and it failed: the plan is another one',
  });
});

const HOUR = 60;
const DAY = 24 * HOUR;
const SIX_HOURS = { kind: 'every', everyMs: 6 * 3_600_000 } as const;
const WAITING: WaitingProject = {
  project: KEY,
  schedule: SIX_HOURS,
  foundAt: at(0),
  lastSuccessAt: at(0),
  skip: undefined,
  suspension: undefined,
};
const waiting = (some: Partial<WaitingProject>, minutes: number) =>
  notifyOfWaiting({ ...WAITING, ...some }, at(minutes));

describe('a check that is overdue', () => {
  test('is told one and a half periods after the last that succeeded, once', () => {
    expect(waiting({}, 9 * HOUR - 1)).toEqual([]);
    const told = [
      {
        event: 'check_overdue',
        key: `check_overdue ${KEY} ${at(0).toISOString()}`,
        fingerprint: undefined,
        sentence: 'The last check that succeeded was 9 hours ago.',
      },
    ];
    expect(waiting({}, 9 * HOUR)).toEqual(told);
    expect(waiting({}, 50 * HOUR)[0]?.key).toBe(told[0]?.key);
  });

  test('also when there never was one', () => {
    expect(waiting({ lastSuccessAt: undefined, foundAt: at(60) }, 10 * HOUR - 1)).toEqual([]);
    expect(waiting({ lastSuccessAt: undefined, foundAt: at(60) }, 10 * HOUR)).toMatchObject([
      { key: `check_overdue ${KEY} never`, sentence: 'It is known for 9 hours and was never checked with success.' },
    ]);
  });

  test('short periods have half an hour of grace', () => {
    const schedule = { kind: 'every', everyMs: 10 * 60_000 } as const;
    expect(overdueAt({ ...WAITING, schedule })).toEqual(at(40));
  });

  test('by the clock: half the time to the next after it was due', () => {
    const cron = (expression: string) =>
      overdueAt({ ...WAITING, schedule: { kind: 'cron', cron: expression, timezone: 'UTC' } });
    const daily = cron('0 0 * * *')?.getTime() ?? 0;
    expect(daily).toBeGreaterThanOrEqual(START + 24 * 3_600_000);
    expect(daily).toBeLessThan(START + 24 * 3_600_000 + 600_000);
    const often = cron('*/10 * * * *')?.getTime() ?? 0;
    expect(often - START).toBeGreaterThanOrEqual(30 * 60_000);
    expect(often - START).toBeLessThan(51 * 60_000);
    expect(cron('0 0 30 2 *')).toBeUndefined();
    const never = { kind: 'cron', cron: '0 0 30 2 *', timezone: 'UTC' } as const;
    expect(waiting({ schedule: never }, 1_000 * DAY)).toEqual([]);
  });

  test.each(['disabled', 'missing', 'archived', 'suspended', 'window_closed'] as const)('not when it is %s', (skip) => {
    expect(waiting({ skip }, 9 * HOUR)).toEqual([]);
  });

  test.each(['applying', 'locked', 'open_pull_request', 'just_applied', 'disk'] as const)(
    'even when it is %s',
    (skip) => {
      expect(waiting({ skip }, 9 * HOUR)).toHaveLength(1);
    },
  );
});

describe('a suspension without an end', () => {
  const suspension = { reason: 'we move', by: 'ann', since: at(0), until: undefined };
  const told = (minutes: number, until?: Date) =>
    waiting({ suspension: { ...suspension, until }, skip: 'suspended' }, minutes);

  test('is told every week', () => {
    expect(told(7 * DAY - 1)).toEqual([]);
    expect(told(7 * DAY)).toEqual([
      {
        event: 'suspended_too_long',
        key: `suspended_too_long ${KEY} ${at(0).toISOString()} 1`,
        fingerprint: undefined,
        sentence: '@ann suspended its checks 7 days ago, without an end: we move',
      },
    ]);
    expect(told(14 * DAY - 1)[0]?.key).toMatch(/ 1$/);
    expect(told(14 * DAY)[0]?.key).toMatch(/ 2$/);
  });

  test('one with an end is not', () => {
    expect(told(20 * DAY, at(30 * DAY))).toEqual([]);
    expect(told(20 * DAY, at(10 * DAY))).toEqual([]);
    expect(waiting({ skip: 'suspended' }, 20 * DAY)).toEqual([]);
  });
});
