import type { ClaimedRun } from '../src/ports/run-store.ts';
import { LeaseLostError } from '../src/ports/run-store.ts';
import { applyRun } from './apply-run.ts';
import type { RunContext } from './run-context.ts';
import { keepLease, LEASE_MS } from './keep-lease.ts';
import { planRun } from './plan-run.ts';
import { describeError } from './describe-error.ts';
import { wake } from './wake.ts';

/**
 * Works on runs until none may be claimed. The job only wakes: which run is next is decided by the record, so that a lost,
 * repeated or late job changes nothing.
 */
export async function runJob(context: RunContext, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const claimed = await context.runs.claimNext(
      { id: context.workerId, leaseMs: LEASE_MS },
      { perWorker: context.config.parallelism.global, perRepository: context.config.parallelism.perRepository },
    );
    if (claimed === undefined) return;
    await workOn(context, claimed, signal);
  }
}

async function workOn(context: RunContext, run: ClaimedRun, signal: AbortSignal): Promise<void> {
  const logger = context.logger.child({ run: run.id, project: run.projectKey, operation: run.operation });
  const keeper = keepLease(context, run, signal);
  logger.info({ pull: run.pullRequestId }, 'run claimed');
  try {
    const work = run.operation === 'plan' ? planRun : applyRun;
    const end = await work({ ...context, logger }, run, keeper);
    if (end === 'handed_back') await wake(context, await context.runs.handBack(run.lease));
    else {
      await wake(context, await context.runs.finish(run.lease, end));
      logger.info({ state: end.state, result: end.result.kind }, 'run ended');
    }
  } catch (error) {
    if (error instanceof LeaseLostError) logger.warn({}, 'the run was taken from this worker; its result is dropped');
    else await failRun(context, run, error);
  } finally {
    keeper.stop();
  }
}

/** Something of ours went wrong. The person is told, the log has the details, and the run does not stay open. */
async function failRun(context: RunContext, run: ClaimedRun, error: unknown): Promise<void> {
  context.logger.error({ run: run.id, error }, 'the run failed for a reason of our own');
  const current = await context.runs.findRun(run.id);
  const applyBegun = current?.applyStartedAt !== undefined;
  const explanation = describeError(error);
  const end = applyBegun
    ? ({ state: 'interrupted', result: { kind: 'interrupted', reason: explanation } } as const)
    : ({
        state: 'failed',
        result: { kind: 'failed', explanation, diagnostics: [], output: '', applyBegun, erroredState: false },
      } as const);
  try {
    await wake(context, await context.runs.finish(run.lease, { ...end, phases: [] }));
  } catch (finishError) {
    context.logger.warn(
      { run: run.id, error: finishError },
      'the failure could not be recorded; recovery will deal with the run',
    );
  }
}
