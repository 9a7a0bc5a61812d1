import type { Progress } from '../../src/core/plan.ts';
import type { Diagnostic } from '../../src/core/plan.ts';
import type { Mount, SandboxResult } from '../../src/ports/sandbox.ts';
import { explainFailure } from './explain-failure.ts';
import type { CancelledProject, FailedProject, ProjectRun, StepTiming } from './project-run.ts';
import { mountOf, type RunLayout } from './run-layout.ts';
import { readStateLock } from './state-lock.ts';
import { type Phase, type Stage, stepEnvironment } from './step-environment.ts';
import { createEventReader, type EventReader, parseTextDiagnostics } from './terraform-events.ts';

/** One stage of one project's workflow while it is being run. */
export interface StageContext {
  readonly run: ProjectRun;
  readonly layout: RunLayout;
  readonly stage: Stage;
  /** Set by `env` and `multienv` steps. */
  readonly stepVariables: Map<string, string>;
  readonly timings: StepTiming[];
  /** Warnings and errors of all steps so far. */
  readonly diagnostics: Diagnostic[];
  /** The last lines of the newest process, as people saw them. */
  tail: string[];
  /** Backend type that init wrote down; undefined before. */
  backendType: string | undefined;
  workspaceSelected: boolean;
  /** What the last apply counted. */
  applied: EventReader['summary'];
}

/** A step that ended the stage. */
export type StepFailure =
  | Omit<FailedProject, 'timings' | 'erroredState'>
  | Omit<CancelledProject, 'timings' | 'erroredState'>;

export interface ProcessRequest {
  /** As people know the step. */
  readonly step: string;
  readonly argv: readonly [string, ...string[]];
  readonly phase: Phase;
  readonly timeoutMs: number;
  /** How its output is to be understood; `quiet` shows people nothing. */
  readonly output: 'events' | 'text' | 'quiet';
  /** What people see of a text line; undefined drops it. */
  readonly filter?: (line: string) => string | undefined;
  /** Resources this process will go through. */
  readonly total?: number;
  readonly progress: Progress['phase'];
  readonly outputBytes?: number;
}

export interface ProcessOutcome {
  readonly result: SandboxResult;
  readonly diagnostics: readonly Diagnostic[];
  readonly summary: EventReader['summary'];
}

const TAIL_LINES = 60;
const TAIL_LINE_LENGTH = 2_000;
/** Files that different slots leave in a place of the operator belong to different uids, and each must be able to go on with them. */
const OPEN_UMASK = ['/bin/sh', '-c', 'umask 000 && exec "$@"', 'sh'] as const;

/** Runs one process of a stage in its own sandbox and keeps what is to be known of it. */
export async function runProcess(context: StageContext, request: ProcessRequest): Promise<ProcessOutcome> {
  const { run, layout } = context;
  context.tail = [];
  const say = (line: string) => {
    context.tail.push(line.slice(0, TAIL_LINE_LENGTH));
    if (context.tail.length > TAIL_LINES) context.tail.shift();
    if (request.output !== 'quiet') run.onLine(line);
  };
  const reader = createEventReader(say, () => reportProgress(context, request, reader));
  reportProgress(context, request, reader);
  const onLine = (line: string, stream: 'stdout' | 'stderr') => {
    if (request.output === 'events') return reader.read(line);
    // A plan written out holds secrets in clear.
    if (request.output === 'quiet' && stream === 'stdout') return;
    const shown = request.filter === undefined ? line : request.filter(line);
    if (shown !== undefined) say(shown);
  };
  const result = await run.slot.run({
    argv: processArgv(context, request),
    cwd: layout.projectDirectory,
    env: stepEnvironment(run, layout, context.stage, request.phase, context.stepVariables),
    mounts: processMounts(context, request.phase),
    network: request.phase === 'show' && run.network !== 'host' ? 'none' : run.network,
    timeoutMs: request.timeoutMs,
    graceMs: run.limits.graceMs,
    outputBytes: request.outputBytes ?? run.limits.outputBytes,
    onLine,
    signal: run.signal,
  });
  context.timings.push({ name: request.step, durationMs: result.durationMs });
  const diagnostics = foundDiagnostics(request, result, reader);
  context.diagnostics.push(...diagnostics);
  return { result, diagnostics, summary: reader.summary };
}

