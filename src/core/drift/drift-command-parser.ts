import { quoteWord, splitWords } from '../../lib/shell-words.ts';
import { suggest } from '../../lib/suggestion.ts';
import { readFlagsAmong, type ReadFlags } from '../command-flags.ts';
import { readCommandLines, type TriggerWords } from '../read-command-lines.ts';
import {
  DRIFT_COMMANDS,
  DRIFT_FLAGS,
  readEnd,
  type DriftCommand,
  type DriftCommandName,
  type WrittenEnd,
} from './drift-command.ts';

export type ParsedDriftComment =
  /** Prose: nothing is to be done or said. */
  | { readonly kind: 'none' }
  /** In the order they were written. */
  | { readonly kind: 'commands'; readonly commands: readonly [DriftCommand, ...DriftCommand[]] }
  /** `command`: the usage of that one only. */
  | { readonly kind: 'help'; readonly command: DriftCommandName | undefined }
  /** Something is to be said and nothing to be done, whatever the other lines hold. */
  | {
      readonly kind: 'unreadable';
      readonly line: string;
      readonly problem: string;
      /** What was probably meant, ready to be typed. */
      readonly didYouMean: string | undefined;
      /** The command whose usage helps. */
      readonly usage: DriftCommandName | undefined;
    };

const NAMES = Object.keys(DRIFT_COMMANDS) as DriftCommandName[];
/** Those that stand right behind the trigger word; the others have `drift` before them. */
const ALONE = ['apply', 'approve'] as const;
const BEHIND_DRIFT = ['run', 'ack', 'snooze', 'ignore', 'suspend', 'resume'] as const;
/** Commands of pull requests, with what is like them here. */
const ELSEWHERE: ReadonlyMap<string, DriftCommandName | undefined> = new Map([
  ['plan', 'run'],
  ['unlock', undefined],
  ['cancel', undefined],
  ['version', undefined],
]);

/** Reads a comment on a drift report, by the same rules as one on a pull request. */
export function parseDriftComment(body: string, words: TriggerWords): ParsedDriftComment {
  const read = readCommandLines(body, words, resembles);
  if (read.kind === 'none') return read;
  if (read.kind === 'near_miss') {
    return {
      kind: 'unreadable',
      line: read.line,
      problem: read.problem,
      didYouMean: read.didYouMean,
      usage: undefined,
    };
  }
  const commands: DriftCommand[] = [];
  for (const line of read.lines) {
    const result = parseDriftLine(line);
    if (result.kind === 'help') return result;
    if (result.kind === 'refusal') return toReply(line, result, read.lines.length > 1, words);
    commands.push(result.command);
  }
  const [first, ...others] = commands;
  return first === undefined ? { kind: 'none' } : { kind: 'commands', commands: [first, ...others] };
}

function resembles(word: string): boolean {
  const known = ['drift', ...NAMES];
  return [...known, ...ELSEWHERE.keys()].includes(word.toLowerCase()) || suggest(word, known) !== undefined;
}

interface Refusal {
  readonly kind: 'refusal';
  readonly problem: string;
  /** The corrected line without its trigger word. */
  readonly suggestion: string | undefined;
  readonly usage: DriftCommandName | undefined;
}

type LineResult =
  | { readonly kind: 'command'; readonly command: DriftCommand }
  | { readonly kind: 'help'; readonly command: DriftCommandName | undefined }
  | Refusal;

function toReply(line: string, refusal: Refusal, several: boolean, { triggers }: TriggerWords): ParsedDriftComment {
  const problem = several ? `${refusal.problem}. None of the commands was run.` : `${refusal.problem}.`;
  const didYouMean = refusal.suggestion && `${triggers[0]} ${refusal.suggestion}`;
  return { kind: 'unreadable', line, problem, didYouMean, usage: refusal.usage };
}

function parseDriftLine(line: string): LineResult {
  const words = splitWords(line);
  if ('problem' in words) return refuse(`The command could not be read: ${words.problem}`);
  const [, ...typed] = words;
  const [first, ...rest] = typed.map((word) => word.toLowerCase());
  if (first === undefined || isHelp(first)) return { kind: 'help', command: undefined };
  if (first !== 'drift') {
    const name = ALONE.find((one) => one === first);
    return name === undefined ? refuseName(first, typed.slice(1)) : parseCommand(name, typed.slice(1));
  }
  const [verb] = rest;
  if (verb === undefined || isHelp(verb)) return { kind: 'help', command: undefined };
  const name = BEHIND_DRIFT.find((one) => one === verb);
  return name === undefined ? refuseName(verb, typed.slice(2)) : parseCommand(name, typed.slice(2));
}

function isHelp(word: string): boolean {
  return /^(?:help|-h|--help)$/.test(word);
}

