/** What a sealed text or file belongs to. It is authenticated with the bytes, so that those of one row do not open in another's place. */

/** One stored part of what a run printed. */
export function outputContext(runId: string, seq: number): string {
  return `output:${runId}:${seq}`;
}

/** Terraform's text of the plan that a run made. */
export function planTextContext(runId: string): string {
  return `plan-text:${runId}`;
}

/** What the last drift check of a project found. */
export function driftContext(projectKey: string): string {
  return `drift:${projectKey}`;
}

/** A file that was kept of a run. */
export function artifactContext(runId: string, name: string): string {
  return `artifact:${runId}:${name}`;
}

/** The file that Terraform writes when it could not store the state: the only copy of what was done. */
export const ERRORED_STATE = 'errored.tfstate';
