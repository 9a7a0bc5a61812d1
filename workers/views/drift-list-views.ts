import type { DriftDashboardView, DriftStanding, DriftSummaryView } from '../../src/comments/drift/drift-view.ts';
import type { DriftProject } from '../../src/core/drift/drift-project.ts';
import type { SyncState } from '../../src/core/drift/drift.ts';
import { isReportable } from '../../src/core/drift/issue-action.ts';
import type { ReportPlan } from '../../src/core/drift/report-budget.ts';
import { isSuspended } from '../../src/core/drift/skip.ts';
import { type ProjectKey, projectTitle } from '../../src/core/project.ts';
import type { WorkerContext } from '../context.ts';
import { failingSince } from './drift-issue-view.ts';
import { driftPageUrl } from './drift-page-url.ts';

type Projects = ReadonlyMap<ProjectKey, DriftProject>;
type Common = 'id' | 'triggers' | 'branch' | 'pageUrl';

export function driftSummaryView(
  context: WorkerContext,
  { summary }: ReportPlan,
  projects: Projects,
  maxOpenIssues: number,
): Omit<DriftSummaryView, Common> {
  const find = (keys: readonly ProjectKey[]) => keys.flatMap((key) => projects.get(key) ?? []);
  return {
    maxOpenIssues,
    beyond: find(summary.beyond).map((project) => ({
      ...lineOf(context, project),
      since: firstSeen(project),
      deletion: project.state.drift?.deletion ?? false,
    })),
    failing: find(summary.failing).map((project) => ({ ...lineOf(context, project), since: failingSince(project) })),
  };
}

export function driftDashboardView(
  context: WorkerContext,
  projects: readonly DriftProject[],
  problem: string | undefined,
): Omit<DriftDashboardView, Common> {
  return {
    problem,
    projects: projects.map((project) => {
      const standing = standingOf(project);
      return {
        ...lineOf(context, project),
        standing,
        since: standing === 'drift' ? firstSeen(project) : standing === 'error' ? failingSince(project) : undefined,
        suspended: isSuspended(project.suspension, context.now()),
      };
    }),
  };
}

function lineOf(context: WorkerContext, { key, project }: DriftProject) {
  return { title: projectTitle(project), url: driftPageUrl(context, key) };
}

function firstSeen({ state }: DriftProject): Date | undefined {
  return state.drift && new Date(state.drift.firstSeenAt);
}

const STANDINGS: Readonly<Record<Exclude<SyncState, 'drift' | 'error'>, DriftStanding>> = {
  unknown: 'unknown',
  pending: 'pending',
  baseline_unknown: 'baseline_unknown',
  external: 'external',
  state_only: 'in_sync',
  absorbed: 'in_sync',
  in_sync: 'in_sync',
};

/** Drift that is told of stays so whatever the last check came to; a check that fails now and then is no news. */
function standingOf(project: DriftProject): DriftStanding {
  const { state, sync, lastCheckAt } = project;
  if (isReportable(state)) return 'drift';
  if (failingSince(project) !== undefined) return 'error';
  if (state.drift !== undefined) return state.drift.quiet === undefined ? 'unconfirmed' : 'silenced';
  if (lastCheckAt === undefined) return 'never';
  return sync === 'drift' || sync === 'error' ? 'unknown' : STANDINGS[sync];
}
