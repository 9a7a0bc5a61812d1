import { allRules, decideRemediated } from '../../src/core/drift/decide-check.ts';
import { findUnmetForRemediation, type RemediationFacts } from '../../src/core/drift/remediation-gate.ts';
import { silence } from '../../src/core/drift/silence-rules.ts';
import { digestProjectInputs } from '../../src/core/project-inputs.ts';
import type { UnmetRequirement } from '../../src/core/reply.ts';
import type { ClaimedBranchRun, RunEnd } from '../../src/ports/run-store.ts';
import { endUnapplied, keepErroredState } from '../end-unapplied.ts';
import { type LeaseKeeper, stopReason } from '../keep-lease.ts';
import { patiently } from '../patiently.ts';
import { failed, maskDiagnostics, stopped, toPhases } from '../plan-run.ts';
import type { RunContext } from '../run-context.ts';
import { applyProject } from '../steps/apply-project.ts';
import { planProject } from '../steps/plan-project.ts';
import type { PlannedProject } from '../steps/project-run.ts';
import { classify, compareInputs } from './drift-check-run.ts';
import { gatherRemediationFacts } from './gather-remediation-facts.ts';
import { type OpenBranchProject, openBranchProject, type WorkOutcome } from './open-branch-project.ts';

interface Remediation {
  readonly context: RunContext;
  readonly run: ClaimedBranchRun;
  readonly keeper: LeaseKeeper;
  readonly branch: OpenBranchProject;
}

/**
 * Puts the drift of one project right: a fresh plan with the state locked, the gate on what that plan says, and, when nothing is
 * unmet, exactly that plan. Nothing before `beginApply` changes anything; from there on a death is an unknown outcome.
 */
export async function remediationRun(
  context: RunContext,
  run: ClaimedBranchRun,
  keeper: LeaseKeeper,
  afterwards: AsyncDisposableStack,
): Promise<WorkOutcome> {
  await context.runs.start(run.lease);
  await using branch = await openBranchProject(context, { run, keeper, afterwards, observes: false });
  const { output, projectRun } = branch.opened;
  const fresh = await planProject(projectRun);
  if (fresh.kind === 'refused') return { end: failed(fresh.reason, []) };
  if (fresh.kind !== 'planned') return { end: stopped(fresh, output, keeper, []) };
  const remediation = { context, run, keeper, branch };
  const patience = { ...context, signal: keeper.signal };
  const unmet = await patiently(patience, () => findUnmet(remediation, fresh));
  if (unmet.length > 0) return { end: refused(unmet, fresh) };
  await keeper.renewNow();
  if (stopReason(keeper.signal) !== undefined)
    return { end: stopped({ ...NOT_BEGUN, timings: fresh.timings }, output, keeper, []) };
  await context.runs.beginApply(run.lease);
  // Awaited here: the project is closed when this function returns.
  return await apply(remediation, fresh);
}

const NOT_BEGUN = {
  kind: 'cancelled',
  step: 'verify',
  diagnostics: [],
  outputTail: [],
  erroredState: undefined,
} as const;

function refused(unmet: readonly UnmetRequirement[], { timings }: PlannedProject): RunEnd {
  return { state: 'failed', result: { kind: 'refused', unmet }, phases: toPhases(timings) };
}

async function findUnmet(
  { context, run, branch }: Remediation,
  fresh: PlannedProject,
): Promise<readonly UnmetRequirement[]> {
  const page = await context.drift.find(run.projectKey);
  const order = run.batch.notes.remediation;
  if (page === undefined || order === undefined) throw new Error(`run ${run.id} has nothing to put right`);
  const { project } = page;
  const inputs = compareInputs(project, digestProjectInputs(branch.commit, run.project));
  const found = classify(context, fresh, branch.opened.output, inputs);
  const { fingerprint } = silence(found, allRules(project), context.now()).findings;
  const seen: RemediationFacts['seen'] = { fingerprint, found };
  const { actor } = run.batch;
  const facts = await gatherRemediationFacts(context, page, { actor, order, seen, applyRefusal: fresh.applyRefusal });
  // Whoever has the lease of a project is alone with it: what is on record as applying is this run.
  return findUnmetForRemediation({ ...facts, applying: false });
}

async function apply({ context, run, keeper, branch }: Remediation, fresh: PlannedProject): Promise<WorkOutcome> {
  const { output, projectRun } = branch.opened;
  const outcome = await applyProject(projectRun, fresh);
  if (outcome.kind !== 'applied') {
    const next = 'The project is checked again at once, which says where things stand.';
    return { end: endUnapplied(context, { run, keeper, output, fresh, next, outcome }) };
  }
  const inputsDigest = digestProjectInputs(branch.commit, run.project);
  const { digest } = fresh.canonical;
  return {
    end: {
      state: 'succeeded',
      result: { kind: 'applied', counts: fresh.summary.counts, warnings: maskDiagnostics(outcome.diagnostics, output) },
      phases: toPhases([...fresh.timings, ...outcome.timings]),
      apply: { sha: branch.commit.sha, inputsDigest, approvedDigest: digest, appliedDigest: digest },
      artifacts: keepErroredState(context, run.id, outcome.erroredState),
    },
    decide: (project) =>
      decideRemediated(project, {
        runId: run.id,
        by: run.batch.actor,
        fingerprint: run.batch.notes.remediation?.fingerprint ?? '',
        failure: undefined,
        begun: true,
        now: context.now(),
      }),
  };
}
