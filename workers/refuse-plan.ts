import { projectTitle } from '../src/core/project.ts';
import { digestProjectInputs } from '../src/core/project-inputs.ts';
import type { PullRequestRecord } from '../src/core/record.ts';
import type { UnmetRequirement } from '../src/core/reply.ts';
import { findUnmetPlanRequirements } from '../src/core/review-rules.ts';
import { commitSha } from '../src/core/repository.ts';
import type { ClaimedPullRequestRun } from '../src/ports/run-store.ts';
import type { CommitFacts } from './commit-facts.ts';
import { askMergeability, readReviews } from './gather-apply-facts.ts';
import type { RunContext } from './run-context.ts';

/** What stands between this project and its plan, asked from the host now; empty where the project demands nothing. */
export async function findPlanRefusals(
  context: RunContext,
  { project, batch }: ClaimedPullRequestRun,
  pull: PullRequestRecord,
  commit: CommitFacts,
): Promise<readonly UnmetRequirement[]> {
  const requirements = project.planRequirements;
  const host = context.hosts.get(pull.repository.host);
  if (requirements.length === 0 || host === undefined) return [];
  const inputs = digestProjectInputs(commit, project);
  const approved = requirements.includes('approved');
  return findUnmetPlanRequirements({
    requirements,
    pull,
    title: projectTitle(project),
    reviews: approved ? await readReviews(context, host, pull, project, inputs, commitSha(batch.baseSha)) : [],
    lastPusher: approved ? await host.findLastPusher(pull) : undefined,
    mergeability: requirements.includes('mergeable')
      ? await askMergeability(host, pull, [project])
      : { kind: 'mergeable' },
    behindBase:
      requirements.includes('undiverged') &&
      (await isBehindBase(context, pull, batch.baseSha, commit, project, inputs)),
  });
}

/** With the merge strategy never: what is planned is made of the base's tip. */
async function isBehindBase(
  context: RunContext,
  pull: PullRequestRecord,
  baseSha: string,
  commit: CommitFacts,
  project: ClaimedPullRequestRun['project'],
  inputs: string,
): Promise<boolean> {
  if (context.config.checkoutStrategy === 'merge') return false;
  const merged = await context.mirror.merge(pull.repository, commitSha(baseSha), commit.sha);
  if (merged.kind !== 'merged') return true;
  return digestProjectInputs(await context.commits.read(pull.repository, merged.sha), project) !== inputs;
}
