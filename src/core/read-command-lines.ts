import { suggest } from '../lib/suggestion.ts';
import { listCommandLines } from './comment-lines.ts';

export interface TriggerWords {
  /** The words that start a command; the first is the one we suggest. */
  readonly triggers: readonly [string, ...string[]];
  /** Our own login: `@login` is a trigger, too. */
  readonly login: string | undefined;
}

export type CommandLines =
  /** Prose: nothing is to be done or said. */
  | { readonly kind: 'none' }
  /** Every line is meant to be a command. */
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
  /** One line alone that nearly is one. */
  | { readonly kind: 'near_miss'; readonly line: string; readonly problem: string; readonly didYouMean: string };

/** A host takes comments of 64 KiB; whatever is longer than this is no row of commands. */
const MAX_LENGTH = 10_000;
const MAX_COMMANDS = 20;

/**
 * Takes a comment apart. It is commands only when every line that is not empty, quoted or code starts with a trigger word;
 * otherwise it is prose, and people talking about commands start nothing. One line alone that nearly is a command gets an answer.
 * @param resembles whether a word could be the name of a command here, with a slip perhaps.
 */
export function readCommandLines(
  body: string,
  words: TriggerWords,
  resembles: (word: string) => boolean,
): CommandLines {
  if (body.length > MAX_LENGTH) return { kind: 'none' };
  const lines = listCommandLines(body);
  const [first] = lines;
  if (first === undefined || lines.length > MAX_COMMANDS) return { kind: 'none' };
  if (lines.every((line) => isCommandLine(line, words, resembles))) return { kind: 'lines', lines };
  return lines.length === 1 ? nearMiss(first, words, resembles) : { kind: 'none' };
}

type Resembles = (word: string) => boolean;

/** `run` is an ordinary word of English as well: it starts a command only when what follows could be one. */
function isCommandLine(line: string, { triggers, login }: TriggerWords, resembles: Resembles): boolean {
  const [trigger = '', command] = fields(line);
  const mention = login === undefined ? [] : [`@${login}`, `@${login.replace(/\[bot\]$/i, '')}`];
  if ([...triggers, ...mention].some((word) => word.toLowerCase() === trigger.toLowerCase())) return true;
  return trigger.toLowerCase() === 'run' && (command === undefined || mayBeCommand(command, resembles));
}

function mayBeCommand(word: string, resembles: Resembles): boolean {
  return /^(?:-h|--help)$/i.test(word) || resembles(word);
}

/** `terraform plan`, `holdfats plan`: meant for us by its shape, so that a sentence that merely starts alike stays prose. */
function nearMiss(line: string, { triggers }: TriggerWords, resembles: Resembles): CommandLines {
  const [written = '', ...rest] = fields(line);
  const tool = /^(?:terraform|tofu|opentofu)$/i.test(written);
  const meant = tool ? triggers[0] : suggest(written, triggers);
  if (meant === undefined || !hasShapeOfCommand(rest, tool, resembles)) return { kind: 'none' };
  const problem = `Nothing was run: a command starts with \`${meant}\`, not with ${JSON.stringify(written)}.`;
  return { kind: 'near_miss', line, problem, didYouMean: [meant, ...rest].join(' ') };
}

function hasShapeOfCommand(rest: readonly string[], mayBeAlone: boolean, resembles: Resembles): boolean {
  const [command, next] = rest;
  if (command === undefined) return mayBeAlone;
  if (next !== undefined && !next.startsWith('-')) return false;
  return command.startsWith('-') ? mayBeAlone : mayBeCommand(command, resembles);
}

function fields(line: string): readonly string[] {
  return line.split(/\s+/);
}
