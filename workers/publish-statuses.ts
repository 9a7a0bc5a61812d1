import { cutStatus } from '../src/comments/status.ts';
import type { StatusView } from '../src/comments/view.ts';
import { HostRefusedError } from '../src/core/host-error.ts';
import type { PullRequestState, RunRecord } from '../src/core/record.ts';
import { commitSha } from '../src/core/repository.ts';
import { servesBranch } from '../src/core/resolve-rules.ts';
import type { PublicationState } from '../src/ports/publication-store.ts';
import type { CommitStatus, VcsHost } from '../src/ports/vcs-host.ts';
import type { WorkerContext } from './context.ts';
import { rulesOf } from './gather-pull-request.ts';
import { APPLY_STATUS, PLAN_STATUS, projectStatusName } from './own-checks.ts';
import type { Pace } from './publish-pace.ts';
import { isNeverApplied, planFacts, type ProjectRuns } from './views/current-projects.ts';

/** Beyond this many projects only the aggregate is posted: each status is a write against the host's hourly budget. */
const PER_PROJECT_LIMIT = 10;

interface Publication {
  readonly context: WorkerContext;
  readonly host: VcsHost;
  readonly state: PullRequestState;
  readonly wanted: PublicationState;
  readonly show: Pace['show'];
  readonly rows: readonly ProjectRuns[];
}

/**
 * What the head commit should show, as far as it is not there yet. Statuses always end: a pull request that touches no project gets
 * its green ones, and one that is closed keeps none that wait.
 */
export function listStatuses({ context, host, state, wanted, show, rows }: Publication): readonly CommitStatus[] {
  if (state.planBatch === undefined || state.planBatch.headSha !== state.pull.headSha) return [];
  const all = listAll(context, host, state, rows);
  const served = servesBranch(rulesOf(context, state.pull.repository), state.pull.baseRef);
  return settle(all, state, wanted, served).filter((status) =>
    isNews(status, wanted.statuses.get(status.context), show),
  );
}

/**
 * The first sign is the status that waits afterwards, too: in the usual case it costs nothing. That projects are being planned is
 * said once, of all of them, and how far they are by the comment.
 */
function isNews(status: CommitStatus, published: string | undefined, show: Pace['show']): boolean {
  if (published === digestOf(status)) return false;
  if (show === 'result') return true;
  if (show === 'sign') return status.context === APPLY_STATUS && published === undefined;
  if (status.state !== 'pending') return true;
  const ofAll = status.context === PLAN_STATUS || status.context === APPLY_STATUS;
  return ofAll && (published === PENDING || !isPending(published));
}

/**
 * One status; it is written down when the host has it. That one waits is written down before: after a crash in between it must be
 * known that there may be something to end.
 */
export async function publishStatus(
  { context, host, state, wanted }: Publication,
  status: CommitStatus,
): Promise<void> {
  const pending = status.state === 'pending';
  const { id, repository, headSha } = state.pull;
  if (pending && !isPending(wanted.statuses.get(status.context)))
    await context.publications.saveStatus(id, headSha, status.context, PENDING);
  await host.setCommitStatus(repository, headSha, status, { priority: pending ? 'progress' : 'normal' });
  await context.publications.saveStatus(id, headSha, status.context, digestOf(status));
}

/** What waits on earlier commits waits for nothing any more. What the host refuses there is not asked for again. */
export async function endSupersededStatuses({ context, host, state, wanted }: Publication): Promise<void> {
  const { pull } = state;
  for (const left of wanted.leftPending) {
    const status: CommitStatus = {
      context: left.context,
      state: 'error',
      description: `superseded by ${pull.headSha.slice(0, 7)}`,
      url: pageOf(context, state),
    };
    try {
      await host.setCommitStatus(pull.repository, commitSha(left.sha), status, { priority: 'progress' });
    } catch (error) {
      if (!(error instanceof HostRefusedError)) throw error;
      context.logger.warn({ pull: pull.id, ...left, error }, 'a status of a superseded commit could not be ended');
    }
    await context.publications.saveStatus(pull.id, left.sha, left.context, digestOf(status));
  }
}

/** What is written down before the host is asked, in place of a digest. */
const PENDING: CommitStatus['state'] = 'pending';

function isPending(hash: string | undefined): boolean {
  return hash?.startsWith(PENDING) === true;
}

function digestOf(status: CommitStatus): string {
  return `${status.state}|${status.description}|${status.url}`;
}

/**
 * Where nobody will ever do what is waited for, it ends. Nothing else is touched there: the commit may be in another pull request, and
 * what that one says while it is open stands.
 */
function settle(
  listed: readonly CommitStatus[],
  { pull, open }: PullRequestState,
  { statuses, shared }: PublicationState,
  served: boolean,
): readonly CommitStatus[] {
  if (pull.state === 'open' && served) return listed;
  const all = pull.state === 'open' ? listed : listed.filter(({ context }) => !shared.has(context));
  if (open.length > 0) return pull.state === 'merged' ? all : [];
  const description =
    pull.state === 'open'
      ? `nothing is planned or applied into ${pull.baseRef}`
      : `the pull request was ${pull.state} before this was done`;
  const ended = all.map((status) =>
    status.state === 'pending' ? { ...status, state: 'error' as const, description } : status,
  );
  if (pull.state === 'merged') return ended;
  return ended.filter(({ context }) => isPending(statuses.get(context)));
}

