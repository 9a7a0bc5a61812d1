import { randomUUID } from 'node:crypto';
import type { RunPhase } from '../src/core/batch.ts';
import { type CommitSha, commitSha } from '../src/core/repository.ts';
import type { PullRequestRecord } from '../src/core/record.ts';
import type { ClaimedPullRequestRun, NewPlan, RunEnd } from '../src/ports/run-store.ts';
import type { CommitFacts } from './commit-facts.ts';
import { type LeaseKeeper, stopReason } from './keep-lease.ts';
import { repositoryName } from './gather-pull-request.ts';
import { openProject } from './open-project.ts';
import { isAllowed } from './open-pull-request.ts';
import { patiently } from './patiently.ts';
import { openPlanArtifact, sealPlanArtifact } from './plan-artifact.ts';
import { digestProjectInputs } from '../src/core/project-inputs.ts';
import { planTextContext } from '../src/core/sealed-contexts.ts';
import { ProjectRefusedError } from './project-refused-error.ts';
import { findPlanRefusals } from './refuse-plan.ts';
import type { RunContext } from './run-context.ts';
import type { RunOutput } from './run-output.ts';
import { pullRequestFacts } from './step-facts.ts';
import { planProject } from './steps/plan-project.ts';
import type { CancelledProject, FailedProject, PlannedProject, StepTiming } from './steps/project-run.ts';

/** Plans one project of a batch at the batch's commit. */
export async function planRun(
  context: RunContext,
  run: ClaimedPullRequestRun,
  keeper: LeaseKeeper,
  afterwards: AsyncDisposableStack,
): Promise<RunEnd | 'handed_back'> {
  const pull = await context.pulls.find(run.pullRequestId);
  if (pull === undefined || run.batch.mergeSha === undefined) throw new Error(`run ${run.id} has nothing to plan`);
  await context.runs.start(run.lease);
  const startedAt = performance.now();
  const mergeSha = commitSha(run.batch.mergeSha);
  refuseUnserved(context, pull);
  const patience = { ...context, signal: keeper.signal };
  const commit = await patiently(patience, (attempt) => readCommit(context, pull, run, mergeSha, attempt > 0));
  const unmet = await patiently(patience, () => findPlanRefusals(context, run, pull, commit));
  if (unmet.length > 0) return { state: 'failed', result: { kind: 'refused', unmet }, phases: [] };
  const before = await readPreviousPlan(context, run);
  const commandArgs = run.batch.notes.extraArgs;
  await using opened = await openProject(context, {
    run,
    repository: pull.repository,
    withCredentials: !pull.fork,
    facts: pullRequestFacts(pull, run.batch.actor),
    commit,
    keeper,
    commandArgs,
    observes: false,
    afterwards,
    ...before,
  });
  const checkout: RunPhase = { name: 'checkout', ms: Math.round(performance.now() - startedAt) };
  const outcome = await planProject(opened.projectRun);
  if (outcome.kind === 'planned') return planned(context, run, commit, outcome, opened.output, checkout);
  if (outcome.kind === 'refused') return failed(outcome.reason, [checkout]);
  return stopped(outcome, opened.output, keeper, [checkout]);
}

/** The operator's list or the repository's name may have changed since the plan was decided. */
function refuseUnserved(context: RunContext, { repository }: PullRequestRecord): void {
  const name = repositoryName(repository);
  if (!isAllowed(context, name))
    throw new ProjectRefusedError(`The repository ${name} is not one that is served here.`);
}

/** Another machine may have decided on the batch: this one's mirror then makes the same merge again, as it does when it is `anew`. */
async function readCommit(
  context: RunContext,
  pull: PullRequestRecord,
  run: ClaimedPullRequestRun,
  mergeSha: CommitSha,
  anew: boolean,
): Promise<CommitFacts> {
  if (anew || !(await context.mirror.has(pull.repository, mergeSha))) await fetchCommit(context, pull, run);
  return context.commits.read(pull.repository, mergeSha);
}

async function fetchCommit(context: RunContext, pull: PullRequestRecord, run: ClaimedPullRequestRun): Promise<void> {
  const host = context.hosts.get(pull.repository.host);
  if (host === undefined) throw new Error(`there is no VCS host ${pull.repository.host} any more`);
  const source = await host.getGitSource(pull.repository);
  await context.mirror.fetch(pull.repository, source, [`refs/heads/${pull.baseRef}`, host.headRefOf(pull.number)]);
  if (context.config.checkoutStrategy === 'merge') {
    await context.mirror.merge(pull.repository, commitSha(run.batch.baseSha), commitSha(run.batch.headSha));
  }
}

