import { createHash } from 'node:crypto';
import { HostRefusedError } from '../src/core/host-error.ts';
import { renderApplyReply, renderCommandReply, replyMarker } from '../src/comments/reply-comment.ts';
import { planMarker, renderPlanComment } from '../src/comments/plan-comment.ts';
import type { PullRequestId, PullRequestState } from '../src/core/record.ts';
import type { PendingReply, PublicationState } from '../src/ports/publication-store.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import type { WorkerContext } from './context.ts';
import { publishCheckRun } from './publish-check-run.ts';
import { publishStatuses } from './publish-statuses.ts';
import { PUBLISH_LATER_MS } from './wake.ts';
import { applyReplyView, refusedReply } from './views/apply-reply-view.ts';
import { planCommentView } from './views/plan-comment-view.ts';

/** Only one publisher at a time works on a pull request; a dead one is replaced after this long, milliseconds. */
const PUBLISH_LEASE_MS = 60_000;
/** A human pace for progress edits, milliseconds between two. */
const PROGRESS_PACE_MS = 5_000;

interface Publication {
  readonly context: WorkerContext;
  readonly host: VcsHost;
  readonly state: PullRequestState;
  readonly wanted: PublicationState;
}

/** Brings one pull request to the wanted state. Every part is compared with what was published before, so a repeat writes nothing. */
export async function publishJob(context: WorkerContext, id: PullRequestId): Promise<void> {
  const wanted = await context.publications.open(id, PUBLISH_LEASE_MS);
  if (wanted === undefined) return;
  const host = context.hosts.get(wanted.pull.repository.host);
  const state = await context.runs.readState(id);
  if (host === undefined || state === undefined) return context.publications.close(id, wanted.wanted);
  let done: number | undefined;
  try {
    done = await publish({ context, host, state, wanted });
  } catch (error) {
    if (!(error instanceof HostRefusedError)) throw error;
    context.logger.error(
      { pull: id, error },
      'the host refused what was to be published; it is given up until something changes',
    );
    done = wanted.wanted;
  } finally {
    await context.publications.close(id, done);
  }
  const again = done === undefined || (await context.publications.isPending(id));
  if (again)
    await context.queue.enqueue('publish', { pullRequestId: id, when: 'later' }, { delayMs: PUBLISH_LATER_MS });
}

/** Answers up to which version all is published; undefined when a progress edit was put off. */
async function publish(publication: Publication): Promise<number | undefined> {
  const settled = publication.state.open.length === 0;
  const complete = await publishPlanComment(publication, settled);
  for (const reply of publication.wanted.replies) await publishReply(publication, reply);
  await publishStatuses(publication);
  await publishCheckRun(publication);
  await publishReactions(publication);
  await minimizeOutdated(publication);
  await mergeWhenWanted(publication);
  return complete ? publication.wanted.wanted : undefined;
}

async function publishPlanComment({ context, host, state, wanted }: Publication, settled: boolean): Promise<boolean> {
  const view = await planCommentView(context, state);
  if (view === undefined) return true;
  const body = renderPlanComment(view, { limit: host.limits.commentLength });
  const hash = digest(body);
  if (wanted.comment?.hash === hash) return true;
  const age = wanted.comment === undefined ? Infinity : context.now().getTime() - wanted.comment.editedAt.getTime();
  if (!settled && age < PROGRESS_PACE_MS) return false;
  const { repository, number } = wanted.pull;
  const marker = planMarker(view.id);
  const known = wanted.comment ?? (await host.findOwnComment(repository, number, marker));
  if (
    known !== undefined &&
    (await host.updateComment(repository, known.id, body, { priority: settled ? 'final' : 'progress' }))
  ) {
    await context.publications.saveComment(wanted.pull.id, { id: known.id, nodeId: known.nodeId, hash });
    return true;
  }
  const posted = await host.createComment(repository, number, body, { priority: 'final' });
  await context.publications.saveComment(wanted.pull.id, { id: posted.id, nodeId: posted.nodeId, hash });
  return true;
}

/** Marked before the host is asked; after a crash in between, our comment is looked for by its marker. */
async function publishReply({ context, host, wanted }: Publication, pending: PendingReply): Promise<void> {
  const { repository, number } = wanted.pull;
  const marker = replyMarker(pending.id);
  const existing = pending.mayExist ? await host.findOwnComment(repository, number, marker) : undefined;
  if (existing !== undefined) return context.publications.endReply(pending.id, existing);
  const body = await renderReply(context, host, pending);
  if (body === undefined) return context.publications.endReply(pending.id, undefined);
  await context.publications.beginReply(pending.id);
  const posted = await host.createComment(repository, number, body);
  await context.publications.endReply(pending.id, posted);
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
async function mergeWhenWanted({ context, host, wanted }: Publication): Promise<void> {
  if (wanted.merge === undefined) return;
  const { headSha, method } = wanted.merge;
  const pull = await host.getPullRequest(wanted.pull.repository, wanted.pull.number);
  if (pull.state === 'merged') return context.publications.endMerge(wanted.pull.id, 'merged', undefined);
  if (pull.headSha !== headSha) {
    return context.publications.endMerge(wanted.pull.id, 'refused', 'the pull request has new commits since the apply');
  }
  const result = await host.mergePullRequest(pull, pull.headSha, method);
  const reason = result.kind === 'refused' ? result.reason : 'the pull request has new commits since the apply';
  if (result.kind === 'merged') await context.publications.endMerge(wanted.pull.id, 'merged', undefined);
  else await context.publications.endMerge(wanted.pull.id, 'refused', reason);
}

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
