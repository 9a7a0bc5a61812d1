import { compileRegex, type LinearRegex } from '../../src/lib/linear-regex.ts';
import { looksSecret } from '../../src/core/sensitive-values.ts';
import type { ShellCommand, Step } from '../../src/core/workflow.ts';
import { variableRefusal } from './step-environment.ts';
import {
  failureOf,
  type ProcessRequest,
  refuseStep,
  runProcess,
  type StageContext,
  type StepFailure,
} from './step-process.ts';

type CustomStep = Extract<Step, { kind: 'run' | 'env' | 'env_command' | 'multienv' }>;

const REDACTED = '<redacted>';
/** As Terraform prints it while it refreshes: what `strip_refreshing` is about. */
const REFRESHING = /: (?:Refreshing state\.\.\.|Reading\.\.\.|Still reading\.\.\.|Read complete after )/;
const LABEL_LENGTH = 60;

/** Runs a step of the workflow's own, with the stage's credentials and never init's. */
export async function runCustomStep(context: StageContext, step: CustomStep): Promise<StepFailure | undefined> {
  if (step.kind === 'env') return setVariable(context, 'env', step.name, step.value);
  const label = `${step.kind === 'env_command' ? 'env' : step.kind}: ${step.command}`.slice(0, LABEL_LENGTH);
  const filter = step.kind === 'env_command' ? () => undefined : outputFilter(step);
  if (typeof filter === 'object') return refuseStep(context, label, filter.problem);
  const request: ProcessRequest = {
    step: label,
    argv: shellArgv(step),
    phase: context.stage,
    timeoutMs: context.run.limits.customMs,
    output: 'text',
    filter,
    progress: 'custom',
  };
  const outcome = await runProcess(context, request);
  const failure = failureOf(context, request, outcome);
  if (failure !== undefined || step.kind === 'run') return failure;
  const { stdout } = outcome.result;
  if (step.kind === 'env_command') return setVariable(context, label, step.name, stdout.replace(/\n+$/, ''));
  return setVariables(context, label, stdout);
}

/** Through `env`, so that the shell is looked for on the sandbox's PATH and not on ours. */
function shellArgv({ shell, shellArgs, command }: ShellCommand): readonly [string, ...string[]] {
  return ['/usr/bin/env', shell, ...shellArgs, command];
}

function outputFilter(
  step: Extract<CustomStep, { kind: 'run' | 'multienv' }>,
): ((line: string) => string | undefined) | { readonly problem: string } {
  const regexes: LinearRegex[] = [];
  for (const source of step.output === 'filter_regex' ? step.filterRegexes : []) {
    const regex = compileRegex(source);
    if ('problem' in regex) return { problem: `The filter \`${source}\` is no regular expression: ${regex.problem}.` };
    regexes.push(regex);
  }
  if (step.output === 'hide') return () => undefined;
  if (step.output === 'strip_refreshing') return (line) => (REFRESHING.test(line) ? undefined : line);
  return (line) => regexes.reduce((text, regex) => regex.replace(text, REDACTED), line);
}

function setVariables(context: StageContext, label: string, output: string): StepFailure | undefined {
  const pairs = parseMultienv(output);
  if (pairs === undefined) {
    return refuseStep(context, label, 'What the step printed is not of the form `NAME=value,OTHER=value`.');
  }
  for (const [name, value] of pairs) {
    const failure = setVariable(context, label, name, value);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function setVariable(context: StageContext, label: string, name: string, value: string): StepFailure | undefined {
  const refusal = variableRefusal(name);
  if (refusal !== undefined) return refuseStep(context, label, refusal);
  if (value.includes('\0')) return refuseStep(context, label, `The value of ${name} holds a NUL character.`);
  if (looksSecret(name)) context.run.onSensitiveValues([value]);
  context.stepVariables.set(name, value);
  return undefined;
}

/**
 * `K=v,K2="v,2"`, also one pair per line; undefined when it is not that. Written here because the quoting is Atlantis' own:
 * quotes only group, and a comma or a line's end outside of them divides.
 */
export function parseMultienv(output: string): readonly (readonly [string, string])[] | undefined {
  const parts = output.match(/(?:"[^"]*"|'[^']*'|[^,\n"'])+/g) ?? [];
  const pairs = parts.map((part) => part.trim()).filter((part) => part !== '');
  if (pairs.some((pair) => !pair.includes('='))) return undefined;
  return pairs.map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at).trim(), unquote(pair.slice(at + 1).trim())] as const;
  });
}

function unquote(text: string): string {
  return text.replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? '');
}