function refuseName(written: string, args: readonly string[]): Refusal {
  const shown = JSON.stringify(written.slice(0, 100));
  const exist = `Here are ${NAMES.map((name) => `\`${DRIFT_COMMANDS[name].typed}\``).join(', ')}`;
  const problem = ELSEWHERE.has(written)
    ? `${shown} is for pull requests. ${exist}`
    : `There is no command ${shown} for drift. ${exist}`;
  const meant = NAMES.find((name) => name === written) ?? ELSEWHERE.get(written) ?? suggest(written, NAMES);
  const known = NAMES.find((name) => name === meant);
  const suggestion = known && [DRIFT_COMMANDS[known].typed, ...(known === 'run' ? [] : args.map(quoteWord))].join(' ');
  return { ...refuse(problem), suggestion };
}

type Read = ReadFlags<keyof typeof DRIFT_FLAGS>;

function parseCommand(name: DriftCommand['name'], args: readonly string[]): LineResult {
  const flags = readFlagsAmong(DRIFT_FLAGS, DRIFT_COMMANDS[name].flags, args);
  if ('code' in flags) return refuse(flags.problem, name);
  if (flags.booleans.has('help')) return { kind: 'help', command: name };
  if (flags.rest !== undefined) return refuse('nothing is handed on to Terraform here', name);
  const command = makeCommand(name, flags);
  return 'problem' in command ? refuse(command.problem, name) : { kind: 'command', command };
}

type Made = DriftCommand | { readonly problem: string };

function makeCommand(name: DriftCommand['name'], flags: Read): Made {
  switch (name) {
    case 'run':
    case 'resume':
      return withoutWords(flags) ?? { name };
    case 'apply':
      return withoutWords(flags) ?? { name, destroys: [...new Set(flags.strings['allow-destroy'])] };
    case 'approve':
      return makeApproval(flags);
    case 'ack':
      return withReason(flags, flags.positionals, (reason) => ({ name, reason }));
    case 'snooze':
      return makeSnooze(flags);
    case 'suspend':
      return makeSuspension(flags);
    case 'ignore':
      return makeIgnoreRule(flags);
  }
}

function withoutWords({ positionals }: Read): { readonly problem: string } | undefined {
  return positionals.length === 0 ? undefined : { problem: `unknown argument(s) – ${positionals.join(' ')}` };
}

function makeApproval({ positionals: [fingerprint = '', ...more] }: Read): Made {
  return /^[0-9a-f]{8,64}$/i.test(fingerprint) && more.length === 0
    ? { name: 'approve', fingerprint: fingerprint.toLowerCase() }
    : { problem: 'it needs the fingerprint of the drift, as the report shows it, and nothing else' };
}

function makeSnooze(flags: Read): Made {
  const isWritten = flags.strings.for !== undefined || flags.strings.until !== undefined;
  const words = isWritten ? flags.positionals : flags.positionals.slice(1);
  const length = isWritten ? flags.strings.for?.[0] : flags.positionals[0];
  const end = readEnd(length, flags.strings.until?.[0]);
  if (end === undefined) return { problem: 'it needs to know for how long, such as 7d' };
  if ('problem' in end) return end;
  return withReason(flags, words, (reason) => ({ name: 'snooze', end, reason }));
}

function makeSuspension(flags: Read): Made {
  const end = readEnd(flags.strings.for?.[0], flags.strings.until?.[0]);
  if (end !== undefined && 'problem' in end) return end;
  return withReason(flags, flags.positionals, (reason) =>
    reason === undefined
      ? { problem: 'it needs a reason: somebody will wonder why nothing is checked' }
      : { name: 'suspend', reason, end },
  );
}

function makeIgnoreRule(flags: Read): Made {
  const [address, ...words] = flags.positionals;
  if (address === undefined) return { problem: 'it needs the address of a resource; `*` is any run of characters' };
  const end = readEnd(flags.strings.for?.[0], flags.strings.until?.[0]);
  if (end === undefined) return { problem: 'it needs an end, --for or --until, so that it is not forgotten' };
  if ('problem' in end) return end;
  const [attribute = '*'] = flags.strings.attribute ?? [];
  const owner = flags.strings.owner?.[0]?.replace(/^@/, '');
  return withReason(flags, words, (reason) => ignoreRule({ address, attribute, owner, end }, reason));
}

interface RuleParts {
  readonly address: string;
  readonly attribute: string;
  readonly owner: string | undefined;
  readonly end: WrittenEnd;
}

function ignoreRule(parts: RuleParts, reason: string | undefined): Made {
  if (reason === undefined) return { problem: 'it needs a reason: why this is no drift' };
  const empty = Object.entries(parts).find(([, value]) => value === '')?.[0];
  return empty === undefined ? { name: 'ignore', reason, ...parts } : { problem: `the ${empty} is empty` };
}

const MAX_REASON_LENGTH = 500;

/** From `--reason` or the words that follow; an empty one is none. */
function withReason(flags: Read, words: readonly string[], make: (reason: string | undefined) => Made): Made {
  const flag = flags.strings.reason?.[0];
  if (flag !== undefined && words.length > 0) return { problem: `unknown argument(s) – ${words.join(' ')}` };
  const reason = (flag ?? words.join(' ')).trim();
  if (reason.length > MAX_REASON_LENGTH) {
    return { problem: `a reason may have ${MAX_REASON_LENGTH} characters at most` };
  }
  return make(reason === '' ? undefined : reason);
}

function refuse(problem: string, usage?: DriftCommandName): Refusal {
  return { kind: 'refusal', problem, suggestion: undefined, usage };
}
