import { describe, expect, test } from 'vitest';
import {
  type ApplyRequest,
  type ChosenProject,
  decideApply,
  decidePlan,
  type PlanRequest,
  type Trigger,
} from '../../../src/core/decide.ts';
import type { PullRequestState } from '../../../src/core/record.ts';
import {
  BASE,
  buildAccount,
  buildBatch,
  buildLock,
  buildNotes,
  buildPlan,
  buildProject,
  buildPullRequestRecord,
  buildRun,
  buildState,
  HEAD,
  keyOf,
  MERGE,
  OLD_HEAD,
} from '../../support/builders.ts';

const AUTOPLAN: Trigger = { kind: 'autoplan', key: 'delivery-1', actor: buildAccount(), commentId: undefined };
const COMMENT: Trigger = { kind: 'command', key: 'comment-9:0', actor: buildAccount(), commentId: '9' };

const project = (dir: string) => buildProject({ dir });
const chosen = (dir: string): ChosenProject => ({ key: keyOf(dir), project: project(dir) });
const planOf = (dir: string, some: Parameters<typeof buildRun>[0] = {}) => buildRun({ project: project(dir), ...some });
const applyOf = (dir: string, some: Parameters<typeof buildRun>[0] = {}) =>
  buildRun({ project: project(dir), id: `apply-of-${dir}`, operation: 'apply', ...some });
const ELSEWHERE = buildLock('prod', { pullRequestId: buildPullRequestRecord({ number: 8 }).id, number: 8 });

describe('a plan', () => {
  const request = (some: Partial<PlanRequest> = {}): PlanRequest => ({
    trigger: AUTOPLAN,
    projects: [chosen('prod')],
    complete: true,
    headSha: HEAD,
    baseSha: BASE,
    mergeSha: MERGE,
    notes: buildNotes(),
    ...some,
  });

  test('makes a batch of one run per project, and takes their locks', () => {
    const projects = [chosen('prod'), chosen('dev')];
    expect(decidePlan(buildState(), request({ projects }))).toEqual({
      actor: 'ann',
      event: 'plan:autoplan',
      cancel: [],
      locks: projects.map(({ key, project: of }) => ({ projectKey: key, project: of })),
      release: [],
      batch: {
        triggerKey: 'delivery-1',
        operation: 'plan',
        trigger: 'autoplan',
        actor: buildAccount(),
        headSha: HEAD,
        baseSha: BASE,
        mergeSha: MERGE,
        sourceCommentId: undefined,
        notes: buildNotes(),
        runs: projects.map(({ key, project: of }) => ({ projectKey: key, project: of })),
      },
      reactions: [],
    });
  });

  test('asked for by a comment tells its author that it was seen', () => {
    const decision = decidePlan(buildState(), request({ trigger: COMMENT }));
    expect(decision.reactions).toEqual([{ commentId: '9', reaction: 'eyes' }]);
    expect(decision.event).toBe('plan:command');
    expect(decision.batch).toMatchObject({ sourceCommentId: '9', triggerKey: 'comment-9:0', trigger: 'command' });
  });

  test('that cannot be merged makes a batch without runs, for its notes', () => {
    const { batch } = decidePlan(buildState(), request({ mergeSha: undefined }));
    expect(batch).toMatchObject({ mergeSha: undefined, runs: [] });
  });

  test.each(['on_apply', 'disabled'] as const)('takes no lock where locks are %s', (repoLocks) => {
    const projects = [{ key: keyOf('prod'), project: buildProject({ repoLocks }) }];
    const decision = decidePlan(buildState(), request({ projects }));
    expect(decision.locks).toEqual([]);
    expect(decision.batch?.runs).toHaveLength(1);
  });

  test('supersedes plans of the same project', () => {
    const open = [planOf('prod'), planOf('dev')];
    const decision = decidePlan(buildState({ open }), request({ complete: false }));
    expect(decision.cancel).toEqual([{ runId: 'run-of-prod', reason: 'Superseded by a newer plan.' }]);
  });

  test('supersedes plans of older commits, of whichever project', () => {
    const open = [planOf('dev', { batch: buildBatch({ headSha: OLD_HEAD }) })];
    const decision = decidePlan(buildState({ open }), request({ complete: false }));
    expect(decision.cancel).toEqual([{ runId: 'run-of-dev', reason: `Superseded by commit ${HEAD.slice(0, 7)}.` }]);
  });

  test('of everything supersedes every plan', () => {
    const open = [planOf('prod'), planOf('dev')];
    const decision = decidePlan(buildState({ open }), request());
    expect(decision.cancel?.map(({ runId }) => runId)).toEqual(['run-of-prod', 'run-of-dev']);
  });

  test('never stops an apply', () => {
    const open = [applyOf('prod', { state: 'running', batch: buildBatch({ headSha: OLD_HEAD }) }), applyOf('dev')];
    expect(decidePlan(buildState({ open }), request()).cancel).toEqual([]);
  });

  test('of everything gives up what it held and does not touch any more', () => {
    const state = buildState({
      locks: [buildLock('prod'), buildLock('dev')],
      plans: [buildPlan('dev'), buildPlan('lab')],
    });
    expect(decidePlan(state, request()).release).toEqual([keyOf('dev'), keyOf('lab')]);
    expect(decidePlan(state, request({ complete: false })).release).toEqual([]);
  });

  test("gives up no other pull request's lock", () => {
    const locks = [{ ...ELSEWHERE, projectKey: keyOf('dev') }];
    expect(decidePlan(buildState({ locks }), request()).release).toEqual([]);
  });

  test('gives up nothing that is applied, or that an apply is on its way to', () => {
    const locks = [buildLock('applied'), buildLock('applying'), buildLock('planning')];
    const open = [applyOf('applying'), planOf('planning')];
    const state = buildState({ locks, open, applied: [keyOf('applied')] });
    expect(decidePlan(state, request()).release).toEqual([keyOf('planning')]);
  });
});

