import type { DriftFindings } from './drift/drift.ts';
import type { Diagnostic, PlanCounts, PlanSummary } from './plan.ts';
import type { Project, ProjectKey } from './project.ts';
import type { ConfigProblem, LeftOut, PlanDifference, UnmetRequirement } from './reply.ts';
import { isFinal, type PullRequestOperation, type RunState } from './run.ts';

/** What made a batch. `handover`: the project lock came to this pull request; `recheck`: something found is to be confirmed. */
export type BatchTrigger =
  | 'autoplan'
  | 'command'
  | 'button'
  | 'rerun'
  | 'handover'
  | 'schedule'
  | 'recheck'
  | 'put_right'
  | 'drift_command';

/** What was found while deciding and must be told to people with the result. */
export interface BatchNotes {
  /** Sentences on folders that are recognised and not planned, and the like. */
  readonly explanations: readonly string[];
  readonly configProblems: readonly ConfigProblem[];
  /** Root modules that the pull request deletes; nothing is destroyed by that. */
  readonly removedRoots: readonly string[];
  /** How head and base were joined, or why they could not be. */
  readonly mergeNote: string | undefined;
  readonly extraArgs: readonly string[];
  /** `--verbose`: answers show the whole output, not only its end. */
  readonly verbose: boolean;
  /** Repository config: run one after the other, and whether a failure stops the later groups. */
  readonly parallel: boolean;
  readonly abortOnFailure: boolean;
  readonly automerge: { readonly method: 'merge' | 'squash' | 'rebase' | undefined } | undefined;
  /** Only of an apply, and only when something was left out of it. */
  readonly leftOut?: LeftOut;
  /** Of a remediation: what was asked for. */
  readonly remediation?: RemediationOrder;
}

/** What somebody asked to have put right. */
export interface RemediationOrder {
  /** Of the drift that they saw. */
  readonly fingerprint: string;
  /** Addresses whose real objects they agree to have deleted. */
  readonly destroys: readonly string[];
}

/** Nothing to tell. */
export const NO_NOTES: BatchNotes = {
  explanations: [],
  configProblems: [],
  removedRoots: [],
  mergeNote: undefined,
  extraArgs: [],
  verbose: false,
  parallel: true,
  abortOnFailure: false,
  automerge: undefined,
};

/** How long one phase of a run took. */
export interface RunPhase {
  readonly name: string;
  readonly ms: number;
}

/** How a run ended. Every text is masked. */
export type RunResult =
  | {
      readonly kind: 'planned';
      readonly summary: PlanSummary;
      readonly warnings: readonly Diagnostic[];
      /** Why this plan may be looked at only and never applied; undefined: nothing of the kind is known. */
      readonly applyRefusal: string | undefined;
    }
  | {
      readonly kind: 'applied';
      readonly counts: PlanCounts;
      readonly warnings: readonly Diagnostic[];
      /** What was done otherwise than approved, where the server only warns about that. */
      readonly differences?: readonly PlanDifference[];
    }
  /** A drift check came to a finding. */
  | {
      readonly kind: 'checked';
      readonly sync: DriftFindings['sync'];
      /** Resources that drift. */
      readonly drifting: number;
      /** Resources that differ in any way. */
      readonly differing: number;
    }
  /** The requirements were not met; nothing was run. */
  | { readonly kind: 'refused'; readonly unmet: readonly UnmetRequirement[] }
  /** What would be done now is not what was approved; the fresh plan became the one to approve. */
  | { readonly kind: 'plan_changed'; readonly differences: readonly PlanDifference[]; readonly summary: PlanSummary }
  | {
      readonly kind: 'failed';
      readonly explanation: string;
      readonly diagnostics: readonly Diagnostic[];
      /** The last of what was printed. */
      readonly output: string;
      /** `terraform apply` had begun, so some of it may have happened. */
      readonly applyBegun: boolean;
      readonly erroredState: boolean;
    }
  | { readonly kind: 'cancelled'; readonly reason: string }
  | { readonly kind: 'interrupted'; readonly reason: string };

export interface NewRun {
  readonly projectKey: ProjectKey;
  readonly project: Project;
}

export interface NewBatch {
  /** The same trigger seen twice makes one batch. */
  readonly triggerKey: string;
  readonly operation: PullRequestOperation;
  readonly trigger: BatchTrigger;
  readonly actor: { readonly id: string; readonly login: string };
  readonly headSha: string;
  readonly baseSha: string;
  readonly mergeSha: string | undefined;
  readonly sourceCommentId: string | undefined;
  readonly notes: BatchNotes;
  readonly runs: readonly NewRun[];
}

