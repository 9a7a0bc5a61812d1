import type { DriftDashboardView, DriftSummaryView } from '../../src/comments/drift/drift-view.ts';
import type { DriftProject } from '../../src/core/drift/drift-project.ts';
import type { ReportPlan } from '../../src/core/drift/report-budget.ts';
import { isSuspended } from '../../src/core/drift/skip.ts';
import { type DriftStanding, standingOf as standingOfProject } from '../../src/core/drift/standing.ts';
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

/** A check that fails now and then is no news. */
function standingOf(project: DriftProject): DriftStanding {
  const standing = standingOfProject(project);
  return standing === 'error' && failingSince(project) === undefined ? 'unknown' : standing;
}
