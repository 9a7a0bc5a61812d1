import type { PullRequest } from '../../src/core/pull-request.ts';
import { projectTitle } from '../../src/core/project.ts';
import type { PlanSummary } from '../../src/core/plan.ts';
import type { PlanRecord, PullRequestState, RunRecord } from '../../src/core/record.ts';
import type { WorkerContext } from '../context.ts';

/** A project with the runs that say where it stands. */
export interface ProjectRuns {
  /** The newest run of its plan. */
  readonly plan: RunRecord;
  /** The newest apply since then. */
  readonly apply: RunRecord | undefined;
  /** What may be applied now, if anything. */
  readonly current: PlanRecord | undefined;
  /** The apply that found the approved plan outdated and left its own, when that is the current one. */
  readonly verified: RunRecord | undefined;
}

/** Projects of the newest commit, and earlier ones that still have a plan or were applied. */
export async function currentProjects(
  { runs }: Pick<WorkerContext, 'runs'>,
  state: PullRequestState,
): Promise<readonly ProjectRuns[]> {
  const head = state.planBatch?.headSha ?? state.pull.headSha;
  const held = new Set([...state.plans.map((plan) => plan.projectKey), ...state.applied]);
  const plans = state.latest
    .filter((run) => run.operation === 'plan')
    .filter((run) => run.batch.headSha === head || held.has(run.projectKey))
    .toSorted((a, b) => (projectTitle(a.project) < projectTitle(b.project) ? -1 : 1));
  const rows = plans.map((plan) => {
    const current = state.plans.find((one) => one.projectKey === plan.projectKey);
    return { plan, apply: laterApply(state, plan), current };
  });
  const others = rows.flatMap(({ plan, current }) =>
    current === undefined || current.runId === plan.id ? [] : [current.runId],
  );
  const verified = new Map((await runs.findRuns(others)).map((run) => [run.id, run]));
  return rows.map((row) => ({ ...row, verified: row.current && verified.get(row.current.runId) }));
}

function laterApply(state: PullRequestState, plan: RunRecord): RunRecord | undefined {
  return state.latest.find(
    (run) => run.operation === 'apply' && run.projectKey === plan.projectKey && run.queuedAt >= plan.queuedAt,
  );
}

/** There is something in it to apply, whether it may be or not. */
export function isToBeApplied(row: ProjectRuns): boolean {
  return row.current !== undefined && !row.current.empty;
}

/** Its plan may be looked at only: it comes from a fork, or its state would be lost. */
export function isNeverApplied(pull: Pick<PullRequest, 'fork'>, { plan }: ProjectRuns): boolean {
  return pull.fork || (plan.result?.kind === 'planned' && plan.result.applyRefusal !== undefined);
}

/** Facts of the plan that counts: the newest one, or the fresh one that a verification left in its place. */
export function planFacts({ plan, verified }: ProjectRuns): PlanSummary | undefined {
  if (verified?.result?.kind === 'plan_changed') return verified.result.summary;
  return plan.result?.kind === 'planned' ? plan.result.summary : undefined;
}
