import { isStranger } from '../src/core/actor-rules.ts';
import type { Command } from '../src/core/command.ts';
import { parseComment } from '../src/core/command-parser.ts';
import type { TriggerWords } from '../src/core/read-command-lines.ts';
import { answer, type Trigger } from '../src/core/decide.ts';
import { REPLAY_WINDOW_MS } from '../src/core/replay-window.ts';
import type { CommentEvent } from '../src/core/vcs-event.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import { recordDecision } from './decide-pull-request.ts';
import { runCommand } from './run-command.ts';
import type { RunContext } from './run-context.ts';
import { isAllowed, openPullRequest } from './open-pull-request.ts';

/** A comment is read as commands only when it is nothing else; then each line is done in order. */
export async function handleComment(
  context: RunContext,
  host: VcsHost,
  event: CommentEvent,
  receivedAt: Date,
): Promise<void> {
  if (event.own || !isAllowed(context, `${host.host}/${event.repositoryFullName}`)) return;
  if (isFromLongAgo(context, event, receivedAt)) return;
  const [first = 'holdfast', ...others] = context.config.triggers;
  const self = await host.whoAmI();
  const words: TriggerWords = { triggers: [first, ...others], login: self.login };
  const parsed = parseComment(event.body, words);
  if (parsed.kind === 'none') return;
  const pull = await openPullRequest(context, host, event);
  if (pull === undefined) return;
  const trigger = (line: number): Trigger => ({
    kind: 'command',
    key: `comment:${host.host}:${event.commentId}:${line}`,
    actor: event.author,
    commentId: event.commentId,
  });
  if (parsed.kind === 'reply') {
    const reply = { key: trigger(0).key, kind: 'command', view: parsed.reply } as const;
    const reaction = parsed.code === 'help' ? 'rocket' : 'confused';
    const said = answer(trigger(0), reply, reaction);
    const stranger = isStranger(await host.getPermission(pull.repository, event.author));
    return recordDecision(context, pull, () => (stranger ? { ...said, stranger: event.author.id } : said));
  }
  for (const [line, command] of parsed.commands.entries()) {
    const request = { command, text: typed(first, command), trigger: trigger(line) };
    if ((await runCommand(context, host, event, request)) === 'no_say') return;
  }
}

/** Such a comment is left alone. */
export function isFromLongAgo(
  { logger }: Pick<RunContext, 'logger'>,
  { commentId, writtenAt }: Pick<CommentEvent, 'commentId' | 'writtenAt'>,
  receivedAt: Date,
): boolean {
  const isLate = writtenAt !== undefined && receivedAt.getTime() - writtenAt.getTime() > REPLAY_WINDOW_MS;
  if (isLate) logger.warn({ comment: commentId }, 'a comment of long ago was delivered; it is left alone');
  return isLate;
}

/** The command as we would type it; what the person wrote may be anything. */
function typed(word: string, command: Command): string {
  return `${word} ${command.name}`;
}
