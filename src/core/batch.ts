import type { Diagnostic, PlanCounts, PlanSummary } from './plan.ts';
import type { Project, ProjectKey } from './project.ts';
import type { ConfigProblem, PlanDifference, UnmetRequirement } from './reply.ts';
import type { Operation, RunState } from './run.ts';

/** What made a batch. `handover`: the project lock came to this pull request. */
export type BatchTrigger = 'autoplan' | 'command' | 'button' | 'rerun' | 'handover';

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
}

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
      readonly explanation: string | undefined;
    }
  | { readonly kind: 'applied'; readonly counts: PlanCounts; readonly warnings: readonly Diagnostic[] }
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
  readonly operation: Operation;
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
 */
export function advanceBatch(operation: Operation, order: Order, runs: readonly BatchRun[]): BatchStep {
  const states = new Map(runs.map((run) => [run.id, run.state]));
  const cancel: { id: string; reason: string }[] = [];
  for (const run of inOrder(runs)) {
    if (run.state !== 'queued') continue;
    const reason = reasonToCancel(operation, order, run, runs, states);
    if (reason === undefined) continue;
    states.set(run.id, 'cancelled');
    cancel.push({ id: run.id, reason });
  }
  const waiting = inOrder(runs).filter((run) => states.get(run.id) === 'queued' && !run.ready);
  const able = waiting.filter((run) => predecessors(run, runs).every((other) => ended(states.get(other.id))));
  const busy =
    runs.some((run) => states.get(run.id) === 'queued' && run.ready) || runs.some((run) => active(run.state));
  const ready = order.parallel ? able : busy ? [] : able.slice(0, 1);
  return {
    ready: ready.map((run) => run.id),
    cancel,
    finished: [...states.values()].every(ended),
  };
}

function reasonToCancel(
  operation: Operation,
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

function inOrder(runs: readonly BatchRun[]): readonly BatchRun[] {
  const depth = new Map<string, number>();
  const depthOf = (run: BatchRun, seen: ReadonlySet<string>): number => {
    const known = depth.get(run.id);
    if (known !== undefined) return known;
    const before = dependencies(run, runs).filter((other) => !seen.has(other.id));
    const result =
      before.length === 0 ? 0 : 1 + Math.max(...before.map((other) => depthOf(other, new Set([...seen, run.id]))));
    depth.set(run.id, result);
    return result;
  };
  return runs.toSorted(
    (a, b) =>
      a.project.executionOrderGroup - b.project.executionOrderGroup || depthOf(a, new Set()) - depthOf(b, new Set()),
  );
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
  return state === 'succeeded' || unsuccessful(state);
}

function unsuccessful(state: RunState | undefined): boolean {
  return state === 'failed' || state === 'cancelled' || state === 'interrupted';
}

function active(state: RunState): boolean {
  return state === 'claimed' || state === 'running';
}
