import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isFailing,
  isFlapping,
  NO_DRIFT,
  type DriftObservation,
  type DriftState,
} from '../../../../src/core/drift/lifecycle.ts';
import type { Quiet } from '../../../../src/core/drift/silence-rules.ts';
import { at, clean, CONFIRMED, drifting, FAILED, ignored, play, UNKNOWN, type Step } from './drift-fixture.ts';

const ACKNOWLEDGED: Quiet = {
  rules: [{ kind: 'acknowledge', id: '1', by: 'ann', reason: 'we keep it', fingerprint: 'f1' }],
  until: undefined,
};

const state = (steps: readonly Step[], confirmations?: number, from?: DriftState) =>
  play(steps, confirmations, from).state;
const isConfirmed = (steps: readonly Step[], confirmations?: number) => state(steps, confirmations).drift?.confirmed;

describe('until drift is confirmed', () => {
  test('it takes as many checks as the config says', () => {
    expect(isConfirmed([[0, drifting()]])).toBe(false);
    expect(
      isConfirmed([
        [0, drifting()],
        [10, drifting()],
      ]),
    ).toBe(true);
    expect(isConfirmed([[0, drifting()]], 1)).toBe(true);
    expect(
      isConfirmed(
        [
          [0, drifting()],
          [10, drifting()],
        ],
        3,
      ),
    ).toBe(false);
    expect(
      isConfirmed(
        [
          [0, drifting()],
          [10, drifting()],
          [20, drifting()],
        ],
        3,
      ),
    ).toBe(true);
  });

  test('it is looked at again in ten minutes, and after that when it is due', () => {
    expect(play([[0, drifting()]]).recheckAt).toEqual(at(10));
    expect(
      play([
        [0, drifting()],
        [10, drifting()],
      ]).recheckAt,
    ).toBeUndefined();
    expect(play([[0, drifting()]], 1).recheckAt).toBeUndefined();
  });

  test('something that is gone is looked at again in two minutes, and two checks are enough', () => {
    const gone = drifting('f1', { missing: true });
    expect(play([[0, gone]])).toMatchObject({
      recheckAt: at(2),
      state: { drift: { confirmed: false, deletion: true } },
    });
    expect(
      play([
        [0, gone],
        [2, gone],
      ]),
    ).toMatchObject({ recheckAt: undefined, state: { drift: { confirmed: true } } });
    expect(
      isConfirmed(
        [
          [0, gone],
          [2, gone],
        ],
        5,
      ),
    ).toBe(true);
    expect(isConfirmed([[0, gone]], 1)).toBe(true);
    expect(
      isConfirmed(
        [
          [0, gone],
          [2, drifting()],
        ],
        5,
      ),
    ).toBe(false);
  });

  test('one resource that is gone among others is enough', () => {
    const mixed = drifting('f1', { missing: [false, true] });
    expect(play([[0, mixed]])).toMatchObject({ recheckAt: at(2), state: { drift: { deletion: true } } });
  });

  test('a change on the way does not begin it anew', () => {
    const { drift } = state([
      [0, drifting('f1')],
      [10, drifting('f2')],
    ]);
    expect(drift).toMatchObject({
      confirmed: true,
      fingerprint: 'f2',
      sightings: 2,
      firstSeenAt: at(0).toISOString(),
      lastSeenAt: at(10).toISOString(),
    });
  });

  test('a check that does not see it begins it anew, and nobody hears of it', () => {
    const after = state([
      [0, drifting()],
      [10, clean()],
    ]);
    expect(after).toEqual(NO_DRIFT);
    expect(
      isConfirmed([
        [0, drifting()],
        [10, clean()],
        [20, drifting()],
      ]),
    ).toBe(false);
  });

  test('a look at the same findings is no further sighting', () => {
    const again = drifting('f1', { fresh: false });
    expect(
      state([
        [0, drifting()],
        [1, again],
        [2, again],
      ]).drift,
    ).toMatchObject({
      confirmed: false,
      sightings: 1,
      lastSeenAt: at(0).toISOString(),
    });
    expect(state([[1, again]]).drift).toMatchObject({
      sightings: 1,
      firstSeenAt: at(1).toISOString(),
      lastSeenAt: at(1).toISOString(),
    });
  });
});

