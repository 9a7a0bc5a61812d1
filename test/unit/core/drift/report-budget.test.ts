import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planReports, type ReportedProject } from '../../../../src/core/drift/report-budget.ts';
import { keyOf } from '../../../support/builders.ts';
import { at } from './drift-fixture.ts';

function project(name: string, some: Partial<ReportedProject> = {}): ReportedProject {
  return {
    key: keyOf(name),
    reportable: true,
    failing: false,
    deletion: false,
    firstSeenAt: at(0),
    open: false,
    ...some,
  };
}

const keys = (...names: readonly string[]) => names.map(keyOf);
const refused = (projects: readonly ReportedProject[], max: number) => [
  ...planReports(projects, 'issues', max).refusals.keys(),
];

describe('an issue per project', () => {
  test('as many as may be open, and one more for the rest', () => {
    const projects = ['a', 'b', 'c', 'd'].map((name) => project(name));
    expect(planReports(projects, 'issues', 4)).toEqual({
      refusals: new Map(),
      summary: { beyond: [], failing: [] },
      dashboard: false,
    });
    expect(planReports(projects.toReversed(), 'issues', 2)).toEqual({
      refusals: new Map(
        keys('c', 'd').map((key) => [key, 'There are more than 2 open drift reports; this one is listed with others.']),
      ),
      summary: { beyond: keys('c', 'd'), failing: [] },
      dashboard: false,
    });
  });

  test('issues that are open stay, also when there are too many of them by now', () => {
    const open = ['x', 'y', 'z'].map((name) => project(name, { open: true, firstSeenAt: at(50) }));
    const urgent = project('a', { deletion: true });
    expect(refused([urgent, ...open], 3)).toEqual(keys('a'));
    expect(refused([urgent, ...open], 1)).toEqual(keys('a'));
    expect(refused([urgent, ...open], 4)).toEqual([]);
  });

  test('what is gone comes first, then what has drifted longest', () => {
    const projects = [
      project('new', { firstSeenAt: at(9) }),
      project('old', { firstSeenAt: at(1) }),
      project('gone', { firstSeenAt: at(10), deletion: true }),
      project('unknown', { firstSeenAt: undefined }),
    ];
    expect(refused(projects, 1)).toEqual(keys('unknown', 'old', 'new'));
    expect(refused(projects, 2)).toEqual(keys('old', 'new'));
    expect(refused(projects, 3)).toEqual(keys('new'));
  });

  test('whoever has nothing to report takes no place', () => {
    const projects = [project('a', { reportable: false, open: true }), project('b'), project('c')];
    expect(refused(projects, 1)).toEqual(keys('c'));
  });

  test('projects whose checks fail are told of in the same issue, whether they drift or not', () => {
    const projects = [
      project('z', { reportable: false, failing: true }),
      project('b'),
      project('a', { failing: true, open: true }),
    ];
    expect(planReports(projects, 'issues', 5).summary).toEqual({ beyond: [], failing: keys('a', 'z') });
    expect(refused(projects, 5)).toEqual([]);
  });

  test('however many there are, never more are open than may be, unless they were', () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ reportable: fc.boolean(), open: fc.boolean(), deletion: fc.boolean() }), {
          maxLength: 30,
        }),
        fc.integer({ min: 1, max: 10 }),
        (some, max) => {
          const projects = some.map((one, index) => project(`p${index}`, one));
          const { refusals, summary } = planReports(projects, 'issues', max);
          const drifting = projects.filter((one) => one.reportable);
          const own = drifting.filter((one) => !refusals.has(one.key));
          const open = drifting.filter((one) => one.open);
          expect(own.length).toBe(Math.min(drifting.length, Math.max(max, open.length)));
          expect(open.every((one) => own.includes(one))).toBe(true);
          expect(summary.beyond.length + own.length).toBe(drifting.length);
        },
      ),
    ));
});

describe('other places', () => {
  const projects = [project('a', { open: true, failing: true }), project('b', { reportable: false })];

  test('a dashboard lists everything, and nobody has an issue of their own', () => {
    const sentence = 'The drift of this repository is shown on its dashboard now.';
    expect(planReports(projects, 'dashboard', 1)).toEqual({
      refusals: new Map(keys('a', 'b').map((key) => [key, sentence])),
      summary: { beyond: [], failing: [] },
      dashboard: true,
    });
  });

  test('the pages only', () => {
    const sentence = 'The drift of this repository is shown on the pages of Holdfast only.';
    expect(planReports(projects, 'none', 1)).toEqual({
      refusals: new Map(keys('a', 'b').map((key) => [key, sentence])),
      summary: { beyond: [], failing: [] },
      dashboard: false,
    });
  });
});
