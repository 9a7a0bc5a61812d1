import type { Hub } from '../hub.ts';
import { pullFigures } from '../operations/mergeability.ts';
import type { PullRequest } from '../state/model.ts';
import { pullView } from '../views/pulls.ts';

/** `mergeable` is always unknown in an event: GitHub computes it only when somebody asks. */
export async function pullPayload(
  hub: Hub,
  pull: PullRequest,
  action: string,
  more: Readonly<Record<string, unknown>> = {},
) {
  if (!hub.hooks.wanted) return { action };
  const figures = { ...(await pullFigures(pull)), mergeable: null, mergeableState: 'unknown' };
  return { action, number: pull.issue.number, pull_request: pullView(hub.urls, pull, figures), ...more };
}
