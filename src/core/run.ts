/** What is done to one project for a pull request. */
export type PullRequestOperation = 'plan' | 'apply';

/** What is done to one project of the tracked branch: looking for drift, and putting it right. */
export type BranchOperation = 'drift_check' | 'remediation';

export type Operation = PullRequestOperation | BranchOperation;

export function isPullRequestOperation(operation: Operation): operation is PullRequestOperation {
  return operation === 'plan' || operation === 'apply';
}

/** Those that change reality. */
export function isApplying(operation: Operation): boolean {
  return operation === 'apply' || operation === 'remediation';
}

export type RunState = 'queued' | 'claimed' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted';

/**
 * All transitions there are. Back to `queued` goes a plan whose worker died, and a run that its worker handed back while it stopped;
 * what applies is never run again by machine once it may have begun, it becomes `interrupted`.
 */
const TRANSITIONS: Readonly<Record<RunState, readonly RunState[]>> = {
  queued: ['claimed', 'cancelled'],
  claimed: ['running', 'queued', 'failed', 'cancelled'],
  running: ['succeeded', 'failed', 'cancelled', 'queued', 'interrupted'],
  succeeded: [],
  failed: [],
  cancelled: [],
  interrupted: [],
};

export function mayBecome(from: RunState, to: RunState): boolean {
  return TRANSITIONS[from].includes(to);
}

/** The states from which `to` can be reached; what a guarded UPDATE puts into its WHERE. */
export function statesBefore(to: RunState): readonly RunState[] {
  return (Object.keys(TRANSITIONS) as RunState[]).filter((from) => mayBecome(from, to));
}

export function isFinal(state: RunState): boolean {
  return TRANSITIONS[state].length === 0;
}

/** A run that killed its worker this often is not tried again. */
export const MAX_ATTEMPTS = 3;

export interface DeadRun {
  readonly operation: Operation;
  readonly attempts: number;
  /** `terraform apply` was started, or was about to be: that was written down before. */
  readonly applyBegun: boolean;
  /** Somebody had asked for it to stop. */
  readonly cancelRequested: boolean;
}

export interface Recovery {
  readonly state: 'queued' | 'failed' | 'cancelled' | 'interrupted';
  readonly reason: string;
}

/** What becomes of a run whose worker died. */
export function afterWorkerDied(run: DeadRun): Recovery {
  if (isApplying(run.operation)) {
    if (run.applyBegun)
      return { state: 'interrupted', reason: 'The worker died while terraform was applying; what it did is unknown.' };
    if (run.cancelRequested) return { state: 'cancelled', reason: 'Cancelled. Nothing was applied.' };
    return { state: 'failed', reason: 'The worker died before terraform began to apply. Nothing was applied.' };
  }
  if (run.cancelRequested) return { state: 'cancelled', reason: 'Cancelled.' };
  if (run.attempts < MAX_ATTEMPTS) return { state: 'queued', reason: 'The worker died; the project is planned again.' };
  return { state: 'failed', reason: `The worker died ${MAX_ATTEMPTS} times in a row while planning this project.` };
}
