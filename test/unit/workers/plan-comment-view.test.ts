import { describe, expect, test } from 'vitest';
import type { RunResult } from '../../../src/core/batch.ts';
import type { PlanRecord } from '../../../src/core/record.ts';
import type { PullRequest } from '../../../src/core/pull-request.ts';
import type { WorkerContext } from '../../../workers/context.ts';
import { currentProjects } from '../../../workers/views/current-projects.ts';
import { planCommentView } from '../../../workers/views/plan-comment-view.ts';
import {
  buildBatch,
  buildPlan,
  buildProject,
  buildPullRequestRecord,
  buildRun,
  buildState,
} from '../../support/builders.ts';
import { counts } from '../../support/plan-comment-view.ts';

const context = {
  publicUrl: 'https://h.example',
  config: { triggers: ['holdfast'], sandbox: { kind: 'bubblewrap' } },
  runs: { findRuns: async () => [], queuePositions: async () => new Map(), findLastApplies: async () => new Map() },
  pulls: { readPlanTexts: async () => new Map() },
  reports: { findDrifting: async () => [] },
} as unknown as WorkerContext;

interface Given {
  readonly pull?: Partial<PullRequest>;
  readonly plan?: Partial<PlanRecord>;
  readonly applyRefusal?: string;
}

/** One project, planned with changes. */
async function viewOf({ pull = {}, plan = {}, applyRefusal }: Given) {
  const empty = plan.empty ?? false;
  const summary = { empty, counts: counts({ add: 1 }), changes: [], drifted: [], checks: [], canonicalDigest: '' };
  const result: RunResult = { kind: 'planned', summary, warnings: [], applyRefusal };
  const project = buildProject({ applyRequirements: ['approved'] });
  const state = buildState({
    pull: buildPullRequestRecord(pull),
    planBatch: buildBatch(),
    latest: [buildRun({ project, state: 'succeeded', result })],
    plans: [buildPlan('prod', plan)],
  });
  const view = await planCommentView(context, state, await currentProjects(context, state));
  const [row] = view?.projects ?? [];
  if (view === undefined || row === undefined) throw new Error('there is nothing to see');
  return { ...view, row };
}

test('a project that is still to be applied and drifts is told of, with its report', async () => {
  const since = new Date('2026-11-20T08:00:00Z');
  const issue = { number: 5, url: 'https://h.example/5' };
  const asked: (readonly string[])[] = [];
  const reports = {
    findDrifting: async (keys: readonly string[]) => {
      asked.push(keys);
      return keys.map((projectKey) => ({ projectKey, firstSeenAt: since, issue }));
    },
  };
  const telling = { ...context, reports } as unknown as WorkerContext;
  const [planned, applied] = ['prod', 'dev'].map((dir) =>
    buildRun({ project: buildProject({ dir }), state: 'succeeded' }),
  );
  if (planned === undefined || applied === undefined) throw new Error('there are two');
  const state = buildState({ planBatch: buildBatch(), latest: [planned, applied], plans: [buildPlan('prod')] });
  const view = await planCommentView(telling, state, await currentProjects(telling, state));
  expect(asked).toEqual([[planned.projectKey]]);
  expect(view?.drifting).toEqual([{ title: 'prod', since, issue: { pullNumber: 5, url: issue.url } }]);
});

test('the record is asked as often for many projects as for one', async () => {
  const asked: string[] = [];
  const noting = (name: string, answer: unknown) => async () => {
    asked.push(name);
    return answer;
  };
  const counted = {
    ...context,
    runs: {
      findRuns: noting('runs', []),
      queuePositions: noting('positions', new Map()),
      findLastApplies: noting('applies', new Map()),
    },
    pulls: { readPlanTexts: noting('texts', new Map()) },
    reports: { findDrifting: noting('drift', []) },
  } as unknown as WorkerContext;
  const latest = ['a', 'b', 'c'].map((dir) => buildRun({ project: buildProject({ dir }) }));
  const state = buildState({ planBatch: buildBatch(), latest, open: latest });
  const view = await planCommentView(counted, state, await currentProjects(counted, state));
  expect(view?.projects).toHaveLength(3);
  expect(asked.toSorted()).toEqual(['applies', 'drift', 'positions', 'runs', 'texts']);
});

describe('the view of a plan', () => {
  test('that can be applied names what an apply asks for, and nothing that is missing', async () => {
    const { row, requirements } = await viewOf({});
    expect(row.state).toEqual({ kind: 'planned' });
    expect(row.applyRequirements).toEqual(['approved']);
    expect(requirements).toEqual([]);
  });

  test('of a draft names what is missing before an apply, where there is something to apply', async () => {
    const draft = { pull: { draft: true } };
    expect((await viewOf(draft)).requirements.map(({ what }) => what)).toEqual(['the pull request is a draft']);
    expect((await viewOf({ ...draft, plan: { empty: true } })).requirements).toEqual([]);
  });

  test('whose state would be lost is for looking at only, as is that of a fork', async () => {
    expect((await viewOf({ applyRefusal: 'no `backend` block' })).row).toMatchObject({
      state: { kind: 'plan_only' },
      explanation: 'no `backend` block',
    });
    const fork = await viewOf({ pull: { fork: true } });
    expect(fork.row.state).toEqual({ kind: 'plan_only' });
    expect(fork.requirements.map(({ what }) => what)).toEqual([
      'the pull request comes from a fork, and code from a fork is never applied',
    ]);
  });

  test('that was made for another base branch is outdated, and still told as what it is', async () => {
    const { row, baseRef } = await viewOf({ pull: { baseRef: 'prod' } });
    expect(baseRef).toBe('main');
    expect(row.state).toEqual({
      kind: 'outdated',
      reason:
        'the plan was made for the base branch `main`, and the pull request now goes into `prod`. Comment `holdfast plan` and read the new plan.',
    });
  });
});
