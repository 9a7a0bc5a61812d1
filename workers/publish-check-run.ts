import { createHash } from 'node:crypto';
import { renderCheckRun } from '../src/comments/check-run.ts';
import type { PlanCommentView } from '../src/comments/view.ts';
import { HostRefusedError } from '../src/core/host-error.ts';
import { newestBatch } from '../src/core/newest-batch.ts';
import type { PullRequestState } from '../src/core/record.ts';
import { commitSha } from '../src/core/repository.ts';
import type { PublicationState, PublishedCheckRun } from '../src/ports/publication-store.ts';
import type { CheckRun, VcsHost, WriteOptions } from '../src/ports/vcs-host.ts';
import type { WorkerContext } from './context.ts';
import type { PublishKeeper } from './keep-publishing.ts';
import { CHECK_RUN_NAME } from './own-checks.ts';

interface Publication {
  readonly context: WorkerContext;
  readonly host: VcsHost;
  readonly state: PullRequestState;
  readonly wanted: PublicationState;
  readonly keeper: PublishKeeper;
  readonly view: PlanCommentView | undefined;
}

/** The check run of the head commit. One of an earlier commit that was still going on is ended: its plans were superseded. */
export async function publishCheckRun(publication: Publication): Promise<void> {
  const { context, host, state, wanted, view } = publication;
  const { planBatch, pull } = state;
  if (!host.capabilities.checkRuns) return;
  await endSuperseded(publication);
  if (planBatch === undefined || planBatch.headSha !== pull.headSha) return;
  if (view === undefined) return;
  const { title, summary, actions } = renderCheckRun(view, { limit: host.limits.checkSummaryLength });
  const open = state.open.length > 0;
  const checkRun: CheckRun = {
    name: CHECK_RUN_NAME,
    headSha: pull.headSha,
    // Whatever was done since makes the buttons of before outdated.
    externalId: newestBatch(state)?.id ?? planBatch.id,
    url: view.pageUrl ?? context.publicUrl,
    status: open ? GOING_ON : 'completed',
    conclusion: open ? undefined : conclude(state),
    title,
    summary,
    actions: open ? [] : actions,
  };
  const previous = wanted.checkRun?.sha === pull.headSha ? wanted.checkRun : undefined;
  const hash = digestOf(checkRun);
  if (previous?.id !== undefined && (previous.hash === hash || (open && isGoingOn(previous.hash)))) return;
  const id = await write(publication, previous, checkRun, { priority: open ? 'progress' : 'normal' });
  await context.publications.saveCheckRun(pull.id, { id, sha: pull.headSha, hash });
}

/** Marked before the host is asked to make one; after a crash in between, ours is looked for by what it was made for. */
async function write(
  { context, host, wanted, keeper }: Publication,
  previous: PublishedCheckRun | undefined,
  checkRun: CheckRun,
  options: WriteOptions,
): Promise<string> {
  const { id, repository } = wanted.pull;
  const known = previous && (await findId(host, wanted, previous));
  keeper.check();
  if (known !== undefined && (await host.updateCheckRun(repository, known, checkRun, options))) return known;
  await context.publications.beginCheckRun(id, { sha: checkRun.headSha, externalId: checkRun.externalId });
  return host.createCheckRun(repository, checkRun, options);
}

async function findId(
  host: VcsHost,
  { pull }: PublicationState,
  checkRun: PublishedCheckRun,
): Promise<string | undefined> {
  if (checkRun.id !== undefined) return checkRun.id;
  const { externalId, sha } = checkRun;
  return host.findOwnCheckRun(pull.repository, { name: CHECK_RUN_NAME, headSha: commitSha(sha), externalId });
}

const GOING_ON: CheckRun['status'] = 'in_progress';

/** How far it is, the comment tells. */
function isGoingOn(hash: string): boolean {
  return hash.startsWith(`${GOING_ON}:`);
}

/** Begins with the status, so that it can be told what was going on. */
function digestOf(checkRun: CheckRun): string {
  return `${checkRun.status}:${createHash('sha256').update(JSON.stringify(checkRun)).digest('base64url')}`;
}

/** What the host refuses here must not keep the new commit from getting its own. */
async function endSuperseded(publication: Publication): Promise<void> {
  const { context, wanted } = publication;
  try {
    await endCheckRunOf(publication);
  } catch (error) {
    if (!(error instanceof HostRefusedError)) throw error;
    context.logger.warn({ pull: wanted.pull.id, error }, 'the check run of a superseded commit could not be ended');
  }
}

async function endCheckRunOf({ context, host, state: { pull }, wanted, keeper }: Publication): Promise<void> {
  const { checkRun } = wanted;
  if (checkRun === undefined || checkRun.sha === pull.headSha) return;
  if (checkRun.id !== undefined && !isGoingOn(checkRun.hash)) return;
  const ended: CheckRun = {
    name: CHECK_RUN_NAME,
    headSha: commitSha(checkRun.sha),
    // Whoever asks for a re-run here names this commit: the same on another one is another request.
    externalId: `${pull.id}@${checkRun.sha}`,
    url: context.publicUrl,
    status: 'completed',
    conclusion: 'cancelled',
    title: 'Superseded by a newer commit',
    summary: `Commit ${pull.headSha.slice(0, 7)} came before this one was planned.`,
    actions: [],
  };
  const id = await findId(host, wanted, checkRun);
  keeper.check();
  if (id === undefined || !(await host.updateCheckRun(pull.repository, id, ended))) return;
  await context.publications.saveCheckRun(pull.id, { id, sha: checkRun.sha, hash: digestOf(ended) });
}

function conclude(state: PullRequestState): NonNullable<CheckRun['conclusion']> {
  if (state.planBatch?.mergeSha === undefined || (state.planBatch?.notes.configProblems.length ?? 0) > 0)
    return 'failure';
  const newest = state.latest.filter((run) => run.operation === 'plan' && run.batch.headSha === state.pull.headSha);
  if (newest.some((run) => run.state === 'failed')) return 'failure';
  if (newest.some((run) => run.state === 'cancelled')) return 'cancelled';
  return state.plans.some((plan) => !plan.empty) ? 'neutral' : 'success';
}
