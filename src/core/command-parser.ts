import { suggest } from '../lib/suggestion.ts';
import type { Command } from './command.ts';
import {
  COMMAND_NAMES,
  parseCommandLine,
  UNSUPPORTED_COMMANDS,
  type LineResult,
  type RefusalCode,
} from './command-line.ts';
import { readCommandLines, type TriggerWords } from './read-command-lines.ts';
import type { CommandReply } from './reply.ts';

export type ParsedComment =
  /** Prose: nothing is to be done or said. */
  | { readonly kind: 'none' }
  /** In the order they were written. */
  | { readonly kind: 'commands'; readonly commands: readonly [Command, ...Command[]] }
  /** Something is to be said and nothing to be run, whatever the other lines hold. */
  | { readonly kind: 'reply'; readonly code: RefusalCode | 'help' | 'did_you_mean'; readonly reply: CommandReply };

/** Reads a comment on a pull request. */
export function parseComment(body: string, words: TriggerWords): ParsedComment {
  const read = readCommandLines(body, words, resemblesCommand);
  if (read.kind === 'none') return read;
  if (read.kind === 'lines') return collect(read.lines, words);
  const { line, problem, didYouMean } = read;
  const reply = { kind: 'unreadable', command: line, problem, didYouMean, usage: undefined } as const;
  return { kind: 'reply', code: 'did_you_mean', reply };
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

function resemblesCommand(word: string): boolean {
  const known = [...COMMAND_NAMES, ...Object.keys(UNSUPPORTED_COMMANDS)];
  return known.includes(word.toLowerCase()) || suggest(word, COMMAND_NAMES) !== undefined;
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