describe('an apply', () => {
  const request = (some: Partial<ApplyRequest> = {}): ApplyRequest => ({
    trigger: COMMENT,
    command: 'holdfast apply',
    selected: undefined,
    headSha: HEAD,
    baseSha: BASE,
    notes: buildNotes(),
    word: 'holdfast',
    ...some,
  });
  const planned = (...dirs: readonly string[]): Partial<PullRequestState> => ({
    plans: dirs.map((dir) => buildPlan(dir)),
    latest: dirs.map((dir) => planOf(dir, { state: 'succeeded' })),
  });
  const expectNothing = (
    state: Partial<PullRequestState>,
    some: Partial<ApplyRequest>,
    reason: string,
    next?: string,
  ) =>
    expect(decideApply(buildState(state), request(some))).toEqual({
      actor: 'ann',
      event: 'answer:nothing_done',
      replies: [
        {
          key: 'comment-9:0',
          kind: 'command',
          view: { kind: 'nothing_done', command: 'holdfast apply', reason, next },
        },
      ],
      reactions: [{ commentId: '9', reaction: 'confused' }],
    });
  const BUSY = [
    'its projects are still being worked on',
    'Wait for the result, or comment `holdfast cancel`.',
  ] as const;
  const NO_PLAN = ['there is no plan to apply', 'Comment `holdfast plan` and read the plan first.'] as const;
  const APPLIED = 'everything that was planned is applied already';
  const EMPTY = 'the plans have no changes';

  test('makes a batch of one run per plan', () => {
    expect(decideApply(buildState(planned('prod', 'dev')), request())).toEqual({
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
    const decision = decideApply(buildState(planned('prod')), request({ trigger }));
    expect(decision).toMatchObject({ event: 'apply:button', reactions: [] });
  });

  test('applies what is selected, as it is selected', () => {
    const selected = [{ ...chosen('dev'), project: buildProject({ dir: 'dev', applyRequirements: ['approved'] }) }];
    const { batch } = decideApply(buildState(planned('prod', 'dev')), request({ selected }));
    expect(batch?.runs).toEqual([{ projectKey: keyOf('dev'), project: selected[0]?.project }]);
  });

  test('leaves out what is empty, has no plan or is being worked on', () => {
    const state = planned('prod', 'dev', 'lab');
    const plans = [buildPlan('prod'), buildPlan('dev', { empty: true }), buildPlan('lab')];
    const open = [planOf('lab')];
    const selected = ['prod', 'dev', 'lab', 'new'].map(chosen);
    for (const some of [{}, { selected }]) {
      const { batch } = decideApply(buildState({ ...state, plans, open }), request(some));
      expect(batch?.runs.map((run) => run.projectKey)).toEqual([keyOf('prod')]);
    }
  });

  test('of a plan of which no run is known is not made up', () =>
    expectNothing({ plans: [buildPlan('prod')] }, {}, ...NO_PLAN));

  test('without a plan says so', () => {
    expectNothing({}, {}, ...NO_PLAN);
    expectNothing({}, { selected: [chosen('prod')] }, ...NO_PLAN);
    expectNothing(planned('dev'), { selected: [chosen('prod')] }, ...NO_PLAN);
  });

  test('while its projects are being worked on says so', () => {
    expectNothing({ open: [planOf('prod')] }, {}, ...BUSY);
    expectNothing({ ...planned('prod'), open: [applyOf('prod')] }, {}, ...BUSY);
    expectNothing({ open: [planOf('prod'), planOf('dev')] }, { selected: ['lab', 'prod'].map(chosen) }, ...BUSY);
    expectNothing({ open: [planOf('dev')] }, { selected: [chosen('prod')] }, ...NO_PLAN);
  });

  test('when everything is applied says so', () => {
    const applied = [keyOf('prod')];
    expectNothing({ applied }, {}, APPLIED);
    expectNothing({ applied }, { selected: ['dev', 'prod'].map(chosen) }, APPLIED);
    expectNothing({ applied }, { selected: [chosen('dev')] }, ...NO_PLAN);
  });

  test('when no plan has changes says so', () => {
    const plans = [buildPlan('prod', { empty: true })];
    expectNothing({ plans }, {}, EMPTY);
    expectNothing({ plans }, { selected: ['dev', 'prod'].map(chosen) }, EMPTY);
    expectNothing({ plans }, { selected: [chosen('dev')] }, ...NO_PLAN);
  });
});
