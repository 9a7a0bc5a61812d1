import { z } from 'zod';
import { decidePlan, type Trigger } from '../src/core/decide.ts';
import { type ProjectKey, projectTitle } from '../src/core/project.ts';
import type { PullRequestId } from '../src/core/record.ts';
import type { StoredDelivery } from '../src/ports/delivery-store.ts';
import { chooseProjects, planNotes, recordDecision } from './decide-pull-request.ts';
import { gatherPullRequest, repositoryName } from './gather-pull-request.ts';
import type { RunContext } from './run-context.ts';
import { isAllowed, refreshPullRequest } from './open-pull-request.ts';

const LockReceived = z.object({
  pullRequestId: z.string(),
  fromPullRequestId: z.string(),
  projectKeys: z.array(z.string()),
});

/** A lock came to this pull request: what it planned before may be wrong by now, so those projects are planned again. */
export async function handleLockReceived(context: RunContext, delivery: StoredDelivery): Promise<void> {
  const { pullRequestId, fromPullRequestId, projectKeys } = LockReceived.parse(JSON.parse(delivery.payload));
  const known = await context.pulls.find(pullRequestId as PullRequestId);
  const host = known && context.hosts.get(known.repository.host);
  if (known === undefined || host === undefined || !isAllowed(context, repositoryName(known.repository))) return;
  const pull = await refreshPullRequest(context, host, known.repository, known.number);
  if (pull?.state !== 'open') return;
  const from = await context.pulls.find(fromPullRequestId as PullRequestId);
  const gathered = await gatherPullRequest(context, host, pull);
  const planned = pull.fork && context.config.forks === 'off' ? [] : gathered.projects.all;
  const chosen = chooseProjects(gathered, planned).filter(({ key }) => projectKeys.includes(key));
  const trigger: Trigger = {
    kind: 'handover',
    key: `handover:${delivery.id}`,
    actor: pull.author,
    commentId: undefined,
  };
  // In a conflict, or with a broken config, nobody can tell whether it is still touched; the lock then stays.
  const unclear = gathered.merge.mergeSha === undefined || gathered.configProblems.length > 0;
  const touched = new Set<string>(chosen.map(({ key }) => key));
  const kept = projectKeys.filter((key) => unclear || touched.has(key));
  await recordDecision(context, pull, (state) => {
    const titles = new Map<string, string>(state.latest.map((run) => [run.projectKey, projectTitle(run.project)]));
    const view = {
      kind: 'lock_received',
      projects: kept.map((key) => titles.get(key) ?? key),
      from: { pullNumber: from?.number ?? 0, url: from?.url ?? pull.url },
      planning: !unclear,
    } as const;
    return {
      ...decidePlan(state, {
        trigger,
        projects: chosen,
        complete: false,
        headSha: gathered.merge.headSha,
        baseSha: gathered.merge.baseSha,
        mergeSha: gathered.merge.mergeSha,
        notes: planNotes(gathered),
      }),
      // What the pull request has stopped touching while it waited goes to the next in line.
      release: projectKeys.filter((key) => !kept.includes(key)).map((key) => key as ProjectKey),
      replies: kept.length === 0 ? [] : [{ key: `handover:${delivery.id}`, kind: 'command', view }],
    };
  });
}
