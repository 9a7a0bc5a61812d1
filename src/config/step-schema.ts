import { z } from 'zod';
import { problemOfExtraArgument } from '../core/extra-argument.ts';
import type { ShellCommand, Step, StepOutput } from '../core/workflow.ts';
import { compileRegex } from '../lib/linear-regex.ts';

const BUILT_IN = ['init', 'plan', 'apply', 'show'] as const;
const CUSTOM = ['run', 'env', 'multienv'] as const;
/** Steps of Atlantis' whose stages do not exist here; inside `plan` or `apply` leaving one out would change what the workflow does. */
const NOT_HERE = ['policy_check', 'import', 'state_rm', 'version'];

type StepName = (typeof BUILT_IN)[number] | (typeof CUSTOM)[number];
type Problem = { readonly problem: string };
type Fields = Readonly<Record<string, unknown>>;

/**
 * One step of a workflow in Atlantis' forms: a name, or one key with its options. A hand-written reader inside the schema,
 * because a union of forms can only say that none of them fits, never what is wrong with the one that was meant.
 */
export const step = z
  .unknown()
  .transform((raw, context): Step => {
    const result = readStep(raw);
    if (!('problem' in result)) return result;
    context.addIssue(result.problem);
    return z.NEVER;
  })
  .meta({ description: 'A step: `init`, `plan`, `apply`, `show`, `run`, `env` or `multienv`.' });

/** Whether Atlantis would take this as a step of one of the stages that are not run here. */
export function problemOfForeignStep(raw: unknown): string | undefined {
  const name = typeof raw === 'string' ? raw : isFields(raw) ? Object.keys(raw)[0] : undefined;
  if (name === undefined || !NOT_HERE.includes(name)) {
    const result = readStep(raw);
    return 'problem' in result ? result.problem : undefined;
  }
  if (!isFields(raw)) return undefined;
  const args = readExtraArgs('init', raw[name]);
  return 'problem' in args ? args.problem : undefined;
}

export function readStep(raw: unknown): Step | Problem {
  if (typeof raw === 'string') return readName(raw);
  if (!isFields(raw)) return { problem: 'a step is a name or a key with its options' };
  const keys = Object.keys(raw);
  const [name = ''] = keys;
  if (keys.length !== 1) {
    return { problem: `step element can only contain a single key, found ${keys.length}: ${keys.sort().join(',')}` };
  }
  if (isBuiltIn(name)) {
    const extraArgs = readExtraArgs(name, raw[name]);
    return 'problem' in extraArgs ? extraArgs : { kind: name, extraArgs };
  }
  return isCustom(name) ? readCustom(name, raw[name]) : refuseName(name);
}

function readName(name: string): Step | Problem {
  return isBuiltIn(name) ? { kind: name, extraArgs: [] } : refuseName(name);
}

function refuseName(name: string): Problem {
  if (NOT_HERE.includes(name)) {
    return {
      problem: `"${name}" is a step of Atlantis that Holdfast does not have; use a \`run\` step for it, or leave it out`,
    };
  }
  return { problem: `"${name}" is not a valid step type, maybe you omitted the 'run' key` };
}

function readExtraArgs(step: (typeof BUILT_IN)[number], options: unknown): readonly string[] | Problem {
  const keys = isFields(options) ? Object.keys(options).sort() : [];
  if (!isFields(options) || keys.length !== 1 || keys[0] !== 'extra_args') {
    return { problem: `built-in steps only support a single extra_args key, found ${keys.length}: ${keys.join(',')}` };
  }
  const args = options.extra_args ?? [];
  if (!isTexts(args)) return { problem: 'extra_args must be a list of texts' };
  for (const argument of args) {
    const problem = problemOfExtraArgument(argument, step, 'workflow');
    if (problem !== undefined) return { problem };
  }
  return args;
}

