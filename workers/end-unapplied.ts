import { artifactContext, ERRORED_STATE } from '../src/core/sealed-contexts.ts';
import type { ClaimedRun, RunEnd } from '../src/ports/run-store.ts';
import { type LeaseKeeper, stopReason } from './keep-lease.ts';
import { failed, maskDiagnostics, toPhases } from './plan-run.ts';
import type { RunContext } from './run-context.ts';
import type { RunOutput } from './run-output.ts';
import type { ApplyOutcome, PlannedProject } from './steps/project-run.ts';

/** An apply that had begun and did not come to its end. */
export interface Unapplied {
  readonly run: Pick<ClaimedRun, 'id'>;
  readonly keeper: LeaseKeeper;
  readonly output: RunOutput;
  readonly fresh: PlannedProject;
  /** What people do next, as a sentence. */
  readonly next: string;
  readonly outcome: Exclude<ApplyOutcome, { kind: 'applied' }>;
}

/** It had begun, so some of it may have happened: the plan is spent, and a new one says where things stand. */
export function endUnapplied(context: RunContext, { run, keeper, output, fresh, next, outcome }: Unapplied): RunEnd {
  if (outcome.kind === 'refused') return failed(output.mask(outcome.reason), toPhases(fresh.timings));
  const stop = stopReason(keeper.signal);
  const why =
    stop?.kind === 'cancel'
      ? `${stop.reason} Terraform was asked to stop and ended in order; what it had done until then is done.`
      : stop?.kind === 'shutdown'
        ? 'Holdfast was being stopped. Terraform was asked to stop and ended in order; what it had done until then is done.'
        : stop?.kind === 'lease_lost'
          ? 'Holdfast lost its database for too long. Terraform was asked to stop; what it had done until then is done.'
          : outcome.kind === 'failed'
            ? outcome.reason
            : 'It was stopped.';
  if (outcome.kind === 'cancelled' && outcome.killed === true) {
    return {
      state: 'interrupted',
      result: {
        kind: 'interrupted',
        reason: `${stop?.kind === 'cancel' ? `${stop.reason} ` : ''}Terraform was asked to stop, did not end in time and was killed; what it did is unknown.`,
      },
      phases: toPhases([...fresh.timings, ...outcome.timings]),
      artifacts: keepErroredState(context, run.id, outcome.erroredState),
    };
  }
  return {
    state: 'failed',
    result: {
      kind: 'failed',
      explanation: `${output.mask(why)} ${next}`,
      diagnostics: maskDiagnostics(outcome.diagnostics, output),
      output: output.mask(outcome.outputTail.join('\n')),
      applyBegun: true,
      erroredState: outcome.erroredState !== undefined,
    },
    phases: toPhases([...fresh.timings, ...outcome.timings]),
    artifacts: keepErroredState(context, run.id, outcome.erroredState),
  };
}

export function keepErroredState(context: RunContext, runId: string, state: Uint8Array | undefined) {
  if (state === undefined) return [];
  return [{ name: ERRORED_STATE, content: context.seal.seal(state, artifactContext(runId, ERRORED_STATE)) }];
}
