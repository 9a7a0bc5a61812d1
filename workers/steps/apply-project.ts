import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { endStage, stageContext } from './plan-project.ts';
import type { ApplyOutcome, PlannedProject, ProjectRun } from './project-run.ts';
import { confinedPath, readConfined, UntrustedFileError } from './read-confined.ts';
import { placePlanFile } from './read-plan.ts';
import { runLayout } from './run-layout.ts';
import { readBackend, runSteps } from './run-steps.ts';
import type { StageContext } from './step-process.ts';

const ERRORED_STATE = 'errored.tfstate';

/**
 * Runs the apply stage of the project's workflow on a plan that `planProject` made in the same slot and checkout just before.
 * The plan's own bytes are applied, whatever became of the file meanwhile. Throws as `planProject` does.
 */
export async function applyProject(run: ProjectRun, planned: PlannedProject): Promise<ApplyOutcome> {
  if (planned.applyRefusal !== undefined) return { kind: 'refused', reason: planned.applyRefusal };
  const layout = await runLayout(run);
  const context = stageContext(run, layout, 'apply');
  await placePlanFile(context, planned.planFile);
  context.backendType = (await readBackend(context)).type;
  await removeErroredState(context);
  // A replace is two steps to Terraform, a create and a destroy, and counts in both.
  const { add, change, destroy } = planned.summary.counts;
  const total = add + change + destroy;
  const failure = await runSteps(context, run.project.workflow.apply, total);
  const erroredState = await takeErroredState(context);
  if (failure !== undefined) return endStage(context, failure, erroredState);
  return {
    kind: 'applied',
    diagnostics: context.diagnostics,
    applied: context.applied,
    outputTail: context.tail,
    erroredState,
    timings: context.timings,
  };
}

/** One that the pull request brought along must not be taken for ours. */
async function removeErroredState({ run, layout }: StageContext): Promise<void> {
  const path = await confinedPath(layout.checkout.host, join(run.project.dir, ERRORED_STATE));
  if (path !== undefined) await rm(path, { force: true, recursive: true });
}

/** What Terraform could not save to its backend. Losing it would orphan what was created, so it is looked for after every ending. */
async function takeErroredState({ run, layout }: StageContext): Promise<Uint8Array | undefined> {
  try {
    const path = join(run.project.dir, ERRORED_STATE);
    return await readConfined(layout.checkout.host, path, run.limits.artifactBytes);
  } catch (cause) {
    if (cause instanceof UntrustedFileError) {
      run.onLine(`${ERRORED_STATE} could not be kept: ${cause.message}`);
      return undefined;
    }
    throw cause;
  }
}