/** Terraform advises to lock for other platforms whenever providers come from a mirror, which is our doing and not the author's. */
const OWN_DOING = /^Incomplete lock file information for providers/;

function foundDiagnostics(request: ProcessRequest, result: SandboxResult, reader: EventReader): readonly Diagnostic[] {
  if (request.output === 'events' && reader.diagnostics.length > 0) {
    return reader.diagnostics.filter(({ summary }) => !OWN_DOING.test(summary));
  }
  // Whatever a custom program prints is not Terraform's word.
  return request.progress === 'custom' ? [] : parseTextDiagnostics(result.stderr);
}

function reportProgress({ run }: StageContext, request: ProcessRequest, reader: EventReader): void {
  const done = request.progress === 'apply' ? reader.applied : reader.refreshed;
  const total = request.total === undefined ? undefined : Math.max(request.total, done);
  run.onProgress({ phase: request.progress, done, total });
}

function processArgv({ run }: StageContext, { argv }: ProcessRequest): readonly [string, ...string[]] {
  return run.mounts.some(({ mode }) => mode === 'rw') ? [...OPEN_UMASK, ...argv] : argv;
}

function processMounts({ run, layout, stage }: StageContext, phase: Phase): readonly Mount[] {
  const { checkout, output, plan, home, initHome, cliConfig } = layout;
  const credentials = [
    ...(phase === 'show' ? [] : run.credentials[stage].mounts),
    ...(phase === 'init' ? run.credentials.init.mounts : []),
  ];
  const providers = run.providers.mirrorDirectories.map((source): Mount => ({ source, mode: 'ro' }));
  const readOnly = [...providers, ...run.providers.mounts, { source: run.terraform.path, mode: 'ro' as const }];
  const own =
    phase === 'show'
      ? [mountOf(checkout, 'ro'), mountOf(plan, 'ro')]
      : [mountOf(checkout, 'rw'), mountOf(output, 'rw'), mountOf(plan, 'ro')];
  const mounts = [
    ...own,
    mountOf(phase === 'init' ? initHome : home, phase === 'show' ? 'ro' : 'rw'),
    mountOf(cliConfig, 'ro'),
    ...readOnly.filter(({ source }) => !isSystemPath(source)),
    ...credentials,
    ...(phase === 'show' ? run.mounts.map((mount): Mount => ({ ...mount, mode: 'ro' })) : run.mounts),
  ];
  return withoutRepeats(mounts);
}

/** Every sandbox sees the system's programs, and nothing else can be mounted there. */
function isSystemPath(path: string): boolean {
  return path.startsWith('/usr/');
}

function withoutRepeats(mounts: readonly Mount[]): readonly Mount[] {
  return [...new Map(mounts.map((mount) => [mount.target ?? mount.source, mount])).values()];
}

/** Says why a process ended its stage; undefined when it succeeded. */
export function failureOf(
  context: StageContext,
  request: ProcessRequest,
  outcome: ProcessOutcome,
): StepFailure | undefined {
  const { result, diagnostics } = outcome;
  if (result.exitCode === 0 && result.stoppedBy === undefined) return undefined;
  // Asked to stop when it was all but done: Terraform that ends with 0 has done everything.
  if (result.exitCode === 0 && result.stoppedBy === 'signal' && request.progress !== 'custom') return undefined;
  const ended = { step: request.step, diagnostics: context.diagnostics, outputTail: context.tail };
  if (result.stoppedBy === 'signal') return { kind: 'cancelled', ...ended, killed: result.exitCode === undefined };
  const stateLock = readStateLock(diagnostics, context.backendType);
  const { step, timeoutMs, progress } = request;
  const errorText = progress === 'custom' ? '' : result.stderr;
  const { workspace } = context.run.project;
  const reason =
    stateLock?.explanation ?? explainFailure({ step, result, timeoutMs, diagnostics, errorText, workspace });
  return { kind: 'failed', ...ended, reason, stateLock };
}

/** A step that cannot be done for a reason of ours. */
export function refuseStep(context: StageContext, step: string, reason: string): StepFailure {
  const ended = { step, diagnostics: context.diagnostics, outputTail: context.tail };
  return { kind: 'failed', ...ended, reason, stateLock: undefined };
}
