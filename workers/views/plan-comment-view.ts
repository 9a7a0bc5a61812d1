import type { PlanCommentView, ProjectRowView, ProjectStateView } from '../../src/comments/view.ts';
import { projectTitle } from '../../src/core/project.ts';
import type { ProjectLock, PullRequestState, RunRecord } from '../../src/core/record.ts';
import { planTextContext } from '../../src/core/sealed-contexts.ts';
import type { WorkerContext } from '../context.ts';
import { readRunOutput } from '../read-run-output.ts';
import { removedRootView } from './removed-root-view.ts';

/** What the one comment of a pull request shows now; undefined while there is nothing to say about it. */
export async function planCommentView(
  context: WorkerContext,
  state: PullRequestState,
): Promise<PlanCommentView | undefined> {
  const notes = state.planBatch?.notes;
  const rows = currentProjects(state);
  const worthSaying =
    rows.length > 0 ||
    (notes !== undefined && notes.configProblems.length + notes.removedRoots.length + notes.explanations.length > 0);
  if (notes === undefined || !worthSaying) return undefined;
  const { pull } = state;
  const [first = 'holdfast', ...others] = context.config.triggers;
  return {
    id: pull.id.replaceAll(/[^A-Za-z0-9_-]/g, '-'),
    pullNumber: pull.number,
    pullState: pull.state,
    headSha: state.planBatch?.headSha ?? pull.headSha,
    baseRef: pull.baseRef,
    mergeNote: notes.mergeNote,
    triggers: [first, ...others],
    projects: await Promise.all(rows.map((row) => projectRow(context, state, row))),
    removedRoots: notes.removedRoots.map((dir) => removedRootView(dir, pull)),
    explanations: notes.explanations,
    configProblems: notes.configProblems,
    requirements: [],
    sandbox: context.config.sandbox.kind,
    pageUrl: `${context.publicUrl}/runs?pull=${encodeURIComponent(pull.id)}`,
  };
}

/** A project with the runs that say where it stands. */
interface ProjectRuns {
  readonly plan: RunRecord;
  readonly apply: RunRecord | undefined;
}

/** Projects of the newest commit, and earlier ones that still have a plan or a lock. */
export function currentProjects(state: PullRequestState): readonly ProjectRuns[] {
  const head = state.planBatch?.headSha ?? state.pull.headSha;
  const held = new Set([...state.plans.map((plan) => plan.projectKey), ...state.applied]);
  const plans = state.latest.filter((run) => run.operation === 'plan');
  return plans
    .filter((run) => run.batch.headSha === head || held.has(run.projectKey))
    .map((plan) => ({ plan, apply: laterApply(state, plan) }))
    .toSorted((a, b) => (projectTitle(a.plan.project) < projectTitle(b.plan.project) ? -1 : 1));
}

function laterApply(state: PullRequestState, plan: RunRecord): RunRecord | undefined {
  return state.latest.find(
    (run) => run.operation === 'apply' && run.projectKey === plan.projectKey && run.queuedAt >= plan.queuedAt,
  );
}

async function projectRow(
  context: WorkerContext,
  state: PullRequestState,
  { plan, apply }: ProjectRuns,
): Promise<ProjectRowView> {
  const shown = apply !== undefined && shownInstead(apply) ? apply : plan;
  const { project, projectKey } = plan;
  const lock = state.locks.find((one) => one.projectKey === projectKey && one.pullRequestId !== state.pull.id);
  const { result } = shown;
  const facts = plan.result?.kind === 'planned' ? plan.result.summary : undefined;
  return {
    title: projectTitle(project),
    dir: project.dir,
    workspace: project.workspace,
    name: project.name,
    state: await projectState(context, state, shown, plan),
    plan: facts,
    diagnostics:
      result?.kind === 'failed' ? result.diagnostics : plan.result?.kind === 'planned' ? plan.result.warnings : [],
    planText: plan.result?.kind === 'planned' ? await readPlanText(context, plan) : undefined,
    errorText: result?.kind === 'failed' ? await errorText(context, shown, result.output) : undefined,
    explanation: explanationOf(shown, plan),
    durationMs: duration(shown),
    url: `${context.publicUrl}/runs/${shown.id}`,
    lock: lock && lockView(lock),
    wouldUndo: lock === undefined ? undefined : await wouldUndo(context, lock),
  };
}

/** The end of what was printed, or all of it when the command asked for it. */
async function errorText(context: WorkerContext, run: RunRecord, tail: string): Promise<string> {
  return run.batch.notes.verbose ? await readRunOutput(context, run.id) : tail;
}

/** An apply that was only refused leaves the plan what it was. */
function shownInstead(apply: RunRecord): boolean {
  return apply.result?.kind !== 'refused' && !(apply.state === 'cancelled' && apply.applyStartedAt === undefined);
}

async function projectState(
  context: WorkerContext,
  state: PullRequestState,
  run: RunRecord,
  plan: RunRecord,
): Promise<ProjectStateView> {
  const { operation } = run;
  switch (run.state) {
    case 'queued':
      return { kind: 'queued', operation, position: await context.runs.queuePosition(run.id) };
    case 'claimed':
    case 'running':
      return { kind: 'running', operation, progress: run.progress ?? { phase: 'checkout', done: 0, total: undefined } };
    case 'cancelled':
      return { kind: 'cancelled', operation };
    case 'interrupted':
      return { kind: 'interrupted' };
    case 'failed':
      return run.result?.kind === 'plan_changed' ? { kind: 'planned' } : { kind: 'failed', operation };
    case 'succeeded':
      return operation === 'apply' ? { kind: 'applied' } : planState(state, plan);
  }
}

function planState(state: PullRequestState, plan: RunRecord): ProjectStateView {
  const current = state.plans.find((one) => one.runId === plan.id);
  if (plan.result?.kind === 'planned' && plan.result.summary.empty) return { kind: 'no_changes' };
  if (current === undefined) return { kind: 'discarded' };
  return { kind: 'planned' };
}

function explanationOf(run: RunRecord, plan: RunRecord): string | undefined {
  const { result } = run;
  switch (result?.kind) {
    case 'failed':
      return result.explanation;
    case 'cancelled':
    case 'interrupted':
      return result.reason;
    case 'plan_changed':
      return 'What an apply would do has changed since this plan was approved. This is the fresh plan; read it and apply again.';
    default:
      return plan.result?.kind === 'planned' ? plan.result.explanation : undefined;
  }
}

async function readPlanText(context: WorkerContext, plan: RunRecord): Promise<string | undefined> {
  const sealed = await context.pulls.readPlanText(plan.id);
  return sealed && context.seal.open(sealed, planTextContext(plan.id)).toString('utf8');
}

export function duration(run: RunRecord): number | undefined {
  if (run.startedAt === undefined || run.finishedAt === undefined) return undefined;
  return run.finishedAt.getTime() - run.startedAt.getTime();
}

function lockView(lock: ProjectLock) {
  return { pullNumber: lock.number, url: lock.url, who: lock.who, since: lock.since };
}

/** The holder was applied and is not merged: a plan of anybody else would take that back. */
async function wouldUndo(context: WorkerContext, lock: ProjectLock) {
  const last = await context.runs.findLastApply(lock.projectKey);
  return last?.pullRequestId === lock.pullRequestId ? { pullNumber: lock.number, url: lock.url } : undefined;
}