function readCustom(name: (typeof CUSTOM)[number], raw: unknown): Step | Problem {
  const options: unknown = typeof raw === 'string' && name !== 'env' ? { command: raw } : raw;
  if (!isFields(options)) return { problem: `"${name}" needs its options` };
  const allowed =
    name === 'env' ? ['name', 'value', 'command', 'shell', 'shellArgs'] : ['command', 'output', 'shell', 'shellArgs'];
  const unknownKey = Object.keys(options).find((key) => !allowed.includes(key));
  if (unknownKey !== undefined) {
    return {
      problem: `${name} steps only support keys ${allowed.map((key) => `"${key}"`).join(', ')}, found key "${unknownKey}"`,
    };
  }
  if (name === 'env') return readEnv(options);
  const command = readShell(name, options);
  if ('problem' in command) return command;
  const output = readOutput(name, options.output ?? 'show');
  return 'problem' in output ? output : { kind: name, ...command, ...output };
}

function readEnv(options: Fields): Step | Problem {
  const name = options.name;
  if (typeof name !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return { problem: 'env steps must have a "name" of letters, digits and underscores' };
  }
  if (options.value !== undefined) {
    if (options.command !== undefined) return { problem: 'env steps have a "value" or a "command", not both' };
    if (options.shell !== undefined || options.shellArgs !== undefined) return SHELL_ALONE;
    return isPlain(options.value)
      ? { kind: 'env', name, value: String(options.value) }
      : { problem: 'env "value" must be text' };
  }
  const command = readShell('env', options);
  return 'problem' in command ? command : { kind: 'env_command', name, ...command };
}

const SHELL_ALONE: Problem = { problem: 'workflow steps only support "shell" key in combination with "command" key' };

function readShell(name: StepName, options: Fields): ShellCommand | Problem {
  const { command, shell, shellArgs } = options;
  if (command === undefined && (shell !== undefined || shellArgs !== undefined)) return SHELL_ALONE;
  if (typeof command !== 'string' || command.trim() === '') {
    return {
      problem: name === 'env' ? 'env steps must have a "value" or a "command"' : `"${name}" step must have a "command"`,
    };
  }
  if (shell === undefined && shellArgs !== undefined) {
    return { problem: 'workflow steps only support "shellArgs" key in combination with "shell" key' };
  }
  if (shell !== undefined && (typeof shell !== 'string' || shell === ''))
    return { problem: `"${name}" step "shell" must be text` };
  const args = typeof shellArgs === 'string' ? shellArgs.split(/\s+/).filter(Boolean) : (shellArgs ?? ['-c']);
  if (!isTexts(args)) return { problem: `"${name}" step "shellArgs" option must be a string or a list of strings` };
  return { command, shell: shell ?? 'sh', shellArgs: args };
}

/** Several outputs at once are one output that does the most, plus the expressions. */
function readOutput(name: StepName, raw: unknown): { output: StepOutput; filterRegexes: readonly string[] } | Problem {
  let output: StepOutput = 'show';
  const filterRegexes: string[] = [];
  for (const one of Array.isArray(raw) ? raw : [raw]) {
    if (one === 'hide' || (one === 'strip_refreshing' && output !== 'hide')) output = one;
    else if (isFields(one) && Object.keys(one).join() === 'filter_regex') {
      const sources = Array.isArray(one.filter_regex) ? one.filter_regex : [one.filter_regex];
      if (!isTexts(sources)) return { problem: `"${name}" step "filter_regex" must be text or a list of texts` };
      filterRegexes.push(...sources);
    } else if (one !== 'show' && one !== 'strip_refreshing') {
      return {
        problem: `"${name}" step "output" must be "show", "hide", "strip_refreshing" or "filter_regex", found ${JSON.stringify(one)}`,
      };
    }
  }
  for (const source of filterRegexes) {
    const regex = compileRegex(source);
    if ('problem' in regex) return { problem: `"${name}" step "filter_regex" ${source}: ${regex.problem}` };
  }
  return { output: output === 'show' && filterRegexes.length > 0 ? 'filter_regex' : output, filterRegexes };
}

function isBuiltIn(name: string): name is (typeof BUILT_IN)[number] {
  return BUILT_IN.some((known) => known === name);
}

function isCustom(name: string): name is (typeof CUSTOM)[number] {
  return CUSTOM.some((known) => known === name);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPlain(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
