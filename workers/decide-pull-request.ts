import type { BatchNotes } from '../src/core/batch.ts';
import type { ChosenProject } from '../src/core/decide.ts';
import { projectKey } from '../src/core/project.ts';
import type { FoundProject } from '../src/core/project-finder.ts';
import type { Decision, PullRequestRecord, PullRequestState } from '../src/core/record.ts';
import { RetryLaterError } from '../src/ports/job-queue.ts';
import type { WorkerContext } from './context.ts';
import type { GatheredPullRequest } from './gather-pull-request.ts';
import { type Publish, wake } from '../src/jobs/wake.ts';

/** Writes the decision and wakes who has to act on it. Facts that changed meanwhile are gathered again by a repeat of the whole job. */
export async function recordDecision(
  context: WorkerContext,
  pull: PullRequestRecord,
  decide: (state: PullRequestState) => Decision,
  publish: Publish = 'now',
): Promise<void> {
  const outcome = await context.runs.decide(pull.id, pull.version, decide);
  if (outcome.kind === 'stale') throw new RetryLaterError(`the facts of ${pull.id} changed meanwhile`, context.now());
  await wake(context, outcome.wakeups, { publish });
}

export function chooseProjects(
  { pull, projects }: GatheredPullRequest,
  found: readonly FoundProject[],
): readonly ChosenProject[] {
  return found.map(({ project }) => ({
    key: projectKey(pull.repository, project, projects.nameCounts(project)),
    project,
  }));
}

const NO_OPTIONS = { extraArgs: [], verbose: false } as const;

export function planNotes(
  gathered: GatheredPullRequest,
  command: { readonly extraArgs: readonly string[]; readonly verbose: boolean } = NO_OPTIONS,
): BatchNotes {
  const { projects, merge } = gathered;
  return {
    explanations: gathered.explanations,
    configProblems: gathered.configProblems,
    removedRoots: projects.removedRoots.map((root) => root.dir),
    mergeNote: merge.note,
    extraArgs: command.extraArgs,
    verbose: command.verbose,
    parallel: projects.settings.parallelPlan,
    abortOnFailure: projects.settings.abortOnExecutionOrderFail,
    automerge: undefined,
  };
}
