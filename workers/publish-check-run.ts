import { createHash } from 'node:crypto';
import { renderCheckRun } from '../src/comments/check-run.ts';
import type { PullRequestState } from '../src/core/record.ts';
import { commitSha } from '../src/core/repository.ts';
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

/** The check run of the head commit. One of an earlier commit that was still going on is ended: its plans were superseded. */
export async function publishCheckRun(publication: Publication): Promise<void> {
  const { context, host, state, wanted } = publication;
  const { planBatch, pull } = state;
  if (!host.capabilities.checkRuns) return;
  await endSuperseded(publication);
  if (planBatch === undefined || planBatch.headSha !== pull.headSha) return;
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
  if (previous?.hash === digestOf(checkRun)) return;
  const id = await host.ensureCheckRun(pull.repository, checkRun, { priority: open ? 'progress' : 'normal' });
  await context.publications.saveCheckRun(pull.id, { id, sha: pull.headSha, hash: digestOf({ ...checkRun, id }) });
}

/** Begins with the status, so that it can be told what was going on. */
function digestOf(checkRun: CheckRun): string {
  return `${checkRun.status}:${createHash('sha256').update(JSON.stringify(checkRun)).digest('base64url')}`;
}

async function endSuperseded({ context, host, state, wanted }: Publication): Promise<void> {
  const { checkRun } = wanted;
  const { pull } = state;
  if (checkRun === undefined || checkRun.sha === pull.headSha || !checkRun.hash.startsWith('in_progress:')) return;
  const ended: CheckRun = {
    id: checkRun.id,
    name: CHECK_RUN_NAME,
    headSha: commitSha(checkRun.sha),
    externalId: pull.id,
    url: context.publicUrl,
    status: 'completed',
    conclusion: 'cancelled',
    title: 'Superseded by a newer commit',
    summary: `Commit ${pull.headSha.slice(0, 7)} came before this one was planned.`,
    actions: [],
  };
  await host.ensureCheckRun(pull.repository, ended);
  await context.publications.saveCheckRun(pull.id, { ...checkRun, hash: digestOf(ended) });
}

function conclude(state: PullRequestState): NonNullable<CheckRun['conclusion']> {
  if (state.planBatch?.mergeSha === undefined || (state.planBatch?.notes.configProblems.length ?? 0) > 0)
    return 'failure';
  const newest = state.latest.filter((run) => run.operation === 'plan' && run.batch.headSha === state.pull.headSha);
  if (newest.some((run) => run.state === 'failed')) return 'failure';
  if (newest.some((run) => run.state === 'cancelled')) return 'cancelled';
  return state.plans.some((plan) => !plan.empty) ? 'neutral' : 'success';
}
