import { describe, expect, test } from 'vitest';
import { EMPTY_SELECTION, type ProjectSelection } from '../../../src/core/command.ts';
import { type ApplyRequest, decideApply } from '../../../src/core/decide-apply.ts';
import type { ChosenProject, Trigger } from '../../../src/core/decide.ts';
import type { PullRequestState } from '../../../src/core/record.ts';
import {
  BASE,
  buildAccount,
  buildBatch,
  buildNotes,
  buildPlan,
  buildProject,
  buildRun,
  buildState,
  HEAD,
  keyOf,
  OLD_HEAD,
} from '../../support/builders.ts';

const COMMENT: Trigger = { kind: 'command', key: 'comment-9:0', actor: buildAccount(), commentId: '9' };

const project = (dir: string) => buildProject({ dir });
const chosen = (dir: string): ChosenProject => ({ key: keyOf(dir), project: project(dir) });
const planOf = (dir: string, some: Parameters<typeof buildRun>[0] = {}) => buildRun({ project: project(dir), ...some });
const applyOf = (dir: string, some: Parameters<typeof buildRun>[0] = {}) =>
  buildRun({ project: project(dir), id: `apply-of-${dir}`, operation: 'apply', ...some });
const select = (...dirs: readonly string[]): ProjectSelection => ({ ...EMPTY_SELECTION, dirs });

const request = (some: Partial<ApplyRequest> = {}): ApplyRequest => ({
  trigger: COMMENT,
  command: 'holdfast apply',
  selection: EMPTY_SELECTION,
  known: [],
  touched: [],
  headSha: HEAD,
  baseSha: BASE,
  notes: buildNotes(),
  word: 'holdfast',
  ...some,
});
/** Planned, each with changes. */
const planned = (...dirs: readonly string[]): Partial<PullRequestState> => ({
  plans: dirs.map((dir) => buildPlan(dir)),
  latest: dirs.map((dir) => planOf(dir, { state: 'succeeded' })),
});
const decide = (state: Partial<PullRequestState>, some: Partial<ApplyRequest> = {}) =>
  decideApply(buildState(state), request(some));
const decideOn = (state: Partial<PullRequestState>, selection: ProjectSelection, ...known: readonly string[]) =>
  decide(state, { selection, known: known.map(chosen) });
const runsOf = (decision: ReturnType<typeof decide>) => decision.batch?.runs.map((run) => run.project.dir);
const viewOf = (decision: ReturnType<typeof decide>) => decision.replies?.[0]?.view;

describe('an apply', () => {
  test('makes a batch of one run per plan', () => {
    expect(decide(planned('prod', 'dev'))).toEqual({
      actor: 'ann',
      event: 'apply:command',
      batch: {
        triggerKey: 'comment-9:0',
        operation: 'apply',
        trigger: 'command',
        actor: buildAccount(),
        headSha: HEAD,
        baseSha: BASE,
        mergeSha: undefined,
        sourceCommentId: '9',
        notes: buildNotes(),
        runs: ['prod', 'dev'].map((dir) => ({ projectKey: keyOf(dir), project: project(dir) })),
      },
      reactions: [{ commentId: '9', reaction: 'eyes' }],
    });
  });

  test('of a button has no comment to react to', () => {
    const trigger: Trigger = { ...COMMENT, kind: 'button', commentId: undefined };
    expect(decide(planned('prod'), { trigger })).toMatchObject({ event: 'apply:button', reactions: [] });
  });

  test('goes in the order of the config, with what the config says of each project now', () => {
    const known = [chosen('dev'), { key: keyOf('prod'), project: buildProject({ applyRequirements: ['approved'] }) }];
    const { batch } = decide(planned('prod', 'gone', 'dev'), { known });
    expect(batch?.runs.map((run) => [run.project.dir, run.project.applyRequirements])).toEqual([
      ['dev', []],
      ['prod', ['approved']],
      ['gone', []],
    ]);
  });

  test('of two projects with one key applies the first', () => {
    const known = [
      { key: keyOf('prod'), project: buildProject({ name: 'a' }) },
      { key: keyOf('prod'), project: buildProject({ name: 'b' }) },
    ];
    const { batch } = decide(planned('prod'), { known });
    expect(batch?.runs.map((run) => run.project.name)).toEqual(['a']);
  });
});

