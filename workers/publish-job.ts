import { createHash } from 'node:crypto';
import { HostRefusedError, HostUnavailableError } from '../src/core/host-error.ts';
import { renderApplyReply, renderCommandReply, replyMarker } from '../src/comments/reply-comment.ts';
import { planMarker, renderPlanComment } from '../src/comments/plan-comment.ts';
import type { PlanCommentView } from '../src/comments/view.ts';
import type { PullRequest } from '../src/core/pull-request.ts';
import type { PullRequestId, PullRequestState } from '../src/core/record.ts';
import { RetryLaterError } from '../src/ports/job-queue.ts';
import type { PendingReply, PublicationState } from '../src/ports/publication-store.ts';
import type { MergeResult, VcsHost } from '../src/ports/vcs-host.ts';
import type { WorkerContext } from './context.ts';
import { keepPublishing, PUBLISH_LEASE_MS, type PublishKeeper, PublishingLostError } from './keep-publishing.ts';
import { publishCheckRun } from './publish-check-run.ts';
import { endSupersededStatuses, listStatuses, publishStatus } from './publish-statuses.ts';
import { type Pace, paceOf } from './publish-pace.ts';
import { applyReplyView, refusedReply } from './views/apply-reply-view.ts';
import { currentProjects, type ProjectRuns } from './views/current-projects.ts';
import { planCommentView } from './views/plan-comment-view.ts';

type MergeMethod = NonNullable<PublicationState['merge']>['method'];

interface Publication {
  readonly context: WorkerContext;
  readonly host: VcsHost;
  readonly state: PullRequestState;
  readonly wanted: PublicationState;
  readonly keeper: PublishKeeper;
  readonly show: Pace['show'];
  /** As far as there is anything to show. */
  readonly rows: readonly ProjectRuns[];
  readonly view: PlanCommentView | undefined;
}

/** How far it came: all that is due was published, and the rest will be due after this time, if there is any. */
type PublishEnd = Pick<Pace, 'againInMs'>;

/**
 * Brings one pull request to the wanted state. Every part is compared with what was published before, so a repeat writes nothing.
 * While the host cannot be asked the job waits, for as long as it takes.
 */
export async function publishJob(context: WorkerContext, id: PullRequestId): Promise<void> {
  const worker = { id: context.workerId, leaseMs: PUBLISH_LEASE_MS };
  const wanted = await context.publications.open(id, worker);
  if (wanted === undefined) return;
  const keeper = keepPublishing({ store: context.publications, logger: context.logger }, wanted.lease);
  let end: PublishEnd | undefined;
  try {
    end = await publishOpened(context, wanted, keeper);
  } catch (error) {
    if (error instanceof PublishingLostError) return;
    if (error instanceof HostUnavailableError)
      throw new RetryLaterError(error.message, error.retryAt, { cause: error });
    throw error;
  } finally {
    keeper.stop();
    await giveBack(context, wanted, end);
  }
  // What came in the meantime may be the end of everything, which nobody should wait for.
  if (await context.publications.isWantedSince(id, wanted.wanted))
    return context.queue.enqueue('publish', { pullRequestId: id, when: 'now' });
  if (end.againInMs !== undefined)
    await context.queue.enqueue('publish', { pullRequestId: id, when: 'later' }, { delayMs: end.againInMs });
}

async function giveBack(
  { publications }: WorkerContext,
  { lease, wanted }: PublicationState,
  end: PublishEnd | undefined,
): Promise<void> {
  if (end?.againInMs !== undefined) return publications.putOff(lease, wanted, end.againInMs);
  await publications.close(lease, end === undefined ? undefined : wanted);
}

/** A host that is not configured any more, or a pull request that is gone, is not published; asking again would not help. */
async function publishOpened(
  context: WorkerContext,
  wanted: PublicationState,
  keeper: PublishKeeper,
): Promise<PublishEnd> {
  const host = context.hosts.get(wanted.pull.repository.host);
  const state = await context.runs.readState(wanted.pull.id);
  if (host === undefined || state === undefined) return { againInMs: undefined };
  const pace = paceOf(state, wanted);
  const { againInMs } = pace;
  // Before it merges, the host may want to see how things stand.
  const show = wanted.merge !== undefined && pace.show !== 'result' ? 'progress' : pace.show;
  const rows = show === 'nothing' ? [] : await currentProjects(context, state);
  const view = isWhole(show) ? await planCommentView(context, state, rows) : undefined;
  await publish({ context, host, state, wanted, keeper, show, rows, view });
  return { againInMs };
}

function isWhole(show: Pace['show']): boolean {
  return show === 'progress' || show === 'result';
}

async function publish(publication: Publication): Promise<void> {
  const { show, wanted } = publication;
  const whole = isWhole(show);
  if (whole) await part(publication, 'the plan comment', () => publishPlanComment(publication));
  const merging = wanted.merge !== undefined;
  // The host may want our own statuses before it merges, and the answer to the apply tells what came of the merge.
  if (merging) await publishChecks(publication);
  await part(publication, 'the merge', () => mergeWhenWanted(publication));
  for (const reply of wanted.replies) await part(publication, 'an answer', () => publishReply(publication, reply));
  if (!merging) await publishChecks(publication);
  await publishReactions(publication);
  await minimizeOutdated(publication);
  if (whole) await endSupersededStatuses(publication);
}

/** What the host refuses of one part is given up until something changes; the others are nevertheless published. */
async function part({ context, wanted }: Publication, what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof HostRefusedError)) throw error;
    context.logger.error(
      { pull: wanted.pull.id, part: what, error },
      'the host refused a part of what people should see',
    );
  }
}

