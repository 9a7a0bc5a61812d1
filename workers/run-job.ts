import { type ClaimedRun, LeaseLostError, type RunEnd } from '../src/ports/run-store.ts';
import { applyRun } from './apply-run.ts';
import type { RunContext } from './run-context.ts';
import { keepLease, LEASE_MS, type LeaseKeeper, stopReason } from './keep-lease.ts';
import { planRun } from './plan-run.ts';
import { driftCheckRun } from './drift/drift-check-run.ts';
import type { WorkOutcome } from './drift/open-branch-project.ts';
import { remediationRun } from './drift/remediation-run.ts';
import { recordEnd } from './record-end.ts';
import { describeError } from './describe-error.ts';
import { wake } from '../src/jobs/wake.ts';

/**
 * Works on runs until none may be claimed. The job only wakes: which run is next is decided by the record, so that a lost,
 * repeated or late job changes nothing, and a job that the queue loses does not stop the run that it woke.
 */
export async function runJob(context: RunContext): Promise<void> {
  while (!context.stop.noMore.aborted) {
    const claimed = await context.runs.claimNext(
      { id: context.workerId, leaseMs: LEASE_MS },
      { perWorker: context.config.parallelism.global, perRepository: context.config.parallelism.perRepository },
    );
    if (claimed === undefined) return;
    await workOn(context, claimed);
  }
}

async function workOn(context: RunContext, run: ClaimedRun): Promise<void> {
  const logger = context.logger.child({ run: run.id, project: run.projectKey, operation: run.operation });
  const keeper = keepLease(context, run, context.stop.atOnce);
  const afterwards = new AsyncDisposableStack();
  logger.info({ pull: run.pullRequestId }, 'run claimed');
  try {
    const outcome = await work({ ...context, logger }, run, keeper, afterwards).catch(async (error: unknown) => ({
      end: await failure(context, run, keeper, error),
    }));
    const wakeups = await recordEnd(context, run, outcome);
    const { end } = outcome;
    await wake(context, wakeups);
    if (run.pullRequestId === undefined) await wakeSchedule(context);
    if (end === 'handed_back') logger.info({}, 'run handed back');
    else logger.info({ state: end.state, result: end.result.kind }, 'run ended');
  } catch (error) {
    if (error instanceof LeaseLostError) logger.warn({}, 'the run was taken from this worker; its result is dropped');
    else logger.error({ error }, 'the end of the run could not be recorded; recovery will deal with it');
  } finally {
    keeper.stop();
    await afterwards.disposeAsync().catch((error: unknown) => logger.warn({ error }, 'the run left something behind'));
  }
}

async function work(
  context: RunContext,
  run: ClaimedRun,
  keeper: LeaseKeeper,
  afterwards: AsyncDisposableStack,
): Promise<WorkOutcome> {
  switch (run.operation) {
    case 'plan':
      return { end: await planRun(context, run, keeper, afterwards) };
    case 'apply':
      return { end: await applyRun(context, run, keeper, afterwards) };
    case 'drift_check':
      return driftCheckRun(context, run, keeper, afterwards);
    case 'remediation':
      return remediationRun(context, run, keeper, afterwards);
  }
}

/** Its place is free for the next check that waits. Without this the timer finds that, seconds later. */
async function wakeSchedule({ queue, logger }: RunContext): Promise<void> {
  try {
    await queue.enqueue('drift', {});
  } catch (error) {
    logger.warn({ error }, 'the queue did not take a wake-up; the timer will see to it');
  }
}

/** Something of ours went wrong. The person is told, the log has the details, and the run does not stay open. */
async function failure(
  context: RunContext,
  run: ClaimedRun,
  { signal }: LeaseKeeper,
  error: unknown,
): Promise<RunEnd | 'handed_back'> {
  if (error instanceof LeaseLostError) throw error;
  const current = await context.runs.findRun(run.id);
  const applyBegun = current?.applyStartedAt !== undefined;
  const stop = applyBegun ? undefined : stopReason(signal);
  // What was waited for or being fetched ends with an error when the run has to stop.
  if (stop?.kind === 'cancel')
    return { state: 'cancelled', result: { kind: 'cancelled', reason: stop.reason }, phases: [] };
  if (stop !== undefined) return 'handed_back';
  context.logger.error({ run: run.id, error }, 'the run failed for a reason of our own');
  const explanation = describeError(error);
  if (applyBegun) return { state: 'interrupted', result: { kind: 'interrupted', reason: explanation }, phases: [] };
  return {
    state: 'failed',
    result: { kind: 'failed', explanation, diagnostics: [], output: '', applyBegun, erroredState: false },
    phases: [],
  };
}
