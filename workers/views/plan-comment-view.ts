import type { PlanCommentView, ProjectRowView, ProjectStateView } from '../../src/comments/view.ts';
import { explainOtherBase, foreseeUnmetRequirements } from '../../src/core/apply-gate.ts';
import type { PullRequest } from '../../src/core/pull-request.ts';
import { projectTitle } from '../../src/core/project.ts';
import type { ProjectLock, PullRequestState, RunRecord } from '../../src/core/record.ts';
import { planTextContext } from '../../src/core/sealed-contexts.ts';
import type { WorkerContext } from '../context.ts';
import { readRunOutput } from '../read-run-output.ts';
import { currentProjects, isNeverApplied, isToBeApplied, planFacts, type ProjectRuns } from './current-projects.ts';
import { removedRootView } from './removed-root-view.ts';

/** What the one comment of a pull request shows now; undefined while there is nothing to say about it. */
export async function planCommentView(
  context: WorkerContext,
  state: PullRequestState,
): Promise<PlanCommentView | undefined> {
  const notes = state.planBatch?.notes;
  const rows = await currentProjects(context, state);
  const conflicting = state.planBatch !== undefined && state.planBatch.mergeSha === undefined;
  const worthSaying =
    rows.length > 0 ||
    conflicting ||
    (notes !== undefined && notes.configProblems.length + notes.removedRoots.length + notes.explanations.length > 0);
  if (notes === undefined || !worthSaying) return undefined;
  const { pull } = state;
  const [first = 'holdfast', ...others] = context.config.triggers;
  return {
    id: pull.id.replaceAll(/[^A-Za-z0-9_-]/g, '-'),
    pullNumber: pull.number,
    pullState: pull.state,
    headSha: state.planBatch?.headSha ?? pull.headSha,
    baseRef: state.planBatch?.baseRef ?? pull.baseRef,
    mergeNote: notes.mergeNote,
    conflicting,
    triggers: [first, ...others],
    projects: await Promise.all(rows.map((row) => projectRow(context, state, row))),
    removedRoots: notes.removedRoots.map((dir) => removedRootView(dir, pull)),
    explanations: notes.explanations,
    configProblems: notes.configProblems,
    requirements: rows.some(isToBeApplied) ? foreseeUnmetRequirements(pull) : [],
    sandbox: context.config.sandbox.kind,
    pageUrl: `${context.publicUrl}/runs?pull=${encodeURIComponent(pull.id)}`,
  };
}

async function projectRow(context: WorkerContext, state: PullRequestState, row: ProjectRuns): Promise<ProjectRowView> {
  const { plan, apply, verified } = row;
  const shown = apply !== undefined && shownInstead(apply) ? apply : plan;
  const { project, projectKey } = plan;
  const lock = state.locks.find((one) => one.projectKey === projectKey && one.pullRequestId !== state.pull.id);
  const { result } = shown;
  const facts = planFacts(row);
  return {
    title: projectTitle(project),
    dir: project.dir,
    workspace: project.workspace,
    name: project.name,
    state: await projectState(context, state.pull, shown, row),
    applyRequirements: project.applyRequirements,
    plan: facts,
    diagnostics:
      result?.kind === 'failed' ? result.diagnostics : plan.result?.kind === 'planned' ? plan.result.warnings : [],
    planText: facts === undefined ? undefined : await readPlanText(context, verified ?? plan),
    errorText: result?.kind === 'failed' ? await errorText(context, shown, result.output) : undefined,
    explanation: explanationOf(shown, row),
    durationMs: duration(shown),
    url: `${context.publicUrl}/runs/${shown.id}`,
    lock: lock && lockView(lock),
    wouldUndo: await wouldUndo(context, plan),
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
  pull: PullRequest,
  run: RunRecord,
  row: ProjectRuns,
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
      return run.result?.kind === 'plan_changed' ? planState(context, pull, row) : { kind: 'failed', operation };
    case 'succeeded':
      return operation === 'apply' ? { kind: 'applied' } : planState(context, pull, row);
  }
}

function planState({ config }: WorkerContext, pull: PullRequest, row: ProjectRuns): ProjectStateView {
  if (planFacts(row)?.empty === true) return { kind: 'no_changes' };
  if (row.current === undefined) return { kind: 'discarded' };
  const otherBase = explainOtherBase(row.current, pull);
  if (otherBase !== undefined)
    return { kind: 'outdated', reason: `${otherBase}. Comment \`${config.triggers[0]} plan\` and read the new plan.` };
  return { kind: isNeverApplied(pull, row) ? 'plan_only' : 'planned' };
}

const FRESH_PLAN =
  'What an apply would do has changed since this plan was approved. This is the fresh plan; read it and apply again.';

function explanationOf(run: RunRecord, { plan, verified }: ProjectRuns): string | undefined {
  const { result } = run;
  switch (result?.kind) {
    case 'failed':
      return result.explanation;
    case 'refused':
      return result.unmet.map(({ what, next }) => `${what}. ${next}`).join(' ');
    case 'cancelled':
    case 'interrupted':
      return result.reason;
    case 'applied':
      return undefined;
    default:
      if (verified !== undefined) return FRESH_PLAN;
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

/** Another pull request was applied here last and is not merged: this plan would take that back, whoever holds the lock. */
async function wouldUndo({ runs, pulls }: WorkerContext, { projectKey, pullRequestId }: RunRecord) {
  const last = await runs.findLastApply(projectKey);
  if (last?.pullRequestId === undefined || last.pullRequestId === pullRequestId) return undefined;
  const other = await pulls.find(last.pullRequestId);
  return other?.state === 'open' ? { pullNumber: other.number, url: other.url } : undefined;
}
