import type { PlanDifference, UnmetRequirement } from '../src/core/reply.ts';
import type { PlanRecord } from '../src/core/record.ts';
import { listPlanDifferences } from '../src/core/plan-differences.ts';
import { findUnmetRequirements, lockedBy } from '../src/core/apply-gate.ts';
import type { ClaimedPullRequestRun, RunEnd } from '../src/ports/run-store.ts';
import { type GatheredApply, gatherApplyFacts, recheckApply } from './gather-apply-facts.ts';
import { endUnapplied, keepErroredState } from './end-unapplied.ts';
import { type LeaseKeeper, stopReason } from './keep-lease.ts';
import { openProject, type OpenProject } from './open-project.ts';
import { patiently } from './patiently.ts';
import { openPlanArtifact } from './plan-artifact.ts';
import { failed, maskDiagnostics, maskSummary, newPlan, stopped, toPhases } from './plan-run.ts';
import type { CommitFacts } from './commit-facts.ts';
import { digestProjectInputs } from '../src/core/project-inputs.ts';
import type { RunContext } from './run-context.ts';
import { applyProject } from './steps/apply-project.ts';
import { pullRequestFacts } from './step-facts.ts';
import { planProject } from './steps/plan-project.ts';
import type { ApplyOutcome, PlannedProject } from './steps/project-run.ts';

interface Apply {
  readonly context: RunContext;
  readonly run: ClaimedPullRequestRun;
  readonly keeper: LeaseKeeper;
  /** What the gate was shown. */
  readonly gathered: GatheredApply;
  readonly approved: PlanRecord;
  readonly commit: CommitFacts;
  /** What the approved plan was made with, beyond the configuration. */
  readonly commandArgs: readonly string[];
}

/**
 * Applies one project: the gate afresh, the lock, a fresh plan, and, when that does what was approved, the fresh plan.
 * Just before it begins, what may have become otherwise meanwhile is asked once more. Nothing before `beginApply` changes anything; from there on a death is an unknown outcome.
 */
export async function applyRun(
  context: RunContext,
  run: ClaimedPullRequestRun,
  keeper: LeaseKeeper,
  afterwards: AsyncDisposableStack,
): Promise<RunEnd | 'handed_back'> {
  await context.runs.start(run.lease);
  const patience = { ...context, signal: keeper.signal };
  const gathered = await patiently(patience, () => gatherApplyFacts(context, run));
  const unmet = findUnmetRequirements(gathered.facts);
  if (unmet.length > 0) return refused(unmet);
  const { plan, commit, pull } = gathered;
  if (plan === undefined || commit === undefined) throw new Error(`run ${run.id} passed the gate without a plan`);
  const holder = await context.runs.takeLock(run.lease);
  if (holder !== undefined) return refused([lockedBy(gathered.facts, holder)]);
  const sealed = await context.pulls.readPlanArtifact(plan.id);
  if (sealed === undefined)
    return failed('The plan is gone: it was superseded or discarded meanwhile. Plan again.', []);
  const artifact = openPlanArtifact(context.seal, plan.id, sealed);
  const apply: Apply = {
    context,
    run,
    keeper,
    gathered,
    approved: plan,
    commit,
    commandArgs: artifact.commandArgs,
  };
  await using opened = await openProject(context, {
    run,
    repository: pull.repository,
    withCredentials: !pull.fork,
    facts: pullRequestFacts(pull, run.batch.actor),
    commit,
    keeper,
    observes: false,
    knownSecrets: artifact.sensitiveValues,
    expectedResources: artifact.stateResources,
    commandArgs: artifact.commandArgs,
    afterwards,
  });
  // Awaited here: the project is closed when this function returns.
  return await verifyAndApply(apply, opened, artifact.canonical);
}

function refused(unmet: readonly UnmetRequirement[]): RunEnd {
  return { state: 'failed', result: { kind: 'refused', unmet }, phases: [] };
}

