import { isStranger } from '../../src/core/actor-rules.ts';
import { type ParsedDriftComment, parseDriftComment } from '../../src/core/drift/drift-command-parser.ts';
import type { DriftReply } from '../../src/core/drift/drift-reply.ts';
import type { IssueCommentEvent } from '../../src/core/vcs-event.ts';
import type { VcsHost } from '../../src/ports/vcs-host.ts';
import { isFromLongAgo } from '../handle-comment.ts';
import { isAllowed, openRepository } from '../open-pull-request.ts';
import type { RunContext } from '../run-context.ts';
import { answerOnIssue, type IssueComment } from './answer-on-issue.ts';
import { runDriftCommand } from './run-drift-command.ts';

/** A comment on a report of ours is read as commands by the rules of pull requests; other issues are none of our business. */
export async function handleIssueComment(
  context: RunContext,
  host: VcsHost,
  event: IssueCommentEvent,
  receivedAt: Date,
): Promise<void> {
  if (event.own || !isAllowed(context, `${host.host}/${event.repositoryFullName}`)) return;
  if (isFromLongAgo(context, event, receivedAt)) return;
  const [first = 'holdfast', ...others] = context.config.triggers;
  const self = await host.whoAmI();
  const parsed = parseDriftComment(event.body, { triggers: [first, ...others], login: self.login });
  if (parsed.kind === 'none') return;
  const issue = await context.reports.findIssue(`${host.host}/${event.repositoryId}`, event.number);
  if (issue === undefined) return;
  const repository = await openRepository(context, host, event);
  if (repository === undefined) return;
  const comment = { context, host, repository, issue, actor: event.author, commentId: event.commentId, word: first };
  if (parsed.kind !== 'commands') return answerUnread(comment, parsed);
  for (const [line, command] of parsed.commands.entries()) {
    if ((await runDriftCommand(comment, command, keyOf(host, event, line))) === 'no_say') return;
  }
}

type Unread = Exclude<ParsedDriftComment, { kind: 'none' | 'commands' }>;

async function answerUnread(comment: IssueComment, parsed: Unread): Promise<void> {
  const { host, repository, actor } = comment;
  const stranger = isStranger(await host.getPermission(repository, actor));
  await answerOnIssue(comment, {
    key: keyOf(host, comment, 0),
    view: toReply(parsed),
    reaction: parsed.kind === 'help' ? 'rocket' : 'confused',
    stranger,
  });
}

function toReply(parsed: Unread): DriftReply {
  if (parsed.kind === 'help') return parsed;
  const { line: command, problem, didYouMean, usage } = parsed;
  return { kind: 'unreadable', command, problem, didYouMean, usage };
}

/** By what happened, so that a delivery that comes again makes nothing happen twice. */
function keyOf({ host }: VcsHost, { commentId }: { readonly commentId: string }, line: number): string {
  return `comment:${host}:${commentId}:${line}`;
}
