import { decideClose, decidePlan, type Trigger } from '../src/core/decide.ts';
import type { PullRequestEvent } from '../src/core/vcs-event.ts';
import type { Account } from '../src/core/pull-request.ts';
import type { PullRequestRecord } from '../src/core/record.ts';
import { servesBranch } from '../src/core/resolve-rules.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import { chooseProjects, planNotes, recordDecision } from './decide-pull-request.ts';
import { gatherPullRequest, rulesOf } from './gather-pull-request.ts';
import type { RunContext } from './run-context.ts';
import { openPullRequest } from './open-pull-request.ts';
import { wake } from '../src/jobs/wake.ts';

/** Something about a pull request changed: what it is now decides, not what the event says. */
export async function handlePullRequest(context: RunContext, host: VcsHost, event: PullRequestEvent): Promise<void> {
  const pull = await openPullRequest(context, host, event);
  if (pull === undefined) return;
  if (pull.state === 'open' && (event.change === 'closed' || event.change === 'converted_to_draft')) return;
  await seeTo(context, host, pull, event.sender);
}

/** Does what the facts call for, once: give everything back, or plan, or nothing. */
export async function seeTo(
  context: RunContext,
  host: VcsHost,
  pull: PullRequestRecord,
  actor: Account,
): Promise<void> {
  // Another title, or a base branch that moved, is no reason to plan again.
  const key = `autoplan:${pull.id}:${pull.planVersion}`;
  const trigger: Trigger = { kind: 'autoplan', key, actor, commentId: undefined };
  if (pull.state !== 'open') return recordDecision(context, pull, (state) => decideClose(state, trigger));
  if (!servesBranch(rulesOf(context, pull.repository), pull.baseRef)) {
    return recordDecision(context, pull, (state) => ({ ...decideClose(state, trigger), replies: [] }));
  }
  if (mayAutoplan(context, pull)) return autoplan(context, host, pull, trigger);
  // A new commit that is not planned ends what waits on the one before it all the same.
  await context.publications.want(pull.id);
  await wake(context, { runIds: [], pullRequestIds: [pull.id], deliveries: [] }, { publish: 'later' });
}

function mayAutoplan({ config }: RunContext, pull: PullRequestRecord): boolean {
  if (pull.fork && config.forks === 'off') return false;
  return !pull.draft || config.autoplanDrafts;
}

/** Plans every project that the pull request touches. */
async function autoplan(context: RunContext, host: VcsHost, pull: PullRequestRecord, trigger: Trigger): Promise<void> {
  const gathered = await gatherPullRequest(context, host, pull);
  const { merge, projects, touchesNothing } = gathered;
  // A conflict in files that are none of ours is none of ours either.
  const mergeSha = merge.mergeSha ?? (touchesNothing ? merge.headSha : undefined);
  await recordDecision(
    context,
    pull,
    (state) =>
      decidePlan(state, {
        trigger,
        projects: chooseProjects(gathered, projects.autoplan),
        complete: mergeSha !== undefined && gathered.configProblems.length === 0,
        headSha: merge.headSha,
        baseSha: merge.baseSha,
        mergeSha,
        notes: planNotes(gathered),
      }),
    projects.autoplan.length > 0 ? 'if_slow' : 'now',
  );
}