async function verifyAndApply(
  apply: Apply,
  opened: OpenProject,
  approved: PlannedProject['canonical'],
): Promise<RunEnd | 'handed_back'> {
  const { context, run, keeper, gathered } = apply;
  const fresh = await planProject(opened.projectRun);
  if (fresh.kind === 'refused') return failed(fresh.reason, []);
  if (fresh.kind !== 'planned') return stopped(fresh, opened.output, keeper, []);
  if (fresh.applyRefusal !== undefined) return failed(fresh.applyRefusal, toPhases(fresh.timings));
  const differences = maskDifferences(listPlanDifferences(approved, fresh.canonical), opened.output);
  if (differences.length > 0) {
    opened.output.onLine('holdfast: the fresh plan is not what was approved');
    if (context.config.verify === 'block') return planChanged(apply, opened, fresh, differences);
  }
  if (fresh.summary.empty) return applied(apply, opened, fresh, NOTHING_TO_DO, differences);
  const unmet = await patiently({ ...context, signal: keeper.signal }, () => recheckApply(context, run, gathered));
  if (unmet.length > 0) return { ...refused(unmet), phases: toPhases(fresh.timings) };
  await keeper.renewNow();
  if (stopReason(keeper.signal) !== undefined)
    return stopped({ ...NOT_BEGUN, timings: fresh.timings }, opened.output, keeper, []);
  await context.runs.beginApply(run.lease);
  const outcome = await applyProject(opened.projectRun, fresh);
  return outcome.kind === 'applied'
    ? applied(apply, opened, fresh, outcome, differences)
    : endUnapplied(context, { run, keeper, output: opened.output, fresh, next: seeByPlanning(context), outcome });
}

function seeByPlanning({ config }: RunContext): string {
  return `Comment \`${config.triggers[0] ?? 'holdfast'} plan\` to see where things stand.`;
}

const NOT_BEGUN = {
  kind: 'cancelled',
  step: 'verify',
  diagnostics: [],
  outputTail: [],
  erroredState: undefined,
} as const;

/** The fresh plan becomes the one to approve. */
function planChanged(
  apply: Apply,
  { output }: OpenProject,
  fresh: PlannedProject,
  differences: readonly PlanDifference[],
): RunEnd {
  const { context, run, commit, gathered, commandArgs } = apply;
  const { baseSha } = gathered;
  const { headSha, baseRef } = gathered.pull;
  return {
    state: 'failed',
    result: {
      kind: 'plan_changed',
      differences,
      summary: maskSummary(fresh, output),
    },
    phases: toPhases(fresh.timings),
    plan: newPlan(context, run, commit, fresh, output, { headSha, baseRef, baseSha, commandArgs }),
  };
}

type Applied = Extract<ApplyOutcome, { kind: 'applied' }>;

const NOTHING_TO_DO: Applied = {
  kind: 'applied',
  diagnostics: [],
  applied: undefined,
  outputTail: [],
  erroredState: undefined,
  timings: [],
};

/** Keys of `for_each` and of maps are part of addresses and attribute names. */
function maskDifferences(
  differences: readonly PlanDifference[],
  { mask }: OpenProject['output'],
): readonly PlanDifference[] {
  return differences.map(({ address, approved, now }) => ({
    address: mask(address),
    approved: approved && mask(approved),
    now: now && mask(now),
  }));
}

/** `differences`: what was done otherwise than approved, which is said with the result. */
function applied(
  { approved, commit, run, context }: Apply,
  { output }: OpenProject,
  fresh: PlannedProject,
  outcome: Applied,
  differences: readonly PlanDifference[],
): RunEnd {
  const warnings = maskDiagnostics(outcome.diagnostics, output);
  return {
    state: 'succeeded',
    result: { kind: 'applied', counts: fresh.summary.counts, warnings, differences },
    phases: toPhases([...fresh.timings, ...outcome.timings]),
    apply: {
      sha: commit.sha,
      inputsDigest: digestProjectInputs(commit, run.project),
      approvedDigest: approved.canonicalDigest,
      appliedDigest: fresh.canonical.digest,
    },
    artifacts: keepErroredState(context, run.id, outcome.erroredState),
  };
}