describe('what is selected', () => {
  test('alone is applied', () => {
    expect(runsOf(decideOn(planned('prod', 'dev'), select('dev'), 'prod', 'dev'))).toEqual(['dev']);
    expect(decideOn(planned('prod', 'dev'), select('dev'), 'prod', 'dev').batch?.notes.leftOut).toBeUndefined();
  });

  test('may be a project that only a command has named, and that config and discovery do not know', () => {
    expect(runsOf(decideOn(planned('modules/x'), select('modules/x')))).toEqual(['modules/x']);
  });

  test('by a glob is of this pull request, and by name anything', () => {
    const state = planned('prod/a');
    const byGlob = decideOn(state, select('prod/*'), 'prod/a', 'prod/b', 'prod/c');
    expect(runsOf(byGlob)).toEqual(['prod/a']);
    expect(byGlob.batch?.notes.leftOut).toBeUndefined();
    const byBoth = decideOn(state, select('prod/*', 'prod/b'), 'prod/a', 'prod/b', 'prod/c');
    expect(byBoth.batch?.notes.leftOut?.unmet.map((one) => one.project)).toEqual(['prod/b']);
  });

  test('by a name that there is not is answered with those there are', () => {
    const selection = { ...EMPTY_SELECTION, project: 'netwrk' };
    const known = [{ key: keyOf('prod'), project: buildProject({ name: 'network' }) }];
    expect(viewOf(decide({ ...planned('dev'), open: [planOf('dev')] }, { selection, known }))).toEqual({
      kind: 'nothing_done',
      command: 'holdfast apply',
      reason: 'There is no project with name "netwrk". Did you mean "network"? There are: network.',
      next: undefined,
    });
  });

  test('and means nothing is named beside what is applied', () => {
    const decision = decideOn(planned('prod'), select('prod', 'nowhere', 'lab/*'), 'prod');
    expect(runsOf(decision)).toEqual(['prod']);
    expect(decision.batch?.notes.leftOut?.unmet).toEqual([
      {
        project: 'nowhere',
        what: 'there is no plan to apply',
        next: 'Comment `holdfast plan -d nowhere` and read the plan first.',
      },
      {
        project: 'lab/*',
        what: 'it matches no project of this pull request',
        next: 'Name directories as the plan comment does.',
      },
    ]);
  });

  test('by a workspace alone means the top directory', () => {
    const selection = { ...EMPTY_SELECTION, workspace: 'blue' };
    expect(viewOf(decideOn(planned('prod'), selection, 'prod'))).toMatchObject({
      kind: 'refused',
      unmet: [{ project: '. (blue)', next: 'Comment `holdfast plan -w blue` and read the plan first.' }],
    });
  });
});

