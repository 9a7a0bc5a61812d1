import type { RunResult } from '../../src/core/batch.ts';
import { decideError, decideRemediated, decideStopped } from '../../src/core/drift/decide-check.ts';
import type { DriftDecision, DriftProject } from '../../src/core/drift/drift-project.ts';
import type { Account } from '../../src/core/pull-request.ts';
import type { BranchOperation, RunState } from '../../src/core/run.ts';

/** A run on the tracked branch that ended without a finding, and without what it was to do. */
export interface EndedWithout {
  readonly operation: BranchOperation;
  readonly state: RunState;
  readonly reason: string;
  readonly actor: Account;
  /** Of the drift that was to be put right. */
  readonly fingerprint: string | undefined;
  /** Terraform had begun to apply. */
  readonly begun: boolean;
  readonly runId: string;
}

export function decideEnded(project: DriftProject, ended: EndedWithout, now: Date): DriftDecision {
  const { operation, state, reason, actor, fingerprint, begun, runId } = ended;
  if (operation === 'drift_check') {
    return state === 'cancelled' ? decideStopped(project, now) : decideError(project, now);
  }
  return decideRemediated(project, {
    runId,
    by: actor,
    fingerprint: fingerprint ?? '',
    failure: reason,
    begun,
    now,
  });
}

/** Why a run has no result, in sentences. */
export function reasonOfResult(result: RunResult): string {
  switch (result.kind) {
    case 'failed':
      return result.explanation;
    case 'cancelled':
    case 'interrupted':
      return result.reason;
    case 'refused':
      return result.unmet.map(({ what, next }) => `${what}. ${next}`).join(' ');
    default:
      return 'It ended without a result.';
  }
}
