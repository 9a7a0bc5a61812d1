import { suggest } from '../lib/suggestion.ts';
import type { Command } from './command.ts';
import {
  COMMAND_NAMES,
  parseCommandLine,
  UNSUPPORTED_COMMANDS,
  type LineResult,
  type RefusalCode,
} from './command-line.ts';
import { listCommandLines } from './comment-lines.ts';
import type { CommandReply } from './reply.ts';

export interface TriggerWords {
  /** The words that start a command; the first is the one we suggest. */
  readonly triggers: readonly [string, ...string[]];
  /** Our own login: `@login` is a trigger, too. */
  readonly login: string | undefined;
}

export type ParsedComment =
  /** Prose: nothing is to be done or said. */
  | { readonly kind: 'none' }
  /** In the order they were written. */
  | { readonly kind: 'commands'; readonly commands: readonly [Command, ...Command[]] }
  /** Something is to be said and nothing to be run, whatever the other lines hold. */
  | { readonly kind: 'reply'; readonly code: RefusalCode | 'help' | 'did_you_mean'; readonly reply: CommandReply };

/** A host takes comments of 64 KiB; whatever is longer than this is no row of commands. */
const MAX_LENGTH = 10_000;
const MAX_COMMANDS = 20;

/**
 * Reads a comment. It is commands only when every line that is not empty, quoted or code starts with a trigger word;
 * otherwise it is prose, and people talking about commands start nothing. One line alone that nearly is a command gets an answer.
 */
export function parseComment(body: string, words: TriggerWords): ParsedComment {
  if (body.length > MAX_LENGTH) return { kind: 'none' };
  const lines = listCommandLines(body);
  const [first] = lines;
  if (first === undefined || lines.length > MAX_COMMANDS) return { kind: 'none' };
  if (lines.every((line) => isCommandLine(line, words))) return collect(lines, words);
  return lines.length === 1 ? nearMiss(first, words) : { kind: 'none' };
}

function collect(lines: readonly string[], words: TriggerWords): ParsedComment {
  const commands: Command[] = [];
  for (const line of lines) {
    const result = parseCommandLine(line);
    if (result.kind !== 'command') return toReply(line, result, lines.length > 1, words);
    commands.push(result.command);
  }
  const [first, ...others] = commands;
  return first === undefined ? { kind: 'none' } : { kind: 'commands', commands: [first, ...others] };
}

/** `run` is an ordinary word of English as well: it starts a command only when what follows could be one. */
function isCommandLine(line: string, { triggers, login }: TriggerWords): boolean {
  const [trigger = '', command] = fields(line);
  const mention = login === undefined ? [] : [`@${login}`, `@${login.replace(/\[bot\]$/i, '')}`];
  if ([...triggers, ...mention].some((word) => word.toLowerCase() === trigger.toLowerCase())) return true;
  return trigger.toLowerCase() === 'run' && (command === undefined || resemblesCommand(command));
}

function resemblesCommand(word: string): boolean {
  const known = [...COMMAND_NAMES, ...Object.keys(UNSUPPORTED_COMMANDS)];
  return (
    /^(?:-h|--help)$/i.test(word) || known.includes(word.toLowerCase()) || suggest(word, COMMAND_NAMES) !== undefined
  );
}

function toReply(
  line: string,
  result: Exclude<LineResult, { kind: 'command' }>,
  several: boolean,
  { triggers }: TriggerWords,
): ParsedComment {
  if (result.kind === 'help') {
    const command = result.command === undefined ? {} : { command: result.command };
    return {
      kind: 'reply',
      code: 'help',
      reply: { kind: 'help', allowed: COMMAND_NAMES, docsUrl: undefined, ...command },
    };
  }
  const problem = several ? `${result.problem} None of the commands was run.` : result.problem;
  const didYouMean = result.suggestion && `${triggers[0]} ${result.suggestion}`;
  const reply = { kind: 'unreadable', command: line, problem, didYouMean, usage: result.usage } as const;
  return { kind: 'reply', code: result.code, reply };
}

/** `terraform plan`, `holdfats plan`: meant for us by its shape, so that a sentence that merely starts alike stays prose. */
function nearMiss(line: string, { triggers }: TriggerWords): ParsedComment {
  const [written = '', ...rest] = fields(line);
  const tool = /^(?:terraform|tofu|opentofu)$/i.test(written);
  const meant = tool ? triggers[0] : suggest(written, triggers);
  if (meant === undefined || !hasShapeOfCommand(rest, tool)) return { kind: 'none' };
  const didYouMean = [meant, ...rest].join(' ');
  const problem = `Nothing was run: a command starts with \`${meant}\`, not with ${JSON.stringify(written)}.`;
  const reply = { kind: 'unreadable', command: line, problem, didYouMean, usage: undefined } as const;
  return { kind: 'reply', code: 'did_you_mean', reply };
}

function hasShapeOfCommand(rest: readonly string[], mayBeAlone: boolean): boolean {
  const [command, next] = rest;
  if (command === undefined) return mayBeAlone;
  if (next !== undefined && !next.startsWith('-')) return false;
  return command.startsWith('-') ? mayBeAlone : resemblesCommand(command);
}

function fields(line: string): readonly string[] {
  return line.split(/\s+/);
}
