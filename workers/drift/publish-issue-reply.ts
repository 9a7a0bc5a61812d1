import { renderDriftReply } from '../../src/comments/drift/drift-reply-comment.ts';
import { renderRemediationReply } from '../../src/comments/drift/remediation-reply.ts';
import { replyMarker } from '../../src/comments/reply-comment.ts';
import { HostRefusedError } from '../../src/core/host-error.ts';
import { isFinal } from '../../src/core/run.ts';
import type { PendingIssueReply } from '../../src/ports/report-store.ts';
import type { WritePriority } from '../../src/ports/vcs-host.ts';
import { remediationView } from '../views/remediation-view.ts';
import type { ReportPublication } from './publish-issue.ts';

/** Marked before the host is asked; after a crash in between, our comment is looked for by its marker. */
export async function publishIssueReply(
  publication: ReportPublication,
  pending: PendingIssueReply,
  priority: WritePriority = 'normal',
): Promise<void> {
  const { context, host, state, keeper } = publication;
  const { reports } = context;
  const { repository } = state;
  const { id, number } = pending;
  const rendered = await render(publication, pending);
  if (rendered === 'later') return;
  if (rendered === undefined) return reports.endReply(id, undefined);
  const existing = pending.mayExist ? await host.findOwnComment(repository, number, replyMarker(id)) : undefined;
  if (existing !== undefined) return reports.endReply(id, existing.id);
  keeper.check();
  await reports.beginReply(id);
  try {
    const answer = await host.createIssueComment(repository, number, rendered.body, { priority });
    // Locked, gone or moved: nobody would read it there.
    await reports.endReply(id, answer.kind === 'posted' ? answer.comment.id : undefined);
    await context.counters.add('issue_writes', 'comment', 1);
    if (rendered.done !== undefined) await cheer(publication, rendered.done);
  } catch (error) {
    // Any other refusal may be lifted by a permission.
    if (error instanceof HostRefusedError && error.status === 422) await reports.endReply(id, undefined);
    throw error;
  }
}

interface RenderedReply {
  readonly body: string;
  /** Id of the comment that has led to something that is done now. */
  readonly done?: string | undefined;
}

/** `later`: what it tells of has not ended. undefined: nobody knows of it any more. */
async function render(
  { context, host }: ReportPublication,
  { id, view }: PendingIssueReply,
): Promise<RenderedReply | 'later' | undefined> {
  const options = { limit: host.limits.commentLength, id };
  const [first = 'holdfast', ...others] = context.config.triggers;
  if (view.kind !== 'remediation')
    return { body: renderDriftReply({ ...view, triggers: [first, ...others] }, options) };
  const run = await context.runs.findRun(view.runId);
  if (run === undefined) return undefined;
  if (!isFinal(run.state)) return 'later';
  const body = renderRemediationReply(await remediationView(context, run), options);
  return { body, done: run.result?.kind === 'applied' ? run.batch.sourceCommentId : undefined };
}

/** The answer says as much, so that a host that is away need not be asked again. */
async function cheer({ context, host, state }: ReportPublication, commentId: string): Promise<void> {
  try {
    await host.addReaction(state.repository, commentId, 'rocket');
  } catch (error) {
    context.logger.info({ commentId, error }, 'a comment could not be reacted to');
  }
}

export async function publishIssueReactions({ context, host, state }: ReportPublication): Promise<void> {
  for (const reaction of state.reactions) {
    try {
      await host.addReaction(state.repository, reaction.commentId, reaction.reaction);
    } catch (error) {
      if (!(error instanceof HostRefusedError)) throw error;
      context.logger.info({ ...reaction, error }, 'the comment to react to is gone');
    }
    await context.reports.endReaction(state.lease.id, reaction);
  }
}