describe('what is left out of an apply', () => {
  const PLAN = (dir: string) => `Comment \`holdfast plan -d ${dir}\` and read the plan first.`;
  const begun = { applyStartedAt: new Date('2026-11-21T12:00:00Z') };
  const cases: readonly (readonly [why: string, of: Partial<PullRequestState>, what: string, next: string])[] = [
    [
      'being planned',
      { open: [planOf('lab')] },
      'it is being planned',
      'Wait for the plan and read it, then apply it.',
    ],
    [
      'planned anew',
      { open: [planOf('lab', { state: 'running' })], plans: [buildPlan('lab')] },
      'it is being planned',
      'Wait for the plan and read it, then apply it.',
    ],
    [
      'being applied',
      { open: [applyOf('lab')], plans: [buildPlan('lab')], latest: [planOf('lab', { state: 'succeeded' })] },
      'it is being applied already',
      'Wait for the result, or comment `holdfast cancel`.',
    ],
    ['failed', { latest: [planOf('lab', { state: 'failed' })] }, 'its plan failed', PLAN('lab')],
    [
      'failed after one that did not',
      { latest: [planOf('lab', { state: 'failed' })], plans: [buildPlan('lab')] },
      'its plan failed',
      PLAN('lab'),
    ],
    ['cancelled', { latest: [planOf('lab', { state: 'cancelled' })] }, 'its plan was cancelled', PLAN('lab')],
    ['given up', { latest: [planOf('lab', { state: 'succeeded' })] }, 'there is no plan to apply', PLAN('lab')],
    [
      'interrupted',
      { latest: [planOf('lab', { state: 'succeeded' }), applyOf('lab', { state: 'interrupted', ...begun })] },
      'an apply was interrupted and its outcome is unknown',
      PLAN('lab'),
    ],
    [
      'failed in the midst of an apply',
      { latest: [planOf('lab', { state: 'succeeded' }), applyOf('lab', { state: 'failed', ...begun })] },
      'an apply failed in the midst, and its plan is spent',
      PLAN('lab'),
    ],
  ];

  test.each(cases)('%s: said with what to do, whether it was named or not', (_why, of, what, next) => {
    const ready = planned('prod');
    const state = {
      open: of.open ?? [],
      plans: [...(ready.plans ?? []), ...(of.plans ?? [])],
      latest: [...(ready.latest ?? []), ...(of.latest ?? [])],
    };
    const leftOut = { unmet: [{ project: 'lab', what, next }], applied: [], unchanged: [] };
    const known = [chosen('prod'), chosen('lab')];
    for (const selection of [EMPTY_SELECTION, select('prod', 'lab')]) {
      const { batch } = decide(state, { selection, known });
      expect(batch?.runs.map((run) => run.project.dir)).toEqual(['prod']);
      expect(batch?.notes).toEqual(buildNotes({ leftOut }));
    }
    expect(decide({ ...state, plans: of.plans ?? [] }, { selection: select('lab'), known })).toEqual({
      actor: 'ann',
      event: 'answer:refused',
      replies: [
        {
          key: 'comment-9:0',
          kind: 'command',
          view: {
            kind: 'refused',
            command: 'holdfast apply',
            actor: 'ann',
            unmet: leftOut.unmet,
            settled: { applied: [], unchanged: [] },
          },
        },
      ],
      reactions: [{ commentId: '9', reaction: 'confused' }],
    });
  });

  test('because of its own past alone, not of that of another project, or of an apply that never began', () => {
    const latest = [
      planOf('lab', { state: 'succeeded' }),
      applyOf('lab', { state: 'failed' }),
      applyOf('other', { state: 'interrupted', ...begun }),
    ];
    const { replies } = decide({ latest }, { selection: select('lab'), known: [chosen('lab')] });
    expect(replies?.[0]?.view).toMatchObject({ unmet: [{ project: 'lab', what: 'there is no plan to apply' }] });
  });

  test('touched by the newest commit and never planned: said; not touched by it any more: not a word', () => {
    const before = buildBatch({ headSha: OLD_HEAD });
    const state = {
      ...planned('prod'),
      latest: [planOf('prod', { state: 'succeeded' }), planOf('gone', { state: 'failed', batch: before })],
    };
    const { batch } = decide(state, {
      known: ['prod', 'new', 'other'].map(chosen),
      touched: ['prod', 'new'].map(chosen),
    });
    expect(batch?.notes.leftOut?.unmet).toEqual([
      { project: 'new', what: 'there is no plan to apply', next: PLAN('new') },
    ]);
  });

  test('failed at the newest planned commit, while a newer one is not planned yet: said', () => {
    const planBatch = buildBatch({ headSha: OLD_HEAD });
    const latest = [planOf('lab', { state: 'failed', batch: planBatch })];
    expect(viewOf(decide({ planBatch, latest }))).toMatchObject({ kind: 'refused', unmet: [{ project: 'lab' }] });
  });

  test('applied before, or without changes: told apart from what needs to be seen to', () => {
    const state = {
      ...planned('prod'),
      plans: [buildPlan('prod'), buildPlan('same', { empty: true })],
      applied: [keyOf('done')],
    };
    const known = ['prod', 'same', 'done'].map(chosen);
    for (const selection of [EMPTY_SELECTION, select('prod', 'same', 'done')])
      expect(decide(state, { selection, known }).batch?.notes.leftOut).toEqual({
        unmet: [],
        applied: ['done'],
        unchanged: ['same'],
      });
    const left = { ...state, plans: [buildPlan('same', { empty: true })] };
    expect(viewOf(decide({ ...left, open: [planOf('prod')] }, { known }))).toMatchObject({
      kind: 'refused',
      unmet: [{ project: 'prod' }],
      settled: { applied: ['done'], unchanged: ['same'] },
    });
  });
});

describe('an apply that finds nothing to do', () => {
  const expectNothing = (state: Partial<PullRequestState>, reason: string, next?: string) => {
    const view = { kind: 'nothing_done', command: 'holdfast apply', reason, next };
    expect(decide(state, { known: [chosen('prod')] })).toEqual({
      actor: 'ann',
      event: 'answer:nothing_done',
      replies: [{ key: 'comment-9:0', kind: 'command', view }],
      reactions: [{ commentId: '9', reaction: 'confused' }],
    });
  };
  const NO_PLAN = ['there is no plan to apply', 'Comment `holdfast plan` and read the plan first.'] as const;

  test('says so when nothing of the pull request is known', () => expectNothing({}, ...NO_PLAN));

  test('of a plan of which no run is known makes nothing up', () =>
    expectNothing({ plans: [buildPlan('dev')] }, ...NO_PLAN));

  test('says so when everything is applied', () =>
    expectNothing(
      { applied: [keyOf('prod')], latest: [applyOf('prod', { state: 'succeeded' })] },
      'everything that was planned is applied already',
    ));

  test('says so when no plan has changes', () =>
    expectNothing({ plans: [buildPlan('prod', { empty: true })] }, 'the plans have no changes'));
});
