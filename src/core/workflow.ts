/**
 * What `run` prints to people: everything, nothing, everything but Terraform's refresh lines, or everything but what the
 * expressions match. `filterRegexes` count with every output; `filter_regex` is `show` with at least one of them.
 * They are in Go's syntax and hostile: `compileRegex` runs them.
 */
export type StepOutput = 'show' | 'hide' | 'strip_refreshing' | 'filter_regex';

/** A shell line of the repository's or the operator's; it runs in the sandbox like everything else. */
export interface ShellCommand {
  readonly command: string;
  readonly shell: string;
  readonly shellArgs: readonly string[];
}

export type Step =
  | { readonly kind: 'init' | 'plan' | 'apply' | 'show'; readonly extraArgs: readonly string[] }
  | ({ readonly kind: 'run'; readonly output: StepOutput; readonly filterRegexes: readonly string[] } & ShellCommand)
  | { readonly kind: 'env'; readonly name: string; readonly value: string }
  | ({ readonly kind: 'env_command'; readonly name: string } & ShellCommand)
  | ({
      readonly kind: 'multienv';
      readonly output: StepOutput;
      readonly filterRegexes: readonly string[];
    } & ShellCommand);

export interface Workflow {
  readonly name: string;
  readonly plan: readonly Step[];
  readonly apply: readonly Step[];
}

export const DEFAULT_WORKFLOW: Workflow = {
  name: 'default',
  plan: [
    { kind: 'init', extraArgs: [] },
    { kind: 'plan', extraArgs: [] },
  ],
  apply: [{ kind: 'apply', extraArgs: [] }],
};

/** A workflow whose steps run commands of their own may read any file, so the whole repository counts as its input. */
export function isCustomWorkflow(workflow: Workflow): boolean {
  return [...workflow.plan, ...workflow.apply].some(
    (step) => step.kind === 'run' || step.kind === 'env_command' || step.kind === 'multienv',
  );
}
