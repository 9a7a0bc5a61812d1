import type { DriftDecision } from '../../src/core/drift/drift-project.ts';
import { wake } from '../../src/jobs/wake.ts';
import type { RunContext } from '../run-context.ts';
import { decideEnded } from './decide-ended.ts';
import { pollBranches } from './poll-branches.ts';
import { scheduleDue } from './schedule-due.ts';
import { followBranches } from './track-branches.ts';

const ENDED_AT_ONCE = 200;

/** What time brings for the tracked branches. */
export async function driftJob(context: RunContext): Promise<void> {
  await settleEnded(context);
  await followBranches(context);
  await pollBranches(context);
  await scheduleDue(context);
}

/** Checks and remediations whose worker died, or that somebody cancelled before they were claimed. */
async function settleEnded(context: RunContext): Promise<void> {
  for (const ended of await context.drift.listEnded(ENDED_AT_ONCE)) {
    const { key, runId } = ended.project;
    const project = await context.drift.change(key, (now) =>
      // Meanwhile its own worker may have come back.
      now.runId === runId
        ? withoutRun(
            decideEnded(now, { ...ended, begun: ended.state === 'interrupted', runId: runId ?? '' }, context.now()),
          )
        : { changes: {}, report: false },
    );
    if (project !== undefined) {
      await wake(context, { runIds: [], pullRequestIds: [], deliveries: [], repositoryIds: [project.repositoryId] });
    }
  }
}

function withoutRun(decision: DriftDecision): DriftDecision {
  return { ...decision, changes: { ...decision.changes, runId: undefined } };
}