describe('once it is confirmed', () => {
  test('a later check changes when it was seen, and nothing else', () => {
    const later = state([[360, drifting()]], 2, CONFIRMED);
    expect(later).toEqual({
      ...CONFIRMED,
      drift: { ...CONFIRMED.drift, sightings: 3, lastSeenAt: at(360).toISOString() },
    });
  });

  test('it stays so when more checks are wanted later', () => {
    expect(state([[360, drifting()]], 9, CONFIRMED).drift?.confirmed).toBe(true);
  });

  test('another drift takes its place', () => {
    const changes = (...fingerprints: readonly string[]) =>
      state(
        fingerprints.map((one, index) => [20 + index, drifting(one)]),
        2,
        CONFIRMED,
      ).drift?.changes;
    expect(changes('f1')).toBe(0);
    expect(changes('f2')).toBe(1);
    expect(changes('f2', 'f3')).toBe(2);
    expect(changes('f2', 'f2')).toBe(0);
    expect(
      state(
        [
          [20, drifting('f2')],
          [21, drifting('f3', { fresh: false })],
        ],
        2,
        CONFIRMED,
      ).drift,
    ).toMatchObject({
      fingerprint: 'f3',
      changes: 1,
      confirmed: true,
    });
  });

  test.each([
    ['in_sync', 'The drift is gone: what runs is what the code says.'],
    ['absorbed', 'The drift is gone: the code has come to say what runs.'],
    ['state_only', 'The drift is gone: what still differs is something that an apply leaves alone.'],
    ['pending', 'The drift is gone: what differs now is a change of the code that is not applied yet.'],
    ['baseline_unknown', 'The drift is gone: what differs now was not changed where it runs.'],
    ['external', 'The drift is gone: what differs now comes from something that the code reads.'],
    ['drift', 'The drift is gone.'],
  ] as const)('%s ends it', (sync, sentence) => {
    expect(state([[20, clean(sync)]], 2, CONFIRMED)).toEqual({
      ...CONFIRMED,
      drift: undefined,
      ended: { at: at(20).toISOString(), sentence, ignored: false },
      turns: [at(10).toISOString(), at(20).toISOString()],
    });
  });

  test('whoever put it right is named', () => {
    expect(state([[20, clean('in_sync', 'ann')]], 2, CONFIRMED).ended?.sentence).toBe(
      'The drift was put right by @ann.',
    );
  });

  test.each([true, false])('a rule that ignores all of it ends it (fresh: %s)', (fresh) => {
    expect(state([[20, ignored(fresh)]], 2, CONFIRMED).ended).toEqual({
      at: at(20).toISOString(),
      sentence: 'All that drifts is under rules that ignore it.',
      ignored: true,
    });
  });

  test('silence is kept with it, in words, until it is another or the rule is gone', () => {
    const quiet = (observation: DriftObservation) => state([[20, observation]], 2, CONFIRMED).drift?.quiet;
    expect(quiet(drifting('f1', { quiet: ACKNOWLEDGED, fresh: false }))).toBe(
      'Acknowledged by @ann: we keep it. It is reported again when it changes.',
    );
    expect(quiet(drifting('f2'))).toBeUndefined();
    const silent = state([[20, drifting('f1', { quiet: ACKNOWLEDGED })]], 2, CONFIRMED);
    expect(silent.drift).toMatchObject({ confirmed: true, firstSeenAt: at(0).toISOString() });
    expect(state([[30, drifting()]], 2, silent).drift?.quiet).toBeUndefined();
  });
});

describe('checks that prove nothing', () => {
  test.each([
    ['fails', FAILED],
    ['finds out nothing', UNKNOWN],
    ['has a plan that leaves something out', clean('unknown')],
  ])('one that %s leaves drift as it was', (_, observation) => {
    for (const from of [NO_DRIFT, CONFIRMED, state([[0, drifting()]])]) {
      const { drift, ended, episode, turns } = state([[20, observation]], 2, from);
      expect({ drift, ended, episode, turns }).toEqual({
        drift: from.drift,
        ended: from.ended,
        episode: from.episode,
        turns: from.turns,
      });
    }
    expect(
      isConfirmed([
        [0, drifting()],
        [5, observation],
        [10, drifting()],
      ]),
    ).toBe(true);
  });

  test('errors are counted by themselves, and end with the first check that finds something out', () => {
    const twice = state([
      [0, FAILED],
      [30, FAILED],
    ]);
    expect(twice.errors).toEqual({ since: at(0).toISOString(), last: at(30).toISOString(), count: 2 });
    expect(state([[40, UNKNOWN]], 2, twice).errors).toEqual(twice.errors);
    expect(state([[40, drifting('f1', { fresh: false })]], 2, twice).errors).toEqual(twice.errors);
    expect(state([[40, clean()]], 2, twice).errors).toBeUndefined();
    expect(state([[40, drifting()]], 2, twice).errors).toBeUndefined();
  });

  test('after an error it is tried again soon, then less and less often', () => {
    const waits = [1, 2, 3, 4, 7, 40].map((count) => {
      const steps = Array.from({ length: count }, (): Step => [0, FAILED]);
      return ((play(steps).recheckAt?.getTime() ?? 0) - at(0).getTime()) / 60_000;
    });
    expect(waits).toEqual([10, 20, 40, 80, 360, 360]);
  });

  test('a check without a finding is repeated twice', () => {
    const rechecks = [1, 2, 3].map((count) => play(Array.from({ length: count }, (): Step => [0, UNKNOWN])).recheckAt);
    expect(rechecks).toEqual([at(10), at(10), undefined]);
    expect(
      state([
        [0, UNKNOWN],
        [1, UNKNOWN],
        [2, clean()],
      ]).unknowns,
    ).toBe(0);
    expect(
      state([
        [0, UNKNOWN],
        [1, clean('unknown')],
      ]).unknowns,
    ).toBe(2);
    expect(
      state([
        [0, UNKNOWN],
        [1, drifting('f1', { fresh: false })],
      ]).unknowns,
    ).toBe(1);
  });

  test('checks fail when the grace is over and it was not one error alone', () => {
    const failing = (steps: readonly Step[], graceMinutes: number) =>
      isFailing(state(steps), { errorGraceMs: graceMinutes * 60_000 });
    expect(failing([], 0)).toBe(false);
    expect(failing([[0, FAILED]], 0)).toBe(false);
    expect(
      failing(
        [
          [0, FAILED],
          [59, FAILED],
        ],
        60,
      ),
    ).toBe(false);
    expect(
      failing(
        [
          [0, FAILED],
          [60, FAILED],
        ],
        60,
      ),
    ).toBe(true);
    expect(
      failing(
        [
          [0, FAILED],
          [60, FAILED],
          [61, clean()],
        ],
        60,
      ),
    ).toBe(false);
  });
});

