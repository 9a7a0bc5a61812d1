import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { InitializedBackend } from '../../src/core/backend-rules.ts';
import { sensitiveBackendValues } from '../../src/core/sensitive-values.ts';
import type { Step } from '../../src/core/workflow.ts';
import { runCustomStep } from './custom-step.ts';
import { readConfined } from './read-confined.ts';
import { absoluteInside, PLAN_FILE, SHOW_FILE } from './run-layout.ts';
import { shareLockInfo } from './share-lock-info.ts';
import { atlantisVariables } from './step-environment.ts';
import {
  failureOf,
  type ProcessRequest,
  refuseStep,
  runProcess,
  type StageContext,
  type StepFailure,
} from './step-process.ts';
import {
  applyArgv,
  argumentRefusals,
  expandArguments,
  initArgv,
  planArgv,
  reportsInitAsJson,
  showJsonArgv,
  workspaceArgvs,
} from './terraform-command.ts';

const CHANGES_PRESENT = 2;
const STEP_BACKEND_BYTES = 1024 * 1024;

/** Runs the steps of a stage in order, each in a sandbox of its own; the first that fails ends it. */
export async function runSteps(
  context: StageContext,
  steps: readonly Step[],
  total: number | undefined,
): Promise<StepFailure | undefined> {
  for (const step of steps) {
    if (context.run.signal.aborted) {
      return { kind: 'cancelled', step: step.kind, diagnostics: context.diagnostics, outputTail: context.tail };
    }
    const failure = await runStep(context, step, total);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

async function runStep(context: StageContext, step: Step, total: number | undefined): Promise<StepFailure | undefined> {
  switch (step.kind) {
    case 'init':
      return runInit(context, extraArguments(context, step.extraArgs));
    case 'plan':
      return runPlan(context, [...extraArguments(context, step.extraArgs), ...context.run.commandArgs], total);
    case 'apply':
      return runApply(context, extraArguments(context, step.extraArgs), total);
    case 'show':
      return runShow(context);
    default:
      return runCustomStep(context, step);
  }
}

/** The workflow's `extra_args` may name the variables that steps are given. */
function extraArguments(
  { run, layout, stage, stepVariables }: StageContext,
  args: readonly string[],
): readonly string[] {
  return expandArguments(args, { ...Object.fromEntries(stepVariables), ...atlantisVariables(run, layout, stage) });
}

function refuseArguments(context: StageContext, step: string, args: readonly string[]): StepFailure | undefined {
  const refusals = argumentRefusals(args);
  return refusals.length === 0 ? undefined : refuseStep(context, step, refusals.join(' '));
}

async function runInit(context: StageContext, args: readonly string[]): Promise<StepFailure | undefined> {
  const refused = refuseArguments(context, 'init', args);
  if (refused !== undefined) return refused;
  const { terraform, limits } = context.run;
  const request: ProcessRequest = {
    step: 'init',
    argv: initArgv(terraform, args),
    phase: 'init',
    timeoutMs: limits.initMs,
    output: reportsInitAsJson(terraform) ? 'events' : 'text',
    progress: 'init',
  };
  const failure = failureOf(context, request, await runProcess(context, request));
  if (failure !== undefined) return failure;
  const backend = await readBackend(context);
  context.backendType = backend.type;
  if (backend.localPath !== undefined) await shareLockInfo(backend.localPath, context.run.mounts);
  return selectWorkspace(context);
}

const backendFile = z.looseObject({
  backend: z.looseObject({
    type: z.string(),
    config: z.looseObject({ path: z.unknown().optional(), workspace_dir: z.unknown().optional() }).nullish(),
  }),
});

/** What init wrote down of the backend; its secrets are announced. */
export async function readBackend({ run, layout }: StageContext): Promise<InitializedBackend> {
  const path = join(run.project.dir, '.terraform/terraform.tfstate');
  const text = await readConfined(layout.checkout.host, path, STEP_BACKEND_BYTES);
  const parsed = backendFile.safeParse(parseJson(text?.toString('utf8')));
  if (!parsed.success) return { type: 'none', localPath: absoluteInside(layout, 'terraform.tfstate') };
  const { type, config } = parsed.data.backend;
  run.onSensitiveValues(sensitiveBackendValues(config));
  if (type !== 'local') return { type, localPath: undefined };
  return { type, localPath: absoluteInside(layout, localStatePath(run.project.workspace, config ?? {})) };
}

/** Workspaces other than the default one live in a folder of their own. */
function localStatePath(
  workspace: string,
  config: { readonly path?: unknown; readonly workspace_dir?: unknown },
): string {
  const given = (value: unknown, fallback: string) => (typeof value === 'string' && value !== '' ? value : fallback);
  if (workspace === 'default') return given(config.path, 'terraform.tfstate');
  return join(given(config.workspace_dir, 'terraform.tfstate.d'), workspace, 'terraform.tfstate');
}

function parseJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

async function selectWorkspace(context: StageContext): Promise<StepFailure | undefined> {
  const { terraform, project, limits } = context.run;
  if (context.workspaceSelected || project.workspace === 'default') return undefined;
  let failure: StepFailure | undefined;
  for (const argv of workspaceArgvs(terraform, project.workspace)) {
    const request: ProcessRequest = {
      step: 'workspace',
      argv,
      phase: 'init',
      timeoutMs: limits.initMs,
      output: 'text',
      progress: 'init',
    };
    const before = context.diagnostics.length;
    failure = failureOf(context, request, await runProcess(context, request));
    if (failure === undefined) {
      // That `select` found nothing was no news when `new` then made it.
      context.diagnostics.length = before;
      context.workspaceSelected = true;
      return undefined;
    }
  }
  return failure;
}

async function runPlan(
  context: StageContext,
  args: readonly string[],
  total: number | undefined,
): Promise<StepFailure | undefined> {
  const { run, layout } = context;
  if (context.stage === 'apply') {
    const reason = 'A plan in the apply stage would not be the one that was approved. Move the step to the plan stage.';
    return refuseStep(context, 'plan', reason);
  }
  const refused = refuseArguments(context, 'plan', args) ?? (await selectWorkspace(context));
  if (refused !== undefined) return refused;
  await rm(join(layout.output.host, PLAN_FILE), { force: true });
  const request: ProcessRequest = {
    step: 'plan',
    argv: planArgv(run.terraform, join(layout.output.inside, PLAN_FILE), {
      lockTimeoutSeconds: run.limits.lockTimeoutSeconds,
      extraArgs: args,
      observes: run.observes,
    }),
    phase: 'plan',
    timeoutMs: run.limits.planMs,
    output: 'events',
    progress: 'plan',
    ...(total === undefined ? {} : { total }),
  };
  const outcome = await runProcess(context, request);
  if (isChangesPresent(outcome.result.exitCode, args) && outcome.result.stoppedBy === undefined) return undefined;
  return failureOf(context, request, outcome);
}

/**
 * With `-detailed-exitcode` 2 means changes; but a Go program that runs out of memory ends with 2 as well. That the plan file is
 * there and can be read decides, which is looked at when the stage is over.
 */
function isChangesPresent(exitCode: number | undefined, args: readonly string[]): boolean {
  return exitCode === CHANGES_PRESENT && args.some((arg) => /^--?detailed-exitcode(=true)?$/.test(arg));
}

async function runApply(
  context: StageContext,
  args: readonly string[],
  total: number | undefined,
): Promise<StepFailure | undefined> {
  const { run, layout } = context;
  if (context.stage === 'plan') return refuseStep(context, 'apply', 'The plan stage may not apply.');
  const refused = refuseArguments(context, 'apply', args);
  if (refused !== undefined) return refused;
  const request: ProcessRequest = {
    step: 'apply',
    argv: applyArgv(run.terraform, join(layout.plan.inside, PLAN_FILE), {
      lockTimeoutSeconds: run.limits.lockTimeoutSeconds,
      extraArgs: args,
    }),
    phase: 'apply',
    timeoutMs: run.limits.applyMs,
    output: 'events',
    progress: 'apply',
    ...(total === undefined ? {} : { total }),
  };
  const outcome = await runProcess(context, request);
  context.applied = outcome.summary;
  return failureOf(context, request, outcome);
}

/** Atlantis' `show`: the plan as JSON in `$SHOWFILE`, for the custom steps after it. */
async function runShow(context: StageContext): Promise<StepFailure | undefined> {
  const { run, layout, stage } = context;
  const folder = stage === 'apply' ? layout.plan.inside : layout.output.inside;
  const request: ProcessRequest = {
    step: 'show',
    argv: showJsonArgv(run.terraform, join(folder, PLAN_FILE)),
    phase: stage,
    timeoutMs: run.limits.showMs,
    output: 'quiet',
    progress: 'show',
    outputBytes: run.limits.planJsonBytes,
  };
  const outcome = await runProcess(context, request);
  const failure = failureOf(context, request, outcome);
  if (failure !== undefined) return failure;
  const file = join(layout.output.host, SHOW_FILE);
  // The folder is the slot's: what lies there may be a link, so it is removed and made anew.
  await rm(file, { force: true });
  await writeFile(file, outcome.result.stdout, { flag: 'wx', mode: 0o644 });
  return undefined;
}
