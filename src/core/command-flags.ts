import { parseArgs } from 'node:util';
import type { CommandName } from './reply.ts';

type FlagName = 'dir' | 'workspace' | 'project' | 'verbose' | 'auto-merge-disabled' | 'auto-merge-method' | 'help';

export interface Flag {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  readonly help: string;
}

/** All flags there are; help texts are made from this, too. */
export const FLAGS: Readonly<Record<FlagName, Flag>> = {
  dir: {
    type: 'string',
    short: 'd',
    multiple: true,
    help: 'directory from the top of the repository, or a glob of directories',
  },
  workspace: { type: 'string', short: 'w', help: 'Terraform workspace' },
  project: {
    type: 'string',
    short: 'p',
    help: 'name of a project in the repository’s config; not together with -d or -w',
  },
  verbose: { type: 'boolean', help: 'show the whole output' },
  'auto-merge-disabled': { type: 'boolean', help: 'do not merge after this apply' },
  'auto-merge-method': { type: 'string', help: 'merge, squash or rebase' },
  help: { type: 'boolean', short: 'h', help: 'show this help' },
};

const ON_PROJECTS: readonly FlagName[] = ['dir', 'workspace', 'project', 'verbose', 'help'];

export const COMMAND_FLAGS: Readonly<Record<CommandName, readonly FlagName[]>> = {
  plan: ON_PROJECTS,
  apply: [...ON_PROJECTS.slice(0, -1), 'auto-merge-disabled', 'auto-merge-method', 'help'],
  version: ON_PROJECTS,
  unlock: ['help'],
  cancel: ['help'],
  help: ['help'],
};

export interface ReadFlags<Name extends string = FlagName> {
  readonly strings: Readonly<Partial<Record<Name, readonly string[]>>>;
  readonly booleans: ReadonlySet<Name>;
  readonly positionals: readonly string[];
  /** What came after `--`; undefined when there was no `--`. */
  readonly rest: readonly string[] | undefined;
}

export type FlagProblemCode = 'unknown_flag' | 'missing_value' | 'repeated_flag' | 'bad_value';
export interface FlagProblem {
  readonly code: FlagProblemCode;
  readonly problem: string;
  readonly flag: string;
}

type Token = NonNullable<ReturnType<typeof tokenize>>[number];
type OptionToken = Extract<Token, { kind: 'option' }>;

/** Reads the words after the name of a command on a pull request. */
export function readFlags(command: CommandName, words: readonly string[]): ReadFlags | FlagProblem {
  return readFlagsAmong(FLAGS, COMMAND_FLAGS[command], words);
}

/** Reads words in the grammar of Go's pflag; the splitting is Node's. `table` has all flags there are, `allowed` those that may be given here. */
export function readFlagsAmong<Name extends string>(
  table: Readonly<Record<Name, Flag>>,
  allowed: readonly Name[],
  words: readonly string[],
): ReadFlags<Name> | FlagProblem {
  const strings: Partial<Record<Name, string[]>> = {};
  const booleans = new Set<Name>();
  const positionals: string[] = [];
  let rest: readonly string[] | undefined;
  for (const token of tokenize(table, words)) {
    if (token.kind === 'option-terminator') rest = words.slice(token.index + 1);
    else if (rest !== undefined) continue;
    else if (token.kind === 'positional') positionals.push(token.value);
    else {
      const name = allowed.find((flag) => flag === token.name);
      const problem =
        name === undefined
          ? unknownFlag(token, words[token.index] ?? '')
          : takeOption(name, table[name], token, strings, booleans);
      if (problem) return problem;
    }
  }
  return { strings, booleans, positionals, rest };
}

/** Not strict, because its errors are made for programmers; everything it lets through is checked in `takeOption`. */
function tokenize(table: Readonly<Record<string, Flag>>, words: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { type, short }]) => [
      name,
      { type, multiple: true, ...(short ? { short } : {}) },
    ]),
  );
  return parseArgs({ args: [...words], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

function takeOption<Name extends string>(
  name: Name,
  flag: Flag,
  token: OptionToken,
  strings: Partial<Record<Name, string[]>>,
  booleans: Set<Name>,
): FlagProblem | undefined {
  if (flag.type === 'boolean') return takeBoolean(name, token, booleans);
  const value = stringValue(token);
  if (value === undefined) {
    return { code: 'missing_value', flag: token.rawName, problem: `flag needs an argument: ${token.rawName}` };
  }
  const values = (strings[name] ??= []);
  if (values.length > 0 && !flag.multiple) {
    return { code: 'repeated_flag', flag: token.rawName, problem: `${token.rawName} can be given once only` };
  }
  values.push(value);
  return undefined;
}

function takeBoolean<Name extends string>(
  name: Name,
  token: OptionToken,
  booleans: Set<Name>,
): FlagProblem | undefined {
  const value = token.inlineValue ? token.value.toLowerCase() : 'true';
  if (['true', 't', '1'].includes(value)) booleans.add(name);
  else if (['false', 'f', '0'].includes(value)) booleans.delete(name);
  else
    return {
      code: 'bad_value',
      flag: token.rawName,
      problem: `${token.rawName} is true or false, not ${JSON.stringify(token.value)}`,
    };
  return undefined;
}

/** `-d=x` is `-d x` to pflag. A value that looks like a flag is a forgotten value, unless it is written with `=`. */
function stringValue(token: OptionToken): string | undefined {
  if (token.value === undefined) return undefined;
  const short = !token.rawName.startsWith('--');
  if (token.inlineValue) return short && token.value.startsWith('=') ? token.value.slice(1) : token.value;
  return token.value.startsWith('-') && token.value !== '-' ? undefined : token.value;
}

function unknownFlag(token: OptionToken, word: string): FlagProblem {
  const problem = token.rawName.startsWith('--')
    ? `unknown flag: ${token.rawName}`
    : `unknown shorthand flag: '${token.name}' in ${word}`;
  return { code: 'unknown_flag', flag: token.rawName, problem };
}
