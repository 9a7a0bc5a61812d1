import type { Diagnostic } from '../../src/core/plan.ts';
import type { SandboxResult } from '../../src/ports/sandbox.ts';

export interface FailureFacts {
  readonly step: string;
  readonly result: Pick<SandboxResult, 'exitCode' | 'stoppedBy'>;
  readonly timeoutMs: number;
  readonly diagnostics: readonly Diagnostic[];
  /** What Terraform wrote to stderr, for the errors it gives no frame; empty for custom steps, whose words are their own. */
  readonly errorText: string;
  readonly workspace: string;
}

/** Errors whose own text leaves people alone, and what to do about them. */
const KNOWN: readonly (readonly [pattern: RegExp, explanation: (facts: FailureFacts) => string])[] = [
  [
    /workspaces not supported/i,
    ({ workspace }) =>
      `The state's backend has no workspaces, so the workspace "${workspace}" cannot be used. Remove \`workspace\` from the project, or use a backend that has them.`,
  ],
  [
    /was not found in any of the search locations|provider registry .* does not have a provider|no available releases match/i,
    () =>
      'A provider this configuration needs is not in the provider mirror, and runs do not ask registries themselves. Check its source address and version constraints; where the server has no network, the operator must add it to the mirror.',
  ],
  [
    /doesn't match any of the checksums|does not match any of the checksums/i,
    () =>
      'The provider package in the mirror is not the one that `.terraform.lock.hcl` names. If the lock file was written on another platform, add this one with `terraform providers lock -platform=linux_amd64` and commit it.',
  ],
  [
    /Unsupported Terraform Core version|required_version/i,
    () =>
      'The configuration asks for another version of Terraform than the one that runs here; see `required_version` and `terraform_version`.',
  ],
  [/Saved plan is stale/i, () => 'The state has changed since this plan was made. Plan again.'],
  [
    /Could not download module|Failed to download module|Module not installed|error downloading/i,
    () =>
      "A module could not be fetched. Check its source, and that the sandbox may reach it: network mode and init credentials are the server's.",
  ],
  [
    /no such host|dial tcp|network is unreachable|connection refused|Temporary failure in name resolution/i,
    () =>
      "Something could not be reached from inside the sandbox. Its network mode is the server's; addresses of the server itself are never reachable.",
  ],
];

/** What happened and what to do, in sentences. Quotes Terraform's summary, so it is as hostile as output. */
export function explainFailure(facts: FailureFacts): string {
  const stopped = explainStop(facts);
  if (stopped !== undefined) return stopped;
  const error = facts.diagnostics.find(({ severity }) => severity === 'error');
  const text = error === undefined ? facts.errorText : `${error.summary}\n${error.detail}`;
  const known = KNOWN.find(([pattern]) => pattern.test(text))?.[1](facts);
  if (error === undefined) return known === undefined ? explainExit(facts) : `${facts.step} failed. ${known}`;
  return `${facts.step} failed: ${error.summary}${known === undefined ? '' : `. ${known}`}`;
}

function explainStop({ step, result, timeoutMs }: FailureFacts): string | undefined {
  switch (result.stoppedBy) {
    case 'timeout':
      return `${step} took longer than ${Math.round(timeoutMs / 1000)} s and was stopped. Make the project smaller, or let the operator raise the limit.`;
    case 'memory':
      return `${step} was stopped because the run used more memory than it may. Make the project smaller, or let the operator raise the limit.`;
    case 'processes':
      return `${step} was stopped because the run started more processes than it may.`;
    case 'disk':
      return `${step} was stopped because the run wrote more to disk than it may.`;
    case 'signal':
      return `${step} was stopped.`;
    case undefined:
      return undefined;
  }
}

function explainExit({ step, result }: FailureFacts): string {
  if (result.exitCode === undefined) return `${step} was killed, perhaps for lack of memory.`;
  if (result.exitCode === 0) return `${step} failed.`;
  return `${step} failed with exit code ${result.exitCode}. Its last lines say more.`;
}
