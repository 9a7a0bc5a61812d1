import type { RepositoryEvent } from '../src/core/vcs-event.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import type { RunContext } from './run-context.ts';
import { openRepository } from './open-pull-request.ts';

/** Everything is kept under the repository's id, so a new name or owner is only written down. */
export async function handleRepository(context: RunContext, host: VcsHost, event: RepositoryEvent): Promise<void> {
  if (event.change === 'deleted') return;
  await openRepository(context, host, event);
}
