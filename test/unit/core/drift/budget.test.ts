import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseStarts, type BudgetFacts, type DueCheck } from '../../../../src/core/drift/budget.ts';
import { keyOf } from '../../../support/builders.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const ago = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);

function check(name: string, some: Partial<DueCheck> = {}): DueCheck {
  return {
    key: keyOf(name),
    repositoryId: 'r',
    credentials: [],
    dueAt: ago(1),
    lastCheckAt: ago(360),
    requested: false,
    ...some,
  };
}

const NO_LIMITS = {
  maxConcurrent: undefined,
  perRepository: undefined,
  perCredential: undefined,
  startsPerMinute: 1_000,
};

function facts(some: Partial<BudgetFacts>): BudgetFacts {
  return { due: [], running: [], startedLastMinute: 0, slots: 100, pullRequestRuns: 0, limits: NO_LIMITS, ...some };
}

function names(some: Partial<BudgetFacts>): readonly string[] {
  return chooseStarts(facts(some)).map((one) => one.key.split('/')[2] ?? '');
}

const limits = (some: Partial<BudgetFacts['limits']>) => ({ ...NO_LIMITS, ...some });
const many = (count: number, some: Partial<DueCheck> = {}) =>
  Array.from({ length: count }, (_, index) => check(`p${String(index).padStart(3, '0')}`, some));

describe('who is first', () => {
  test('whoever a person asked for, then whoever was checked least recently, then whoever is due longest', () => {
    const due = [
      check('recent', { lastCheckAt: ago(10) }),
      check('old', { lastCheckAt: ago(1_000) }),
      check('never', { lastCheckAt: undefined }),
      check('asked', { lastCheckAt: ago(5), requested: true }),
      check('old, due later', { lastCheckAt: ago(1_000), dueAt: ago(0) }),
      check('asked and older', { lastCheckAt: ago(7), requested: true }),
    ];
    const wanted = ['asked and older', 'asked', 'never', 'old', 'old, due later', 'recent'].map((name) =>
      encodeURIComponent(name),
    );
    expect(names({ due })).toEqual(wanted);
    expect(names({ due: due.toReversed() })).toEqual(wanted);
  });

  test('of equals the order is always the same', () => {
    const due = [check('b'), check('a'), check('c')];
    expect(names({ due })).toEqual(['a', 'b', 'c']);
    expect(names({ due: due.toReversed() })).toEqual(['a', 'b', 'c']);
  });

  test('what was given is not put into another order', () => {
    const due = Object.freeze([check('b'), check('a')]);
    expect(names({ due })).toEqual(['a', 'b']);
  });
});

describe('how many', () => {
  const starts = (some: Partial<BudgetFacts>) => names({ due: many(50), ...some }).length;
  const running = (count: number) => Array.from({ length: count }, () => ({ repositoryId: 'other', credentials: [] }));

  test('half of the workers at most, and one at least', () => {
    expect(starts({ slots: 10 })).toBe(5);
    expect(starts({ slots: 11 })).toBe(5);
    expect(starts({ slots: 1 })).toBe(1);
    expect(starts({ slots: 0 })).toBe(0);
    expect(starts({ slots: 10, running: running(3) })).toBe(2);
    expect(starts({ slots: 10, running: running(7) })).toBe(0);
  });

  test('pull requests first: what they run and wait for is not there', () => {
    expect(starts({ slots: 10, pullRequestRuns: 5 })).toBe(5);
    expect(starts({ slots: 10, pullRequestRuns: 7 })).toBe(3);
    expect(starts({ slots: 10, pullRequestRuns: 7, running: running(2) })).toBe(1);
    expect(starts({ slots: 10, pullRequestRuns: 40 })).toBe(0);
    expect(starts({ slots: 1, pullRequestRuns: 1 })).toBe(0);
  });

  test('as many at once as the config says', () => {
    expect(starts({ limits: limits({ maxConcurrent: 3 }) })).toBe(3);
    expect(starts({ limits: limits({ maxConcurrent: 3 }), running: running(2) })).toBe(1);
    expect(starts({ limits: limits({ maxConcurrent: 3 }), running: running(5) })).toBe(0);
    expect(starts({ limits: limits({ maxConcurrent: 80 }) })).toBe(50);
  });

  test('as many within a minute as the pace says', () => {
    expect(starts({ limits: limits({ startsPerMinute: 7 }) })).toBe(7);
    expect(starts({ limits: limits({ startsPerMinute: 7 }), startedLastMinute: 5 })).toBe(2);
    expect(starts({ limits: limits({ startsPerMinute: 7 }), startedLastMinute: 7 })).toBe(0);
  });

  test('what people ask for may have all idle workers, whatever the pace, and is held to the other limits', () => {
    const due = many(50, { requested: true });
    expect(starts({ due, slots: 10, limits: limits({ startsPerMinute: 1 }) })).toBe(10);
    expect(starts({ due, slots: 10, pullRequestRuns: 4 })).toBe(6);
    expect(starts({ due, slots: 10, limits: limits({ maxConcurrent: 2 }) })).toBe(2);
    expect(starts({ due, slots: 10, limits: limits({ perRepository: 3 }) })).toBe(3);
    const both = [...many(4), check('asked', { requested: true })];
    expect(names({ due: both, slots: 4, limits: limits({ startsPerMinute: 1 }) })).toEqual(['asked', 'p000']);
    expect(names({ due: both, slots: 4 })).toEqual(['asked', 'p000']);
  });
});

