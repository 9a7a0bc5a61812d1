import { renderCheckRun } from '../src/comments/check-run.ts';
import type { PullRequestState } from '../src/core/record.ts';
import type { PublicationState } from '../src/ports/publication-store.ts';
import type { CheckRun, VcsHost } from '../src/ports/vcs-host.ts';
import type { WorkerContext } from './context.ts';
import { CHECK_RUN_NAME } from './own-checks.ts';
import { planCommentView } from './views/plan-comment-view.ts';

interface Publication {
  readonly context: WorkerContext;
  readonly host: VcsHost;
  readonly state: PullRequestState;
  readonly wanted: PublicationState;
}

export async function publishCheckRun({ context, host, state, wanted }: Publication): Promise<void> {
  const { planBatch, pull } = state;
  if (!host.capabilities.checkRuns || planBatch === undefined || planBatch.headSha !== pull.headSha) return;
  const view = await planCommentView(context, state);
  if (view === undefined) return;
  const { title, summary, actions } = renderCheckRun(view, { limit: host.limits.checkSummaryLength });
  const open = state.open.length > 0;
  const previous = wanted.checkRun?.sha === pull.headSha ? wanted.checkRun : undefined;
  const checkRun: CheckRun = {
    id: previous?.id,
    name: CHECK_RUN_NAME,
    headSha: pull.headSha,
    externalId: planBatch.id,
    url: view.pageUrl ?? context.publicUrl,
    status: open ? 'in_progress' : 'completed',
    conclusion: open ? undefined : conclude(state),
    title,
    summary,
    actions: open ? [] : actions,
  };
  const hash = JSON.stringify(checkRun);
  if (previous?.hash === hash) return;
  const id = await host.ensureCheckRun(pull.repository, checkRun, { priority: open ? 'progress' : 'normal' });
  await context.publications.saveCheckRun(pull.id, {
    id,
    sha: pull.headSha,
    hash: JSON.stringify({ ...checkRun, id }),
  });
}

function conclude(state: PullRequestState): NonNullable<CheckRun['conclusion']> {
  if (state.planBatch?.mergeSha === undefined || (state.planBatch?.notes.configProblems.length ?? 0) > 0)
    return 'failure';
  const newest = state.latest.filter((run) => run.operation === 'plan' && run.batch.headSha === state.pull.headSha);
  if (newest.some((run) => run.state === 'failed')) return 'failure';
  if (newest.some((run) => run.state === 'cancelled')) return 'cancelled';
  return state.plans.some((plan) => !plan.empty) ? 'neutral' : 'success';
}
