import { compileGlob, containsGlob } from '../lib/glob.ts';
import { splitWords } from '../lib/shell-words.ts';
import { suggest } from '../lib/suggestion.ts';
import type { AutomergeMethod, Command, ProjectSelection } from './command.ts';
import { COMMAND_FLAGS, readFlags, type FlagProblemCode, type ReadFlags } from './command-flags.ts';
import { problemOfExtraArgument } from './extra-argument.ts';
import type { CommandName } from './reply.ts';
import { joinPath, leavesRepository } from './repository-path.ts';
import { problemOfTypedWorkspace } from './workspace-name.ts';

export type RefusalCode =
  | FlagProblemCode
  | 'unreadable_words'
  | 'unknown_command'
  | 'unsupported_command'
  | 'takes_no_flags'
  | 'unused_arguments'
  | 'bad_dir'
  | 'bad_workspace'
  | 'project_with_place'
  | 'blocked_argument';

export type LineResult =
  | { readonly kind: 'command'; readonly command: Command }
  /** `command` undefined: all of them. */
  | { readonly kind: 'help'; readonly command: CommandName | undefined }
  | Refusal;

export interface Refusal {
  readonly kind: 'refusal';
  readonly code: RefusalCode;
  readonly problem: string;
  /** The corrected line without its trigger word, where one is likely. */
  readonly suggestion: string | undefined;
  /** The command whose usage helps. */
  readonly usage: CommandName | undefined;
}

export const COMMAND_NAMES: readonly CommandName[] = ['plan', 'apply', 'unlock', 'cancel', 'version', 'help'];

/** Atlantis has them and Holdfast does not, with what to do instead. */
export const UNSUPPORTED_COMMANDS: Readonly<Record<string, string>> = {
  approve_policies: 'Policy checks are not part of this version of Holdfast; use apply requirements.',
  import: 'Write an `import` block into the configuration; it is planned, reviewed and applied like any other change.',
  state:
    'Write a `removed` or `moved` block into the configuration; it is planned, reviewed and applied like any other change.',
};

/** Reads one line that starts with a trigger word. */
export function parseCommandLine(line: string): LineResult {
  const words = splitWords(line);
  if ('problem' in words) return refusal('unreadable_words', `The command could not be read: ${words.problem}.`);
  const [, written, ...args] = words;
  if (written === undefined || /^(?:help|-h|--help)$/i.test(written)) return { kind: 'help', command: undefined };
  const name = COMMAND_NAMES.find((command) => command === written.toLowerCase());
  return name === undefined ? refuseName(written, args) : parseCommand(name, args);
}

function refuseName(written: string, args: readonly string[]): Refusal {
  const exist = `The commands are ${COMMAND_NAMES.map((name) => `\`${name}\``).join(', ')}.`;
  const key = written.toLowerCase();
  if (Object.hasOwn(UNSUPPORTED_COMMANDS, key)) {
    const problem = `Holdfast has no command \`${key === 'state' ? 'state rm' : key}\`. ${UNSUPPORTED_COMMANDS[key]} ${exist}`;
    return refusal('unsupported_command', problem);
  }
  const meant = suggest(written, COMMAND_NAMES);
  const problem = `There is no command ${JSON.stringify(written.slice(0, 100))}. ${exist}`;
  return { ...refusal('unknown_command', problem), suggestion: meant && [meant, ...args].join(' ') };
}

function parseCommand(name: CommandName, args: readonly string[]): LineResult {
  const flags = readFlags(name, args);
  if ('code' in flags) return refuseFlags(name, flags.code, flags.problem, flags.flag);
  if (flags.booleans.has('help')) return { kind: 'help', command: name };
  if (name === 'help') return { kind: 'help', command: undefined };
  if (flags.positionals.length > 0) {
    return refusal('unused_arguments', `unknown argument(s) – ${flags.positionals.join(' ')}`, name);
  }
  if (name === 'unlock' || name === 'cancel') {
    return flags.rest === undefined
      ? { kind: 'command', command: { name } }
      : refuseFlags(name, 'unknown_flag', '', '--');
  }
  return parseProjectCommand(name, flags);
}

