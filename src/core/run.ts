/** One operation on one project. */
export type Operation = 'plan' | 'apply';

export type RunState = 'queued' | 'claimed' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'interrupted';

/**
 * All transitions there are. `claimed -> queued` and `running -> queued` are a dead worker's plan, which is run again;
 * an apply is never run again by machine, it becomes `interrupted`.
 */
const TRANSITIONS: Readonly<Record<RunState, readonly RunState[]>> = {
  queued: ['claimed', 'cancelled', 'failed'],
  claimed: ['running', 'queued', 'failed', 'cancelled', 'interrupted'],
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

/**
 * What becomes of a run whose worker died. An apply that had only been claimed has done nothing yet,
 * but from `running` on its outcome is unknown.
 */
export function afterWorkerDied(operation: Operation, state: 'claimed' | 'running', attempts: number): RunState {
  if (operation === 'apply' && state === 'running') return 'interrupted';
  return attempts < MAX_ATTEMPTS ? 'queued' : 'failed';
}

/** A run that killed its worker this often is not tried again. */
export const MAX_ATTEMPTS = 3;