function pageOf(context: WorkerContext, { pull }: PullRequestState): string {
  return `${context.publicUrl}/runs?pull=${encodeURIComponent(pull.id)}`;
}

function listAll(
  context: WorkerContext,
  host: VcsHost,
  state: PullRequestState,
  rows: readonly ProjectRuns[],
): readonly CommitStatus[] {
  const page = pageOf(context, state);
  const make = (statusContext: string, view: StatusView, url: string): CommitStatus => ({
    context: statusContext,
    state: view.state,
    description: cutStatus(view.description, host.limits.statusDescriptionLength),
    url,
  });
  const aggregate = [
    make(PLAN_STATUS, planStatus(state, rows), page),
    make(APPLY_STATUS, applyStatus(state, rows), page),
  ];
  if (rows.length > PER_PROJECT_LIMIT || rows.length === 0) return aggregate;
  const each = rows.map((row) =>
    make(projectStatusName(row.plan.project), projectStatus(row), `${context.publicUrl}/runs/${row.plan.id}`),
  );
  return [...aggregate, ...each];
}

function planStatus(state: PullRequestState, rows: readonly ProjectRuns[]): StatusView {
  const plans = rows.map((row) => row.plan);
  const problems = state.planBatch?.notes.configProblems.length ?? 0;
  if (problems > 0)
    return { state: 'failure', description: `${count(problems, 'problem')} in the repository's config` };
  if (state.planBatch?.mergeSha === undefined)
    return { state: 'failure', description: 'conflicts with the base branch' };
  if (plans.length === 0) return { state: 'success', description: 'no project is touched' };
  const open = plans.filter((run) => ['queued', 'claimed', 'running'].includes(run.state));
  if (open.length > 0) return { state: 'pending', description: `planning ${count(open.length, 'project')}` };
  const bad = plans.filter((run) => run.state !== 'succeeded');
  if (bad.length > 0)
    return { state: 'failure', description: `${bad.length} of ${count(plans.length, 'project')} could not be planned` };
  const changed = rows.filter((row) => planFacts(row)?.empty === false);
  return {
    state: 'success',
    description:
      changed.length === 0 ? 'no changes' : `${count(plans.length, 'project')} planned, ${changed.length} with changes`,
  };
}

function applyStatus(state: PullRequestState, rows: readonly ProjectRuns[]): StatusView {
  const { mergeSha, notes } = state.planBatch ?? {};
  if (mergeSha === undefined || (notes?.configProblems.length ?? 0) > 0)
    return { state: 'failure', description: 'nothing can be planned, so nothing can be applied' };
  if (rows.length === 0) return { state: 'success', description: 'nothing to apply' };
  const applies = state.open.filter((run) => run.operation === 'apply');
  if (applies.length > 0) return { state: 'pending', description: `applying ${count(applies.length, 'project')}` };
  const interrupted = rows.filter((row) => row.apply?.state === 'interrupted').length;
  if (interrupted > 0)
    return { state: 'error', description: `interrupted, outcome unknown: ${count(interrupted, 'project')}` };
  const failed = rows.filter((row) => row.apply?.result?.kind === 'failed' && row.apply.result.applyBegun).length;
  if (failed > 0) return { state: 'failure', description: `failed to apply ${count(failed, 'project')}` };
  const unapplied = rows.filter((row) => needsApply(row) && row.apply?.state !== 'succeeded');
  const never = unapplied.filter((row) => isNeverApplied(state.pull, row)).length;
  const waiting = unapplied.length - never;
  // Waiting would be for ever.
  if (never > 0)
    return { state: 'failure', description: `${count(never, 'project')} can be planned here and not applied` };
  const applied = rows.filter(({ apply }) => apply?.state === 'succeeded').length;
  if (waiting > 0) return { state: 'pending', description: `${applied} of ${applied + waiting} applied` };
  return { state: 'success', description: applied === 0 ? 'nothing to apply' : `${count(applied, 'project')} applied` };
}

function needsApply(row: ProjectRuns): boolean {
  return planFacts(row)?.empty !== true;
}

function projectStatus(row: ProjectRuns): StatusView {
  const { plan } = row;
  const facts = planFacts(row);
  if (facts !== undefined) {
    const { counts, empty } = facts;
    const text = `+${counts.add} ~${counts.change} -${counts.destroy}`;
    return { state: 'success', description: empty ? 'no changes' : text };
  }
  if (plan.state === 'queued' || plan.state === 'claimed' || plan.state === 'running') {
    return { state: 'pending', description: plan.state === 'queued' ? 'queued' : 'planning' };
  }
  const explanation = explain(plan);
  return { state: plan.state === 'cancelled' ? 'error' : 'failure', description: explanation };
}

function explain({ result, cancelReason, state }: RunRecord): string {
  if (result?.kind === 'failed') return result.explanation;
  if (result?.kind === 'refused') return result.unmet.map((unmet) => unmet.what).join('; ');
  return cancelReason ?? state;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
