import type { ProjectKey } from './project.ts';
import { projectTitle } from './project.ts';
import type { Decision, PullRequestState } from './record.ts';

export type Release =
  | { readonly kind: 'released'; readonly decision: Decision }
  /** Somebody else has the lock by now, or nobody. */
  | { readonly kind: 'not_held' }
  /** What an apply does must stay locked while it does it. */
  | { readonly kind: 'being_applied'; readonly project: string };

/** Gives up one lock of a pull request with its plan, for a person who is not a user of the VCS host, such as an operator on the locks page. */
export function decideRelease(state: PullRequestState, projectKey: ProjectKey, actor: string): Release {
  const held = state.locks.some((lock) => lock.projectKey === projectKey && lock.pullRequestId === state.pull.id);
  if (!held) return { kind: 'not_held' };
  const open = state.open.filter((run) => run.projectKey === projectKey);
  const applying = open.find((run) => run.operation === 'apply' && run.state !== 'queued');
  if (applying !== undefined) return { kind: 'being_applied', project: projectTitle(applying.project) };
  return {
    kind: 'released',
    decision: {
      actor,
      event: 'release',
      cancel: open.map((run) => ({ runId: run.id, reason: 'The project lock was released on the locks page.' })),
      release: [projectKey],
    },
  };
}
