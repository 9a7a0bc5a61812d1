import type { PushEvent } from '../src/core/vcs-event.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import type { RunContext } from './run-context.ts';
import { openRepository, refreshPullRequest } from './open-pull-request.ts';
import { wake } from '../src/jobs/wake.ts';

/** A base branch moved: what is known of the pull requests into it is refreshed. Whether their plans still hold is asked by the gate. */
export async function handlePush(context: RunContext, host: VcsHost, event: PushEvent): Promise<void> {
  const repository = await openRepository(context, host, event);
  if (repository === undefined) return;
  if (event.branch === repository.defaultBranch) {
    await context.drift.pollSoon(`${repository.host}/${repository.id}`);
    await context.queue.enqueue('drift', {});
  }
  const open = await context.pulls.listOpen(repository, event.branch);
  for (const known of open) {
    const pull = await refreshPullRequest(context, host, repository, known.number);
    if (pull === undefined) continue;
    await context.publications.want(pull.id);
    await wake(context, { runIds: [], pullRequestIds: [pull.id], deliveries: [] }, { publish: 'later' });
  }
}