async function publishChecks(publication: Publication): Promise<void> {
  if (publication.show === 'nothing') return;
  for (const status of listStatuses(publication))
    await part(publication, `the status ${status.context}`, () => publishStatus(publication, status));
  if (publication.show !== 'sign') await part(publication, 'the check run', () => publishCheckRun(publication));
}

async function publishPlanComment({ context, host, wanted, keeper, show, view }: Publication): Promise<void> {
  if (view === undefined) return;
  const body = renderPlanComment(view, { limit: host.limits.commentLength });
  const hash = digest(body);
  if (wanted.comment?.hash === hash) return;
  const { repository, number } = wanted.pull;
  const marker = planMarker(view.id);
  const priority = show === 'result' ? 'final' : 'progress';
  keeper.check();
  if (wanted.comment !== undefined && (await host.updateComment(repository, wanted.comment.id, body, { priority })))
    return context.publications.saveComment(wanted.pull.id, { ...wanted.comment, hash });
  // Never made, deleted by somebody, or made a moment before a crash: then it can be found.
  const found = await host.findOwnComment(repository, number, marker);
  keeper.check();
  if (found !== undefined && (await host.updateComment(repository, found.id, body, { priority })))
    return context.publications.saveComment(wanted.pull.id, { id: found.id, nodeId: found.nodeId, hash });
  const posted = await host.createComment(repository, number, body, { priority: 'final' });
  await context.publications.saveComment(wanted.pull.id, { id: posted.id, nodeId: posted.nodeId, hash });
}

/** Marked before the host is asked; after a crash in between, our comment is looked for by its marker. */
async function publishReply({ context, host, wanted, keeper }: Publication, pending: PendingReply): Promise<void> {
  const { repository, number } = wanted.pull;
  const marker = replyMarker(pending.id);
  const existing = pending.mayExist ? await host.findOwnComment(repository, number, marker) : undefined;
  if (existing !== undefined) return context.publications.endReply(pending.id, existing);
  const body = await renderReply(context, host, pending);
  if (body === undefined) return context.publications.endReply(pending.id, undefined);
  keeper.check();
  await context.publications.beginReply(pending.id);
  try {
    await context.publications.endReply(pending.id, await host.createComment(repository, number, body));
  } catch (error) {
    // Any other refusal may be lifted: by a permission, or by unlocking the conversation.
    if (error instanceof HostRefusedError && error.status === 422)
      await context.publications.endReply(pending.id, undefined);
    throw error;
  }
}

async function renderReply(
  context: WorkerContext,
  host: VcsHost,
  { id, reply }: PendingReply,
): Promise<string | undefined> {
  const options = { limit: host.limits.commentLength, id };
  const [first = 'holdfast', ...others] = context.config.triggers;
  if (reply.kind === 'command') return renderCommandReply({ ...reply.view, triggers: [first, ...others] }, options);
  const refused = await refusedReply(context, reply.view.batchId);
  if (refused !== undefined) return renderCommandReply({ ...refused, triggers: [first, ...others] }, options);
  const view = await applyReplyView(context, id, reply.view.batchId);
  return view && renderApplyReply(view, options);
}

async function publishReactions({ context, host, wanted }: Publication): Promise<void> {
  for (const { commentId, reaction } of wanted.reactions) {
    try {
      await host.addReaction(wanted.pull.repository, commentId, reaction);
    } catch (error) {
      if (!(error instanceof HostRefusedError)) throw error;
      context.logger.info({ commentId, error }, 'the comment to react to is gone');
    }
    await context.publications.endReaction(wanted.pull.id, commentId, reaction);
  }
}

async function minimizeOutdated({ context, host, wanted }: Publication): Promise<void> {
  if (wanted.outdated.length === 0 || !host.capabilities.minimizeComments) return;
  try {
    await host.minimizeComments(wanted.pull.repository, wanted.outdated);
  } catch (error) {
    if (!(error instanceof HostRefusedError)) throw error;
    context.logger.warn({ pull: wanted.pull.id, error }, 'outdated comments could not be folded away');
  }
  await context.publications.endMinimize(wanted.outdated);
}

/** Automerge: only while the head is what was applied. */
async function mergeWhenWanted({ context, host, wanted, keeper }: Publication): Promise<void> {
  if (wanted.merge === undefined) return;
  const { headSha, method } = wanted.merge;
  keeper.check();
  const pull = await host.getPullRequest(wanted.pull.repository, wanted.pull.number);
  if (pull.state === 'merged') return context.publications.endMerge(wanted.pull.id, 'merged', undefined);
  const result = pull.headSha === headSha ? await merge(host, pull, method) : HEAD_MOVED;
  const reason = result.kind === 'refused' ? result.reason : 'the pull request has new commits since the apply';
  if (result.kind === 'merged') await context.publications.endMerge(wanted.pull.id, 'merged', undefined);
  else await context.publications.endMerge(wanted.pull.id, 'refused', reason);
}

const HEAD_MOVED = { kind: 'head_moved' } as const;

/** A refusal is an answer whatever its form: asked again and again it would be refused again and again. */
async function merge(host: VcsHost, pull: PullRequest, method: MergeMethod): Promise<MergeResult> {
  try {
    return await host.mergePullRequest(pull, pull.headSha, method);
  } catch (error) {
    if (error instanceof HostRefusedError) return { kind: 'refused', reason: error.message };
    throw error;
  }
}

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
