import { setTimeout as delay } from 'node:timers/promises';
import type { Wakeups } from '../src/core/record.ts';
import { type ClaimedRun, LeaseLostError, RecordUnavailableError, type RunEnd } from '../src/ports/run-store.ts';
import type { WorkerContext } from './context.ts';

/** While the database is away the end of a run is kept in hand this long, tried again at this pace, milliseconds. */
const PATIENCE_MS = 15 * 60_000;
const EVERY_MS = 500;

type Recording = Pick<WorkerContext, 'runs' | 'logger' | 'stop'>;

/**
 * Writes down how a run ended. What has happened has happened, so a database that is away for a while must not turn a known end into an
 * unknown one. What it refuses for good is not tried again: a plain end is written in its place, so that people learn of it at once.
 */
export async function recordEnd(context: Recording, run: ClaimedRun, end: RunEnd | 'handed_back'): Promise<Wakeups> {
  try {
    return await recordPatiently(context, run, end);
  } catch (error) {
    if (end === 'handed_back' || error instanceof LeaseLostError || error instanceof RecordUnavailableError)
      throw error;
    context.logger.error({ run: run.id, state: end.state, error }, 'the database refuses the result of the run');
    return recordPatiently(context, run, withoutResult(end));
  }
}

async function recordPatiently(
  { runs, logger, stop }: Recording,
  run: ClaimedRun,
  end: RunEnd | 'handed_back',
): Promise<Wakeups> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await (end === 'handed_back' ? runs.handBack(run.lease) : runs.finish(run.lease, end));
    } catch (error) {
      const passing = error instanceof RecordUnavailableError;
      if (!passing || performance.now() > deadline || stop.atOnce.aborted) throw error;
      logger.warn({ run: run.id, error }, 'the end of the run could not be recorded; it is tried again');
      await delay(EVERY_MS);
    }
  }
}

/** Once an apply has begun nothing else may be said of it than that its outcome is not on record. */
function withoutResult(end: RunEnd): RunEnd {
  const { state, result, apply } = end;
  const begun = apply !== undefined || state === 'interrupted' || (result.kind === 'failed' && result.applyBegun);
  const explanation = `The run ended (${result.kind}), but the database refused its result, which is lost. Holdfast's log has the details under the id of this run.`;
  if (begun) return { state: 'interrupted', result: { kind: 'interrupted', reason: explanation }, phases: [] };
  return {
    state: 'failed',
    result: { kind: 'failed', explanation, diagnostics: [], output: '', applyBegun: false, erroredState: false },
    phases: [],
  };
}
