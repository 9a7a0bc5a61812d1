import semver from 'semver';
import type { TerraformBinary } from './terraform-binary.ts';

type Argv = readonly [string, ...string[]];

export interface CommandOptions {
  readonly lockTimeoutSeconds: number;
  /** Of the workflow and of the comment, already expanded. Later arguments win in Terraform, so ours come first. */
  readonly extraArgs: readonly string[];
}

/** Arguments that would lead plan or state around us; the reason is for people. */
const REFUSED: readonly (readonly [name: string, reason: string])[] = [
  ['out', 'the plan file has its own place'],
  ['chdir', "the project's directory is where Terraform runs"],
  ['json', 'how Terraform reports is decided here'],
  ['input', 'nobody could answer'],
  ['plugin-dir', 'providers come from the mirror'],
  ['from-module', 'the configuration comes from the pull request'],
  ['state', 'the state belongs to the backend'],
  ['state-out', 'the state belongs to the backend'],
  ['backup', 'the state belongs to the backend'],
];

/** One sentence per argument that may not be given to init, plan or apply. */
export function argumentRefusals(args: readonly string[]): readonly string[] {
  return args.flatMap((arg) => {
    const name = /^--?([a-z-]+)/.exec(arg)?.[1];
    const refused = REFUSED.find(([refusedName]) => refusedName === name);
    return refused === undefined ? [] : [`\`-${refused[0]}\` may not be given: ${refused[1]}.`];
  });
}

/** `$NAME` and `${NAME}` in `extra_args`, from the step's variables alone; an unknown one becomes empty, as a shell has it. */
export function expandArguments(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): readonly string[] {
  return args.map((arg) =>
    arg.replace(/\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/g, (_, plain?: string, braced?: string) => {
      const name = plain ?? braced ?? '';
      return Object.hasOwn(variables, name) ? (variables[name] ?? '') : '';
    }),
  );
}

/** `init -json` came with Terraform 1.9. */
export function reportsInitAsJson(terraform: TerraformBinary): boolean {
  return terraform.distribution === 'terraform' && semver.gte(terraform.version, '1.9.0');
}

export function initArgv(terraform: TerraformBinary, extraArgs: readonly string[]): Argv {
  const json = reportsInitAsJson(terraform) ? ['-json'] : [];
  return [terraform.path, 'init', '-input=false', '-no-color', ...json, ...extraArgs];
}

export interface PlanOptions extends CommandOptions {
  /** Only looks: the state is not locked, and what is there is read whatever the workflow says. */
  readonly observes: boolean;
}

export function planArgv(terraform: TerraformBinary, planFile: string, options: PlanOptions): Argv {
  return [
    terraform.path,
    'plan',
    '-input=false',
    '-no-color',
    '-json',
    `-lock-timeout=${options.lockTimeoutSeconds}s`,
    `-out=${planFile}`,
    ...options.extraArgs,
    ...(options.observes ? ['-lock=false', '-refresh=true'] : []),
  ];
}

export function applyArgv(terraform: TerraformBinary, planFile: string, options: CommandOptions): Argv {
  return [
    terraform.path,
    'apply',
    '-input=false',
    '-no-color',
    '-json',
    `-lock-timeout=${options.lockTimeoutSeconds}s`,
    ...options.extraArgs,
    planFile,
  ];
}

export function showJsonArgv(terraform: TerraformBinary, planFile: string): Argv {
  return [terraform.path, 'show', '-no-color', '-json', planFile];
}

export function showTextArgv(terraform: TerraformBinary, planFile: string): Argv {
  return [terraform.path, 'show', '-no-color', planFile];
}

/** Tried in turn until one succeeds. `-or-create` came with Terraform 1.4; OpenTofu always had it. */
export function workspaceArgvs(terraform: TerraformBinary, workspace: string): readonly Argv[] {
  const command = [terraform.path, 'workspace'] as const;
  if (semver.gte(terraform.version, '1.4.0')) {
    return [[...command, 'select', '-no-color', '-or-create=true', workspace]];
  }
  return [
    [...command, 'select', '-no-color', workspace],
    [...command, 'new', '-no-color', workspace],
  ];
}
