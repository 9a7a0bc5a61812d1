import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { DriftProject } from '../src/core/drift/drift-project.ts';
import type { Wakeups } from '../src/core/record.ts';
import { ERRORED_STATE } from '../src/core/sealed-contexts.ts';
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
  if (end === 'handed_back') return recordPatiently(context, run, outcome);
  let refusal: unknown;
  for (const next of [outcome, ...plainEnds(end).map((plain) => ({ end: plain }))]) {
    try {
      return await recordPatiently(context, run, next);
    } catch (error) {
      if (error instanceof LeaseLostError || error instanceof RecordUnavailableError) throw error;
      context.logger.error({ run: run.id, state: end.state, error }, 'the database refuses the result of the run');
      refusal = error;
    }
  }
  throw refusal;
}

async function recordPatiently(context: Recording, run: ClaimedRun, outcome: WorkOutcome): Promise<Wakeups> {
  const { logger, stop } = context;
  const deadline = performance.now() + PATIENCE_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await recordOnce(context, run, outcome);
    } catch (error) {
      // The run is nobody's any more also when an attempt that seemed to fail was committed.
      if (attempt > 1 && error instanceof LeaseLostError && (await isRecorded(context.runs, run, outcome.end)))
        return wakeupsOf(run);
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

async function isRecorded(runs: Recording['runs'], { id }: ClaimedRun, end: RunEnd | 'handed_back'): Promise<boolean> {
  if (end === 'handed_back') return false;
  const recorded = await runs.findRun(id).catch(() => undefined);
  return recorded?.state === end.state && isDeepStrictEqual(recorded.result, JSON.parse(JSON.stringify(end.result)));
}

/** The sweep finds whatever else became ready. */
function wakeupsOf({ pullRequestId }: ClaimedRun): Wakeups {
  return { runIds: [], pullRequestIds: [pullRequestId].filter((id) => id !== undefined), deliveries: [] };
}

/** First with what cannot be made again: that it was applied, and a state of which there may be no other copy. Then without. */
function plainEnds(end: RunEnd): readonly RunEnd[] {
  const { apply, artifacts = [] } = end;
  const kept = { ...(apply && { apply }), ...(artifacts.length > 0 && { artifacts }) };
  const saved = artifacts.some(({ name }) => name === ERRORED_STATE);
  const bare = withoutResult(end, saved ? STATE_LOST : '');
  if (Object.keys(kept).length === 0) return [bare];
  return [{ ...withoutResult(end, saved ? STATE_KEPT : ''), ...kept }, bare];
}

const STATE_KEPT = ` The state that Terraform could not save to its backend is kept as this run's ${ERRORED_STATE}.`;
const STATE_LOST = ` The state that Terraform could not save to its backend (${ERRORED_STATE}) is lost with it: compare what exists with the backend's state, and import what is missing there, before anything is applied again.`;

/** Once an apply has begun nothing else may be said of it than that its outcome is not on record. */
function withoutResult(end: RunEnd, aboutState: string): RunEnd {
  const { result } = end;
  const explanation = `The run ended (${result.kind}), but the database refused its result, which is lost.${aboutState} Holdfast's log has the details under the id of this run.`;
  if (hasBegun(end)) return { state: 'interrupted', result: { kind: 'interrupted', reason: explanation }, phases: [] };
  return {
    state: 'failed',
    result: { kind: 'failed', explanation, diagnostics: [], output: '', applyBegun: false, erroredState: false },
    phases: [],
  };
}
