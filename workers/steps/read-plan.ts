import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalizePlan, type CanonicalPlan } from '../../src/core/canonical-plan.ts';
import type { PlanSummary } from '../../src/core/plan.ts';
import {
  countStateResources,
  parsePlanJson,
  PlanFormatError,
  type PlanJson,
  summarizePlan,
} from '../../src/core/plan-json.ts';
import { sensitiveValues } from '../../src/core/sensitive-values.ts';
import { readConfined, UntrustedFileError } from './read-confined.ts';
import { PLAN_FILE } from './run-layout.ts';
import {
  failureOf,
  type ProcessRequest,
  refuseStep,
  runProcess,
  type StageContext,
  type StepFailure,
} from './step-process.ts';
import { showJsonArgv, showTextArgv } from './terraform-command.ts';

export interface PlanFacts {
  readonly summary: PlanSummary;
  readonly canonical: CanonicalPlan;
  readonly json: PlanJson;
  readonly planText: string;
  readonly planFile: Buffer;
  readonly sensitiveValues: readonly string[];
  readonly stateResources: number;
}

/**
 * Reads what the plan stage left behind, once all its processes are dead. The plan file is copied out, and the copy is shown by
 * Terraform in fresh sandboxes in which nothing can be changed: whatever was printed while planning counts for nothing.
 */
export async function readPlan(context: StageContext): Promise<PlanFacts | StepFailure> {
  const planFile = await takePlanFile(context);
  if (!Buffer.isBuffer(planFile)) return planFile;
  // Beside each other: neither can change anything, and both together take most of the time after a plan.
  const [json, planText] = await Promise.all([
    show(context, 'show -json', showJsonArgv),
    // Nobody reads the text of a plan that only observes.
    context.run.observes ? '' : show(context, 'show', showTextArgv),
  ]);
  if (typeof json !== 'string') return json;
  const plan = parse(context, json);
  if (!('format_version' in plan)) return plan;
  const values = sensitiveValues(plan);
  context.run.onSensitiveValues(values);
  if (typeof planText !== 'string') return planText;
  const canonical = canonicalizePlan(plan, {
    key: context.run.digestKey.reveal(),
    ignore: context.run.verifyIgnore,
  });
  return {
    summary: summarizePlan(plan, canonical.digest),
    canonical,
    json: plan,
    planText,
    planFile,
    sensitiveValues: values,
    stateResources: countStateResources(plan),
  };
}

async function takePlanFile(context: StageContext): Promise<Buffer | StepFailure> {
  try {
    const file = await readPlanFile(context);
    if (file === undefined || file.length === 0) {
      const reason =
        'The plan stage ended without a plan file. A workflow with its own plan command must write it to `$PLANFILE`.';
      return refuseStep(context, 'plan', reason);
    }
    await placePlanFile(context, file);
    return file;
  } catch (cause) {
    if (cause instanceof UntrustedFileError) return refuseStep(context, 'plan', cause.message);
    throw cause;
  }
}

/** Only a run that took the rights from its own file makes an ordinary user take them back. */
async function readPlanFile({ run, layout }: StageContext): Promise<Buffer | undefined> {
  const folder = layout.output.host;
  const read = () => readConfined(folder, PLAN_FILE, run.limits.artifactBytes);
  try {
    return await read();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EACCES') throw cause;
  }
  await run.slot.reclaim(folder);
  try {
    return await read();
  } finally {
    await run.slot.own(folder);
  }
}

/** Puts the plan file where the sandbox can read it and not write it. */
export async function placePlanFile({ layout }: StageContext, file: Uint8Array): Promise<void> {
  const path = join(layout.plan.host, PLAN_FILE);
  await writeFile(path, file);
  // Whatever our umask is.
  await chmod(path, 0o644);
}

async function show(context: StageContext, step: string, argv: typeof showJsonArgv): Promise<string | StepFailure> {
  const { run, layout } = context;
  const request: ProcessRequest = {
    step,
    argv: argv(run.terraform, join(layout.plan.inside, PLAN_FILE)),
    phase: 'show',
    timeoutMs: run.limits.showMs,
    output: 'quiet',
    // What it complains of is told with the failure, when the values that have to be masked are known.
    filter: () => undefined,
    progress: 'show',
    outputBytes: run.limits.planJsonBytes,
  };
  const outcome = await runProcess(context, request);
  const failure = failureOf(context, request, outcome);
  if (failure !== undefined) return failure;
  if (outcome.result.outputTruncated) {
    const reason = `The plan is larger than ${run.limits.planJsonBytes} bytes when written out. Split the project, or let the operator raise the limit.`;
    return refuseStep(context, step, reason);
  }
  return outcome.result.stdout;
}

function parse(context: StageContext, json: string): PlanJson | StepFailure {
  try {
    return parsePlanJson(json);
  } catch (cause) {
    if (cause instanceof PlanFormatError) return refuseStep(context, 'show -json', cause.message);
    throw cause;
  }
}
