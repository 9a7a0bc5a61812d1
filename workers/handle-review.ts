import type { ReviewEvent } from '../src/core/vcs-event.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import type { RunContext } from './run-context.ts';
import { openPullRequest } from './open-pull-request.ts';
import { wake } from '../src/jobs/wake.ts';

/** Reviews are asked for when an apply needs them; here only the facts are refreshed, and what people see with them. */
export async function handleReview(context: RunContext, host: VcsHost, event: ReviewEvent): Promise<void> {
  const pull = await openPullRequest(context, host, event);
  if (pull === undefined) return;
  await context.publications.want(pull.id);
  await wake(context, { runIds: [], pullRequestIds: [pull.id], deliveries: [] }, { publish: 'later' });
}
