import { countOf, progressText } from '../comments/wording.ts';
import type { RunResult } from '../core/batch.ts';
import type { DriftFindings } from '../core/drift/drift.ts';
import type { PlanCounts } from '../core/plan.ts';
import { projectTitle } from '../core/project.ts';
import type { PullRequestRecord, RunRecord } from '../core/record.ts';
import { fullName, type Repository } from '../core/repository.ts';
import type { Operation } from '../core/run.ts';
import type { OriginView, PullRefView, RunListItemView } from '../pages/view.ts';
import type { PageSources } from './page-sources.ts';

export function presentPull(pull: PullRequestRecord): PullRefView {
  return { repository: fullName(pull.repository), number: pull.number, url: pull.url };
}

/** Where the run belongs; undefined when that is not on record any more. */
export async function findOrigin(
  { pulls }: Pick<PageSources, 'pulls'>,
  run: RunRecord,
): Promise<RunOrigin | undefined> {
  if (run.pullRequestId === undefined) {
    const repository = await pulls.findRepository(run.repositoryId);
    return repository && { repository, view: { label: fullName(repository), url: repository.url } };
  }
  const pull = await pulls.find(run.pullRequestId);
  if (pull === undefined) return undefined;
  const view = { label: `${fullName(pull.repository)}#${pull.number}`, url: pull.url };
  return { repository: pull.repository, view };
}

export interface RunOrigin {
  readonly repository: Repository;
  readonly view: OriginView;
}

/** One run as a line of a list. */
export function presentRun(run: RunRecord, origin: OriginView): RunListItemView {
  return {
    id: run.id,
    origin,
    project: projectTitle(run.project),
    operation: run.operation,
    state: run.state,
    outcome: run.result && outcomeText(run.result, run.operation),
    counts: run.result && countsOf(run.result),
    progress: run.progress,
    actor: run.batch.actor.login,
    queuedAt: run.queuedAt,
    durationMs: run.startedAt && run.finishedAt ? run.finishedAt.getTime() - run.startedAt.getTime() : undefined,
  };
}

/** What a run that has not ended is doing; undefined when there is nothing to say beyond its state. */
export async function runStateText({ runs }: Pick<PageSources, 'runs'>, run: RunRecord): Promise<string | undefined> {
  if (run.state === 'queued') {
    if (!run.ready) return 'waits for other projects of this pull request';
    const position = (await runs.queuePositions([run.id])).get(run.id);
    return position === undefined ? undefined : `number ${position} in the queue`;
  }
  if (run.cancelReason !== undefined) return 'stopping';
  return run.state === 'running' && run.progress !== undefined ? progressText(run.progress) : undefined;
}

function outcomeText(result: RunResult, operation: Operation): string | undefined {
  switch (result.kind) {
    case 'planned':
      return result.summary.empty ? 'no changes' : 'planned';
    case 'applied':
      return operation === 'remediation' ? 'the drift was put right' : 'applied';
    case 'checked':
      return CHECK_OUTCOMES[result.sync](result.drifting);
    case 'refused':
      return `not applied: ${countOf(result.unmet.length, 'requirement')} not met`;
    case 'plan_changed':
      return 'not applied: the plan has changed since it was approved';
    case 'failed':
      return result.applyBegun ? 'failed while applying' : undefined;
    case 'cancelled':
      return undefined;
    case 'interrupted':
      return 'outcome unknown';
  }
}

const CHECK_OUTCOMES: Readonly<Record<DriftFindings['sync'], (drifting: number) => string>> = {
  drift: (drifting) => `drift in ${countOf(drifting, 'resource')}`,
  pending: () => 'no drift; merged and not applied yet',
  baseline_unknown: () => 'no drift; merged and not applied yet, or changed by what the code reads',
  external: () => 'no drift; changed by what the code reads',
  state_only: () => 'in sync, but for what an apply leaves alone',
  absorbed: () => 'in sync: the code has come to say what runs',
  in_sync: () => 'in sync',
  unknown: () => 'nothing was proved',
};

function countsOf(result: RunResult): PlanCounts | undefined {
  switch (result.kind) {
    case 'planned':
    case 'plan_changed':
      return result.summary.counts;
    case 'applied':
      return result.counts;
    default:
      return undefined;
  }
}
