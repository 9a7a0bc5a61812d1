import type { PlanCommentView, ProjectRowView, ProjectStateView } from '../../src/comments/view.ts';
import { explainOtherBase, foreseeUnmetRequirements } from '../../src/core/apply-gate.ts';
import type { PullRequest } from '../../src/core/pull-request.ts';
import { projectTitle } from '../../src/core/project.ts';
import type { ProjectLock, PullRequestState, RunRecord } from '../../src/core/record.ts';
import { planTextContext } from '../../src/core/sealed-contexts.ts';
import type { RunStore } from '../../src/ports/run-store.ts';
import type { WorkerContext } from '../context.ts';
import { readRunOutput } from '../read-run-output.ts';
import { isNeverApplied, isToBeApplied, planFacts, type ProjectRuns } from './current-projects.ts';
import { removedRootView } from './removed-root-view.ts';

/** What the one comment of a pull request shows now; undefined while there is nothing to say about it. */
export async function planCommentView(
  context: WorkerContext,
  state: PullRequestState,
  rows: readonly ProjectRuns[],
): Promise<PlanCommentView | undefined> {
  const notes = state.planBatch?.notes;
  const conflicting = state.planBatch !== undefined && state.planBatch.mergeSha === undefined;
  const worthSaying =
    rows.length > 0 ||
    conflicting ||
    (notes !== undefined && notes.configProblems.length + notes.removedRoots.length + notes.explanations.length > 0);
  if (notes === undefined || !worthSaying) return undefined;
  const { pull } = state;
  const [first = 'holdfast', ...others] = context.config.triggers;
  const facts = await readRowFacts(context, rows);
  return {
    id: pull.id.replaceAll(/[^A-Za-z0-9_-]/g, '-'),
    pullNumber: pull.number,
    pullState: pull.state,
    headSha: state.planBatch?.headSha ?? pull.headSha,
    baseRef: state.planBatch?.baseRef ?? pull.baseRef,
    mergeNote: notes.mergeNote,
    conflicting,
    triggers: [first, ...others],
    drifting: await driftingProjects(context, rows.filter(isToBeApplied)),
    projects: await Promise.all(rows.map((row) => projectRow(context, state, row, facts))),
    removedRoots: notes.removedRoots.map((dir) => removedRootView(dir, pull)),
    explanations: notes.explanations,
    configProblems: notes.configProblems,
    requirements: rows.some(isToBeApplied) ? foreseeUnmetRequirements(pull) : [],
    sandbox: context.config.sandbox.kind,
    pageUrl: `${context.publicUrl}/runs?pull=${encodeURIComponent(pull.id)}`,
  };
}

async function driftingProjects(
  { reports }: WorkerContext,
  rows: readonly ProjectRuns[],
): Promise<PlanCommentView['drifting']> {
  const titles = new Map(rows.map(({ plan }) => [plan.projectKey, projectTitle(plan.project)]));
  const found = await reports.findDrifting([...titles.keys()]);
  return found
    .map(({ projectKey, firstSeenAt, issue }) => ({
      title: titles.get(projectKey) ?? '',
      since: firstSeenAt,
      issue: issue && { pullNumber: issue.number, url: issue.url },
    }))
    .toSorted((a, b) => (a.title < b.title ? -1 : 1));
}

/** What the record has beside the state, read once for all projects. */
interface RowFacts {
  readonly planTexts: ReadonlyMap<string, Buffer>;
  readonly queuePositions: ReadonlyMap<string, number>;
  readonly lastApplies: Awaited<ReturnType<RunStore['findLastApplies']>>;
}

async function readRowFacts({ runs, pulls }: WorkerContext, rows: readonly ProjectRuns[]): Promise<RowFacts> {
  const queued = rows.map(shownRun).filter((run) => run.state === 'queued');
  const planned = rows.filter((row) => planFacts(row) !== undefined);
  return {
    planTexts: await pulls.readPlanTexts(planned.map(({ plan, verified }) => (verified ?? plan).id)),
    queuePositions: await runs.queuePositions(queued.map((run) => run.id)),
    lastApplies: await runs.findLastApplies(rows.map(({ plan }) => plan.projectKey)),
  };
}

async function projectRow(
  context: WorkerContext,
  state: PullRequestState,
  row: ProjectRuns,
  read: RowFacts,
): Promise<ProjectRowView> {
  const { plan, verified } = row;
  const shown = shownRun(row);
  const { project, projectKey } = plan;
  const lock = state.locks.find((one) => one.projectKey === projectKey && one.pullRequestId !== state.pull.id);
  const { result } = shown;
  const facts = planFacts(row);
  return {
    title: projectTitle(project),
    dir: project.dir,
    workspace: project.workspace,
    name: project.name,
    state: projectState(context, state.pull, row, read),
    applyRequirements: project.applyRequirements,
    plan: facts,
    diagnostics:
      result?.kind === 'failed' ? result.diagnostics : plan.result?.kind === 'planned' ? plan.result.warnings : [],
    planText: facts === undefined ? undefined : openPlanText(context, verified ?? plan, read),
    errorText: result?.kind === 'failed' ? await errorText(context, shown, result.output) : undefined,
    explanation: explanationOf(shown, row),
    durationMs: duration(shown),
    url: `${context.publicUrl}/runs/${shown.id}`,
    lock: lock && lockView(lock),
    wouldUndo: wouldUndo(plan, read),
  };
}

/** The end of what was printed, or all of it when the command asked for it. */
async function errorText(context: WorkerContext, run: RunRecord, tail: string): Promise<string> {
  return run.batch.notes.verbose ? await readRunOutput(context, run.id) : tail;
}

/** An apply that was only refused leaves the plan what it was. */
function shownRun({ plan, apply }: ProjectRuns): RunRecord {
  if (apply === undefined || apply.result?.kind === 'refused') return plan;
  return apply.state === 'cancelled' && apply.applyStartedAt === undefined ? plan : apply;
}

function projectState(
  context: WorkerContext,
  pull: PullRequest,
  row: ProjectRuns,
  { queuePositions }: RowFacts,
): ProjectStateView {
  const run = shownRun(row);
  const { operation } = run;
  switch (run.state) {
    case 'queued':
      return { kind: 'queued', operation, position: queuePositions.get(run.id) };
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
      return plan.result?.kind === 'planned' ? plan.result.applyRefusal : undefined;
  }
}

function openPlanText({ seal }: WorkerContext, plan: RunRecord, { planTexts }: RowFacts): string | undefined {
  const sealed = planTexts.get(plan.id);
  return sealed && seal.open(sealed, planTextContext(plan.id)).toString('utf8');
}

export function duration(run: RunRecord): number | undefined {
  if (run.startedAt === undefined || run.finishedAt === undefined) return undefined;
  return run.finishedAt.getTime() - run.startedAt.getTime();
}

function lockView(lock: ProjectLock) {
  return { pullNumber: lock.number, url: lock.url, who: lock.who, since: lock.since };
}

/** Another pull request was applied here last and is not merged: this plan would take that back, whoever holds the lock. */
function wouldUndo({ projectKey, pullRequestId }: RunRecord, { lastApplies }: RowFacts) {
  const last = lastApplies.get(projectKey);
  if (last === undefined || last.id === pullRequestId || last.state !== 'open') return undefined;
  return { pullNumber: last.number, url: last.url };
}
