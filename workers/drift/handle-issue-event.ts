import type { IssueEvent } from '../../src/core/vcs-event.ts';
import type { VcsHost } from '../../src/ports/vcs-host.ts';
import { isAllowed, openRepository } from '../open-pull-request.ts';
import type { RunContext } from '../run-context.ts';
import { wake } from '../../src/jobs/wake.ts';

/**
 * Somebody closed, reopened, deleted or transferred an issue of ours: how it stands now is asked and written down. What follows is
 * decided where reports are published. In a locked one we are heard no more, which is found out when there is something to say.
 */
export async function handleIssueEvent(context: RunContext, host: VcsHost, event: IssueEvent): Promise<void> {
  if (event.change === 'locked' || event.change === 'unlocked') return;
  const ourDoing = event.own && (event.change === 'closed' || event.change === 'reopened');
  if (ourDoing || !isAllowed(context, `${host.host}/${event.repositoryFullName}`)) return;
  const issue = await context.reports.findIssue(`${host.host}/${event.repositoryId}`, event.number);
  if (issue === undefined) return;
  const repository = await openRepository(context, host, event);
  if (repository === undefined) return;
  const found = await host.getIssue(repository, event.number);
  if (found.kind === 'disabled') return;
  if (found.kind === 'found') {
    const { state, closedAt } = found.issue;
    await context.reports.changedByPeople(issue.id, state, closedAt ?? context.now());
  } else await context.reports.gone(issue.id);
  await context.reports.want(issue.repositoryId);
  await wake(context, { runIds: [], pullRequestIds: [], deliveries: [], repositoryIds: [issue.repositoryId] });
}
