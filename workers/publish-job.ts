import { createHash } from 'node:crypto';
import { HostRefusedError, HostUnavailableError } from '../src/core/host-error.ts';
import { renderApplyReply, renderCommandReply, replyMarker } from '../src/comments/reply-comment.ts';
import { planMarker, renderPlanComment } from '../src/comments/plan-comment.ts';
import type { PullRequest } from '../src/core/pull-request.ts';
import type { PullRequestId, PullRequestState } from '../src/core/record.ts';
import { RetryLaterError } from '../src/ports/job-queue.ts';
import type { PendingReply, PublicationState } from '../src/ports/publication-store.ts';
import type { MergeResult, VcsHost } from '../src/ports/vcs-host.ts';
import type { WorkerContext } from './context.ts';
import { keepPublishing, PUBLISH_LEASE_MS, type PublishKeeper, PublishingLostError } from './keep-publishing.ts';
import { publishCheckRun } from './publish-check-run.ts';
import { endSupersededStatuses, listStatuses, publishStatus } from './publish-statuses.ts';
import { PUBLISH_LATER_MS } from './wake.ts';
import { applyReplyView, refusedReply } from './views/apply-reply-view.ts';
import { planCommentView } from './views/plan-comment-view.ts';

/** A human pace for progress edits, milliseconds between two. */
const PROGRESS_PACE_MS = 5_000;

type MergeMethod = NonNullable<PublicationState['merge']>['method'];

interface Publication {
  readonly context: WorkerContext;
  readonly host: VcsHost;
  readonly state: PullRequestState;
  readonly wanted: PublicationState;
  readonly keeper: PublishKeeper;
}

/**
 * Brings one pull request to the wanted state. Every part is compared with what was published before, so a repeat writes nothing.
 * While the host cannot be asked the job waits, for as long as it takes.
 */
export async function publishJob(context: WorkerContext, id: PullRequestId): Promise<void> {
  const worker = { id: context.workerId, leaseMs: PUBLISH_LEASE_MS };
  const wanted = await context.publications.open(id, worker);
  if (wanted === undefined) return;
  const keeper = keepPublishing(context, wanted.lease);
  let done: number | undefined;
  try {
    done = await publishOpened(context, wanted, keeper);
  } catch (error) {
    if (error instanceof PublishingLostError) return;
    if (error instanceof HostUnavailableError)
      throw new RetryLaterError(error.message, error.retryAt, { cause: error });
    throw error;
  } finally {
    keeper.stop();
    await context.publications.close(wanted.lease, done);
  }
  if (done !== undefined && !(await context.publications.isPending(id))) return;
  // What came in the meantime may be the end of everything, which nobody should wait for.
  const wait = done === undefined && (await context.runs.readState(id))?.open.length !== 0;
  await (wait
    ? context.queue.enqueue('publish', { pullRequestId: id, when: 'later' }, { delayMs: PUBLISH_LATER_MS })
    : context.queue.enqueue('publish', { pullRequestId: id, when: 'now' }));
}

/** A host that is not configured any more, or a pull request that is gone, is not published; asking again would not help. */
async function publishOpened(
  context: WorkerContext,
  wanted: PublicationState,
  keeper: PublishKeeper,
): Promise<number | undefined> {
  const host = context.hosts.get(wanted.pull.repository.host);
  const state = await context.runs.readState(wanted.pull.id);
  if (host === undefined || state === undefined) return wanted.wanted;
  return publish({ context, host, state, wanted, keeper });
}

/** Answers up to which version all is published; undefined when a progress edit was put off. */
async function publish(publication: Publication): Promise<number | undefined> {
  const settled = publication.state.open.length === 0;
  let complete = true;
  await part(publication, 'the plan comment', async () => {
    complete = await publishPlanComment(publication, settled);
  });
  const merging = publication.wanted.merge !== undefined;
  // The host may want our own statuses before it merges, and the answer to the apply tells what came of the merge.
  if (merging) await publishChecks(publication);
  await part(publication, 'the merge', () => mergeWhenWanted(publication));
  for (const reply of publication.wanted.replies)
    await part(publication, 'an answer', () => publishReply(publication, reply));
  if (!merging) await publishChecks(publication);
  await publishReactions(publication);
  await minimizeOutdated(publication);
  await endSupersededStatuses(publication);
  return complete ? publication.wanted.wanted : undefined;
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
  for (const status of await listStatuses(publication))
    await part(publication, `the status ${status.context}`, () => publishStatus(publication, status));
  await part(publication, 'the check run', () => publishCheckRun(publication));
}

async function publishPlanComment(
  { context, host, state, wanted, keeper }: Publication,
  settled: boolean,
): Promise<boolean> {
  const view = await planCommentView(context, state);
  if (view === undefined) return true;
  const body = renderPlanComment(view, { limit: host.limits.commentLength });
  const hash = digest(body);
  if (wanted.comment?.hash === hash) return true;
  const age = wanted.comment === undefined ? Infinity : context.now().getTime() - wanted.comment.editedAt.getTime();
  if (!settled && age < PROGRESS_PACE_MS) return false;
  const { repository, number } = wanted.pull;
  const marker = planMarker(view.id);
  const priority = settled ? 'final' : 'progress';
  keeper.check();
  if (wanted.comment !== undefined && (await host.updateComment(repository, wanted.comment.id, body, { priority }))) {
    await context.publications.saveComment(wanted.pull.id, { ...wanted.comment, hash });
    return true;
  }
  // Never made, deleted by somebody, or made a moment before a crash: then it can be found.
  const found = await host.findOwnComment(repository, number, marker);
  keeper.check();
  if (found !== undefined && (await host.updateComment(repository, found.id, body, { priority }))) {
    await context.publications.saveComment(wanted.pull.id, { id: found.id, nodeId: found.nodeId, hash });
    return true;
  }
  const posted = await host.createComment(repository, number, body, { priority: 'final' });
  await context.publications.saveComment(wanted.pull.id, { id: posted.id, nodeId: posted.nodeId, hash });
  return true;
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