function refuseFlags(name: CommandName, code: FlagProblemCode, problem: string, flag: string): Refusal {
  if (name === 'unlock' || name === 'cancel') {
    const what = name === 'unlock' ? 'releases all locks and discards all plans' : 'stops all runs';
    return refusal('takes_no_flags', `${name} takes no flags: it ${what} of this pull request.`, name);
  }
  const long = COMMAND_FLAGS[name].map((known) => `--${known}`);
  const meant = code === 'unknown_flag' && flag.startsWith('--') ? suggest(flag, long) : undefined;
  return refusal(code, meant === undefined ? problem : `${problem} – did you mean ${meant}?`, name);
}

function parseProjectCommand(name: 'plan' | 'apply' | 'version', flags: ReadFlags): LineResult {
  const selection = readSelection(flags);
  if ('code' in selection) return refusal(selection.code, selection.problem, name);
  const extraArgs = flags.rest ?? [];
  for (const argument of extraArgs) {
    const problem = problemOfExtraArgument(argument, name, 'comment');
    if (problem !== undefined) return refusal('blocked_argument', problem, name);
  }
  const common = { selection, verbose: flags.booleans.has('verbose'), extraArgs };
  if (name !== 'apply') return { kind: 'command', command: { name, ...common } };
  const method = flags.strings['auto-merge-method']?.[0];
  if (method !== undefined && !isAutomergeMethod(method)) {
    return refusal('bad_value', `--auto-merge-method is merge, squash or rebase, not ${JSON.stringify(method)}`, name);
  }
  const automergeDisabled = flags.booleans.has('auto-merge-disabled');
  return { kind: 'command', command: { name, ...common, automergeDisabled, automergeMethod: method } };
}

function isAutomergeMethod(text: string): text is AutomergeMethod {
  return ['merge', 'squash', 'rebase'].includes(text);
}

function readSelection(flags: ReadFlags): ProjectSelection | { readonly code: RefusalCode; readonly problem: string } {
  const project = flags.strings.project?.[0];
  const workspace = flags.strings.workspace?.[0];
  const dirs = (flags.strings.dir ?? []).map(readDir);
  if (project !== undefined && (workspace !== undefined || dirs.length > 0)) {
    return {
      code: 'project_with_place',
      problem: 'cannot use -p/--project at same time as -d/--dir or -w/--workspace',
    };
  }
  if (project === '') return { code: 'bad_value', problem: '-p/--project needs the name of a project' };
  const problem = dirs.find((dir) => typeof dir !== 'string');
  if (problem !== undefined) return { code: 'bad_dir', problem: problem.problem };
  const workspaceProblem = workspace === undefined ? undefined : problemOfTypedWorkspace(workspace);
  if (workspaceProblem !== undefined) {
    return { code: 'bad_workspace', problem: `invalid workspace: ${JSON.stringify(workspace)}: ${workspaceProblem}` };
  }
  return { dirs: dirs.filter((dir) => typeof dir === 'string'), workspace, project };
}

function readDir(written: string): string | { readonly problem: string } {
  if (written === '') return { problem: '-d/--dir needs a directory; `.` is the top of the repository' };
  const dir = joinPath('.', written);
  if (leavesRepository(dir)) {
    return {
      problem: `using a relative path ${JSON.stringify(written)} with -d/--dir is not allowed: it leaves the repository`,
    };
  }
  const glob = containsGlob(dir) ? compileGlob(dir) : undefined;
  return glob && 'problem' in glob
    ? { problem: `invalid glob pattern ${JSON.stringify(written)}: ${glob.problem}` }
    : dir;
}

function refusal(code: RefusalCode, problem: string, usage?: CommandName): Refusal {
  return { kind: 'refusal', code, problem, suggestion: undefined, usage };
}