describe('drift that comes and goes', () => {
  const once: readonly Step[] = [
    [0, drifting()],
    [10, drifting()],
    [20, clean()],
  ];
  const twice: readonly Step[] = [...once, [30, drifting()], [40, drifting()]];

  test('within a day it is the same episode, and later a new one', () => {
    expect(state(once).episode).toBe(1);
    expect(state(twice).episode).toBe(1);
    const day = 24 * 60;
    const back = (minutes: number) => state([...once, [minutes - 10, drifting()], [minutes, drifting()]]).episode;
    expect(back(20 + day - 1)).toBe(1);
    expect(back(20 + day)).toBe(2);
    expect(back(20 + day * 30)).toBe(2);
  });

  test('after the second time, its end is waited for through three checks', () => {
    const held = play([...twice, [50, clean()]]);
    expect(isFlapping(play(once).state)).toBe(false);
    expect(isFlapping(held.state)).toBe(true);
    expect(held).toMatchObject({ recheckAt: at(60), state: { drift: { confirmed: true, absent: 1 } } });
    expect(state([...twice, [50, clean()], [60, clean()]]).drift).toMatchObject({ absent: 2 });
    expect(state([...twice, [50, clean()], [60, clean()], [70, clean()]])).toMatchObject({
      drift: undefined,
      ended: { at: at(70).toISOString() },
    });
    expect(state([...twice, [50, clean()], [60, drifting()], [70, clean()]]).drift).toMatchObject({ absent: 1 });
  });

  test('it is not waited for when somebody put it right, or ignores it', () => {
    expect(state([...twice, [50, clean('in_sync', 'ann')]]).drift).toBeUndefined();
    expect(state([...twice, [50, ignored(false)]]).drift).toBeUndefined();
  });

  test('after a quiet day it is drift like any other', () => {
    const later = 24 * 60 + 41;
    expect(state([...twice, [later, clean()]]).drift).toBeUndefined();
  });

  test('what was never confirmed does not count', () => {
    const steps = Array.from({ length: 20 }, (_, index): Step => [index, index % 2 === 0 ? drifting() : clean()]);
    expect(state(steps)).toEqual(NO_DRIFT);
  });
});

describe('whatever happens', () => {
  const step = fc.constantFrom<DriftObservation>(
    drifting('f1'),
    drifting('f2'),
    drifting('f1', { missing: true }),
    drifting('f1', { quiet: ACKNOWLEDGED }),
    drifting('f1', { fresh: false }),
    clean(),
    clean('pending'),
    clean('unknown'),
    ignored(),
    FAILED,
    UNKNOWN,
  );

  test('errors never open, close or change drift', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 30 }), (steps) => {
        const all = steps.map(([observation], index): Step => [index * 5, observation]);
        const withErrors = all.flatMap(([minutes, observation], index): Step[] =>
          steps[index]?.[1]
            ? [
                [minutes, FAILED],
                [minutes, observation],
              ]
            : [[minutes, observation]],
        );
        const strip = ({ errors: _errors, ...rest }: DriftState) => rest;
        expect(strip(state(withErrors))).toEqual(strip(state(all)));
      }),
    ));

  test('the record survives being written down', () =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), step, (steps, next) => {
        const reached = state(steps.map((observation, index): Step => [index, observation]));
        const read = JSON.parse(JSON.stringify(reached)) as DriftState;
        expect(state([[60, next]], 2, read)).toEqual(state([[60, next]], 2, reached));
      }),
    ));

  test('what came and went is forgotten after a day', () =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const reached = state(steps.map((observation, index): Step => [index, observation]));
        expect(state([[25 * 60, clean()]], 2, reached).turns.length).toBeLessThanOrEqual(1);
      }),
    ));
});