/** Secrets of the last plan must not be seen in this one's output, even before this one is read. */
export async function readPreviousPlan(
  context: RunContext,
  run: ClaimedPullRequestRun,
): Promise<{ readonly knownSecrets: readonly string[]; readonly expectedResources: number | undefined }> {
  const plan = await context.pulls.findCurrentPlan(run.pullRequestId, run.projectKey);
  const sealed = plan && (await context.pulls.readPlanArtifact(plan.id));
  if (plan === undefined || sealed === undefined) return { knownSecrets: [], expectedResources: undefined };
  const artifact = openPlanArtifact(context.seal, plan.id, sealed);
  return { knownSecrets: artifact.sensitiveValues, expectedResources: artifact.stateResources };
}

function planned(
  context: RunContext,
  run: ClaimedPullRequestRun,
  commit: CommitFacts,
  outcome: PlannedProject,
  output: RunOutput,
  checkout: RunPhase,
): RunEnd {
  return {
    state: 'succeeded',
    result: {
      kind: 'planned',
      summary: maskSummary(outcome, output),
      warnings: maskDiagnostics(outcome.diagnostics, output),
      applyRefusal: outcome.applyRefusal,
    },
    phases: [checkout, ...toPhases(outcome.timings)],
    plan: newPlan(context, run, commit, outcome, output, {
      headSha: run.batch.headSha,
      baseRef: run.batch.baseRef,
      baseSha: run.batch.baseSha,
      commandArgs: run.batch.notes.extraArgs,
    }),
  };
}

/** The plan as it is stored: sealed, its text masked. */
export function newPlan(
  context: RunContext,
  run: ClaimedPullRequestRun,
  commit: CommitFacts,
  outcome: PlannedProject,
  output: RunOutput,
  made: Pick<NewPlan, 'headSha' | 'baseRef' | 'baseSha'> & { readonly commandArgs: readonly string[] },
): NewPlan {
  const id = randomUUID();
  return {
    id,
    headSha: made.headSha,
    baseRef: made.baseRef,
    baseSha: made.baseSha,
    mergeSha: commit.sha,
    inputsDigest: digestProjectInputs(commit, run.project),
    canonicalDigest: outcome.canonical.digest,
    empty: outcome.summary.empty,
    artifact: sealPlanArtifact(context.seal, id, outcome, made.commandArgs),
    planText: context.seal.seal(output.mask(outcome.planText), planTextContext(run.id)),
  };
}

export function maskSummary({ summary }: PlannedProject, output: RunOutput): PlannedProject['summary'] {
  return {
    ...summary,
    changes: summary.changes.map((change) => ({
      ...change,
      address: output.mask(change.address),
      previousAddress: change.previousAddress && output.mask(change.previousAddress),
    })),
    drifted: summary.drifted.map(output.mask),
    checks: summary.checks.map(output.mask),
  };
}

export function maskDiagnostics(
  diagnostics: PlannedProject['diagnostics'],
  output: RunOutput,
): PlannedProject['diagnostics'] {
  return diagnostics.map((one) => ({
    ...one,
    summary: output.mask(one.summary),
    detail: output.mask(one.detail),
    address: one.address && output.mask(one.address),
  }));
}

/** A run that ended without its result: stopped by somebody, by us, or by Terraform. */
export function stopped(
  outcome: FailedProject | CancelledProject,
  output: RunOutput,
  keeper: LeaseKeeper,
  phases: readonly RunPhase[],
): RunEnd | 'handed_back' {
  const stop = stopReason(keeper.signal);
  if (stop?.kind === 'shutdown' || stop?.kind === 'lease_lost') return 'handed_back';
  if (stop?.kind === 'cancel') {
    return {
      state: 'cancelled',
      result: { kind: 'cancelled', reason: stop.reason },
      phases: [...phases, ...toPhases(outcome.timings)],
    };
  }
  const reason = outcome.kind === 'failed' ? outcome.reason : `Stopped during ${outcome.step}.`;
  return failed(output.mask(reason), [...phases, ...toPhases(outcome.timings)], {
    diagnostics: maskDiagnostics(outcome.diagnostics, output),
    output: output.mask(outcome.outputTail.join('\n')),
  });
}

export function failed(
  explanation: string,
  phases: readonly RunPhase[],
  details: { readonly diagnostics?: PlannedProject['diagnostics']; readonly output?: string } = {},
): RunEnd {
  return {
    state: 'failed',
    result: {
      kind: 'failed',
      explanation,
      diagnostics: details.diagnostics ?? [],
      output: details.output ?? '',
      applyBegun: false,
      erroredState: false,
    },
    phases,
  };
}

export function toPhases(timings: readonly StepTiming[]): readonly RunPhase[] {
  return timings.map(({ name, durationMs }) => ({ name, ms: Math.round(durationMs) }));
}
