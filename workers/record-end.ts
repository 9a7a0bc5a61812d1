import { setTimeout as delay } from 'node:timers/promises';
import type { DriftProject } from '../src/core/drift/drift-project.ts';
import type { Wakeups } from '../src/core/record.ts';
import { type ClaimedRun, LeaseLostError, RecordUnavailableError, type RunEnd } from '../src/ports/run-store.ts';
import type { WorkerContext } from './context.ts';
import { decideEnded, reasonOfResult } from './drift/decide-ended.ts';
import type { WorkOutcome } from './drift/open-branch-project.ts';

/** While the database is away the end of a run is kept in hand this long, tried again at this pace, milliseconds. */
const PATIENCE_MS = 15 * 60_000;
const EVERY_MS = 500;

type Recording = Pick<WorkerContext, 'runs' | 'drift' | 'logger' | 'stop' | 'now'>;

/**
 * Writes down how a run ended. What has happened has happened, so a database that is away for a while must not turn a known end into an
 * unknown one. What it refuses for good is not tried again: a plain end is written in its place, so that people learn of it at once.
 */
export async function recordEnd(context: Recording, run: ClaimedRun, outcome: WorkOutcome): Promise<Wakeups> {
  const { end } = outcome;
  try {
    return await recordPatiently(context, run, outcome);
  } catch (error) {
    if (end === 'handed_back' || error instanceof LeaseLostError || error instanceof RecordUnavailableError)
      throw error;
    context.logger.error({ run: run.id, state: end.state, error }, 'the database refuses the result of the run');
    return recordPatiently(context, run, { end: withoutResult(end) });
  }
}

async function recordPatiently(context: Recording, run: ClaimedRun, outcome: WorkOutcome): Promise<Wakeups> {
  const { logger, stop } = context;
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await recordOnce(context, run, outcome);
    } catch (error) {
      const passing = error instanceof RecordUnavailableError;
      if (!passing || performance.now() > deadline || stop.atOnce.aborted) throw error;
      logger.warn({ run: run.id, error }, 'the end of the run could not be recorded; it is tried again');
      await delay(EVERY_MS);
    }
  }
}

async function recordOnce(context: Recording, run: ClaimedRun, { end, decide }: WorkOutcome): Promise<Wakeups> {
  if (end === 'handed_back') return context.runs.handBack(run.lease);
  if (run.pullRequestId !== undefined) return context.runs.finish(run.lease, end);
  const ended = { ...run, ...end, runId: run.id, actor: run.batch.actor, reason: reasonOfResult(end.result) };
  const without = (project: DriftProject) =>
    decideEnded(
      project,
      { ...ended, fingerprint: run.batch.notes.remediation?.fingerprint, begun: hasBegun(end) },
      context.now(),
    );
  return context.drift.finish(run.lease, end, decide ?? without);
}

function hasBegun({ state, result, apply }: RunEnd): boolean {
  return apply !== undefined || state === 'interrupted' || (result.kind === 'failed' && result.applyBegun);
}

/** Once an apply has begun nothing else may be said of it than that its outcome is not on record. */
function withoutResult(end: RunEnd): RunEnd {
  const { result } = end;
  const explanation = `The run ended (${result.kind}), but the database refused its result, which is lost. Holdfast's log has the details under the id of this run.`;
  if (hasBegun(end)) return { state: 'interrupted', result: { kind: 'interrupted', reason: explanation }, phases: [] };
  return {
    state: 'failed',
    result: { kind: 'failed', explanation, diagnostics: [], output: '', applyBegun: false, erroredState: false },
    phases: [],
  };
}
