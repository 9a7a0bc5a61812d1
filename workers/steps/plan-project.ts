import { join } from 'node:path';
import { applyRefusal, planRefusal } from '../../src/core/backend-rules.ts';
import type { Diagnostic } from '../../src/core/plan.ts';
import type { CancelledProject, FailedProject, PlannedProject, PlanOutcome, ProjectRun } from './project-run.ts';
import { confinedDirectory, readConfined, UntrustedFileError } from './read-confined.ts';
import { type PlanFacts, readPlan } from './read-plan.ts';
import { prepareLayout, type RunLayout, runLayout, statePlaces } from './run-layout.ts';
import { readBackend, runSteps } from './run-steps.ts';
import type { Stage } from './step-environment.ts';
import type { StageContext, StepFailure } from './step-process.ts';
import { argumentRefusals } from './terraform-command.ts';

const LOCK_FILE = '.terraform.lock.hcl';

/**
 * Runs the plan stage of the project's workflow and reads the plan file.
 * Never throws for what a pull request can cause; what the machine cannot do (`SandboxUnavailableError`, a full disk) is thrown.
 */
export async function planProject(run: ProjectRun): Promise<PlanOutcome> {
  const refusal = await refusePlan(run);
  if (refusal !== undefined) return { kind: 'refused', reason: refusal };
  announceCredentials(run);
  const layout = await runLayout(run);
  await prepareLayout(run, layout);
  const context = stageContext(run, layout, 'plan');
  const failure = await runSteps(context, run.project.workflow.plan, run.expectedResources);
  const facts = failure ?? (await readPlan(context));
  return 'kind' in facts ? endStage(context, facts, undefined) : planned(context, facts);
}

async function refusePlan(run: ProjectRun): Promise<string | undefined> {
  const backend = run.backend === undefined ? undefined : planRefusal(run.backend);
  if (backend !== undefined) return backend;
  const args = argumentRefusals(run.commandArgs);
  if (args.length > 0) return args.join(' ');
  return refuseDirectory(run);
}

async function refuseDirectory({ checkoutDirectory, project }: ProjectRun): Promise<string | undefined> {
  try {
    if ((await confinedDirectory(checkoutDirectory, project.dir)) !== undefined) return undefined;
  } catch (cause) {
    if (!(cause instanceof UntrustedFileError)) throw cause;
  }
  return `The directory \`${project.dir}\` does not exist in this commit.`;
}

function announceCredentials({ credentials, onSensitiveValues }: ProjectRun): void {
  const phases = [credentials.init, credentials.plan, credentials.apply];
  onSensitiveValues(phases.flatMap(({ env }) => Object.values(env).map((secret) => secret.reveal())));
}

export function stageContext(run: ProjectRun, layout: RunLayout, stage: Stage): StageContext {
  return {
    run,
    layout,
    stage,
    stepVariables: new Map(),
    timings: [],
    diagnostics: [],
    tail: [],
    backendType: undefined,
    // The plan stage of the same checkout has chosen it, or failed.
    workspaceSelected: stage === 'apply',
    applied: undefined,
  };
}

/** Completes a failure with what the whole stage knows. */
export function endStage(
  { timings }: StageContext,
  failure: StepFailure,
  erroredState: Uint8Array | undefined,
): FailedProject | CancelledProject {
  return { ...failure, timings, erroredState };
}

async function planned(context: StageContext, facts: PlanFacts): Promise<PlannedProject> {
  const { run, layout } = context;
  const backend = await readBackend(context);
  return {
    kind: 'planned',
    ...facts,
    lockFile: await readLockFile(run, layout),
    diagnostics: warningsOnly(context.diagnostics),
    applyRefusal: applyRefusal(backend, statePlaces(run.mounts)),
    timings: context.timings,
  };
}

function warningsOnly(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.filter(({ severity }) => severity === 'warning');
}

async function readLockFile(run: ProjectRun, layout: RunLayout): Promise<Uint8Array | undefined> {
  try {
    return await readConfined(layout.checkout.host, join(run.project.dir, LOCK_FILE), run.limits.artifactBytes);
  } catch (cause) {
    if (cause instanceof UntrustedFileError) return undefined;
    throw cause;
  }
}