/** What advancing a batch looks at of each of its runs. */
export interface BatchRun {
  readonly id: string;
  readonly state: RunState;
  readonly ready: boolean;
  readonly project: Pick<Project, 'name' | 'dir' | 'executionOrderGroup' | 'dependsOn'>;
}

export interface BatchStep {
  /** Nothing that must end before them is left. */
  readonly ready: readonly string[];
  readonly cancel: readonly { readonly id: string; readonly reason: string }[];
  /** Every run is final once this step is recorded. */
  readonly finished: boolean;
}

type Order = Pick<BatchNotes, 'parallel' | 'abortOnFailure'>;

/**
 * What may start now that some runs of a batch have ended. A lower execution order group ends first, then the projects in
 * `depends_on`. An apply is not started when one it depends on was not applied; a plan is, so that people see it.
 * Runs that wait for each other are cancelled, so that every batch ends: no config says so, but plans of two commits can.
 */
export function advanceBatch(operation: PullRequestOperation, order: Order, runs: readonly BatchRun[]): BatchStep {
  const states = new Map(runs.map((run) => [run.id, run.state]));
  const cancel = cancelHopeless(operation, order, runs, states);
  const waiting = runs.filter((run) => states.get(run.id) === 'queued' && !run.ready);
  const able = waiting.filter((run) => predecessors(run, runs).every((other) => ended(states.get(other.id))));
  const busy =
    runs.some((run) => states.get(run.id) === 'queued' && run.ready) || runs.some((run) => active(run.state));
  const ready = order.parallel ? able : busy ? [] : able.slice(0, 1);
  const stuck = busy || able.length > 0 ? [] : waiting;
  return {
    ready: ready.map((run) => run.id),
    cancel: [...cancel, ...stuck.map((run) => ({ id: run.id, reason: reasonStuck(stuck) }))],
    finished: ready.length === 0 && !busy,
  };
}

function reasonStuck(stuck: readonly BatchRun[]): string {
  return `it can never start: by \`depends_on\` and their execution order groups ${stuck.map(label).join(', ')} wait for each other`;
}

/** Until nothing is found any more, because one that is cancelled takes others with it. */
function cancelHopeless(
  operation: PullRequestOperation,
  order: Order,
  runs: readonly BatchRun[],
  states: Map<string, RunState>,
): BatchStep['cancel'] {
  const found = runs.flatMap((run) => {
    if (states.get(run.id) !== 'queued') return [];
    const reason = reasonToCancel(operation, order, run, runs, states);
    return reason === undefined ? [] : [{ id: run.id, reason }];
  });
  for (const { id } of found) states.set(id, 'cancelled');
  return found.length === 0 ? [] : [...found, ...cancelHopeless(operation, order, runs, states)];
}

function reasonToCancel(
  operation: PullRequestOperation,
  order: Order,
  run: BatchRun,
  runs: readonly BatchRun[],
  states: ReadonlyMap<string, RunState>,
): string | undefined {
  const bad = (other: BatchRun): boolean => unsuccessful(states.get(other.id));
  if (operation === 'apply') {
    const missing = dependencies(run, runs).find(bad);
    if (missing !== undefined) return `${label(missing)}, which it depends on, was not applied`;
  }
  if (!order.abortOnFailure) return undefined;
  const failed = runs.find(
    (other) => other.project.executionOrderGroup < run.project.executionOrderGroup && bad(other),
  );
  return failed && `${label(failed)} in an earlier execution order group did not succeed`;
}

function predecessors(run: BatchRun, runs: readonly BatchRun[]): readonly BatchRun[] {
  const earlier = runs.filter((other) => other.project.executionOrderGroup < run.project.executionOrderGroup);
  return [...earlier, ...dependencies(run, runs)];
}

function dependencies(run: BatchRun, runs: readonly BatchRun[]): readonly BatchRun[] {
  return runs.filter(
    (other) => other !== run && other.project.name !== undefined && run.project.dependsOn.includes(other.project.name),
  );
}

function label(run: BatchRun): string {
  return `\`${run.project.name ?? run.project.dir}\``;
}

function ended(state: RunState | undefined): boolean {
  return state !== undefined && isFinal(state);
}

function unsuccessful(state: RunState | undefined): boolean {
  return ended(state) && state !== 'succeeded';
}

function active(state: RunState): boolean {
  return state === 'claimed' || state === 'running';
}
