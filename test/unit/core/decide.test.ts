import { describe, expect, test } from 'vitest';
import { type ChosenProject, decidePlan, type PlanRequest, type Trigger } from '../../../src/core/decide.ts';
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