describe('per repository and credential', () => {
  test('one that has its share makes way for others', () => {
    const due = [...many(3, { repositoryId: 'a', lastCheckAt: undefined }), check('other', { repositoryId: 'b' })];
    expect(names({ due, limits: limits({ perRepository: 2 }) })).toEqual(['p000', 'p001', 'other']);
    const running = [{ repositoryId: 'a', credentials: [] }];
    expect(names({ due, running, limits: limits({ perRepository: 2 }) })).toEqual(['p000', 'other']);
  });

  test('a check needs room with every credential it is given', () => {
    const due = [
      check('a', { credentials: ['aws', 'dns'] }),
      check('b', { credentials: ['aws'] }),
      check('c', { credentials: ['dns'] }),
      check('d', { credentials: ['gcp'] }),
      check('e'),
    ];
    expect(names({ due, limits: limits({ perCredential: 1 }) })).toEqual(['a', 'd', 'e']);
    const running = [{ repositoryId: 'x', credentials: ['dns'] }];
    expect(names({ due, running, limits: limits({ perCredential: 1 }) })).toEqual(['b', 'd', 'e']);
  });
});

test('no limit is ever exceeded, and nothing is left waiting that would fit', () =>
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          repositoryId: fc.constantFrom('a', 'b', 'c'),
          credential: fc.constantFrom('x', 'y'),
          requested: fc.boolean(),
        }),
        { maxLength: 30 },
      ),
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 0, max: 10 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 30 }),
      (entries, slots, pullRequestRuns, perRepository, perCredential, startsPerMinute) => {
        const due = entries.map(({ credential, ...one }, index) =>
          check(`p${index}`, { ...one, credentials: [credential] }),
        );
        const started = chooseStarts(
          facts({ due, slots, pullRequestRuns, limits: limits({ perRepository, perCredential, startsPerMinute }) }),
        );
        const clock = started.filter((one) => !one.requested).length;
        const most = (of: (one: DueCheck) => unknown) =>
          Math.max(0, ...[...Map.groupBy(started, of).values()].map((group) => group.length));
        expect(started.length).toBeLessThanOrEqual(Math.max(0, slots - pullRequestRuns));
        expect(clock).toBeLessThanOrEqual(Math.min(startsPerMinute, Math.max(1, Math.floor(slots / 2))));
        expect(most((one) => one.repositoryId)).toBeLessThanOrEqual(perRepository);
        expect(most((one) => one.credentials[0])).toBeLessThanOrEqual(perCredential);
        if (started.length >= slots - pullRequestRuns) return;
        for (const one of due) {
          if (started.includes(one) || !one.requested) continue;
          const alike = started.filter((other) => other.repositoryId === one.repositoryId).length;
          const shared = started.filter((other) => other.credentials[0] === one.credentials[0]).length;
          expect(alike === perRepository || shared === perCredential).toBe(true);
        }
      },
    ),
  ));
