import { isSuspended, suspensionText } from '../core/drift/skip.ts';
import { HEALTH_STATES, type HealthState } from '../core/drift/health.ts';
import { type DriftStanding, STANDINGS } from '../core/drift/standing.ts';
import { type ProjectKey, projectPagePath, projectTitle } from '../core/project.ts';
import { fullName, type Repository } from '../core/repository.ts';
import { describeDuration } from '../lib/duration.ts';
import { HEALTH_WORDS, STANDING_WORDS } from '../pages/drift-words.ts';
import type { ProjectGroupView, ProjectRowView, ProjectsPageView } from '../pages/project-view.ts';
import type { FrameView, OriginView } from '../pages/view.ts';
import type { ProjectCounts, ProjectFilter, ProjectOverview } from '../ports/drift-overview.ts';
import type { PageSources } from './page-sources.ts';
import { when, whenKnown } from './when.ts';

const PROJECTS_PER_PAGE = 50;
const PROBLEMS = 20;

/** What the address of the list chooses. */
export interface ProjectsQuery extends ProjectFilter {
  readonly after?: ProjectKey;
}

/** What cannot be read narrows nothing. */
export function readProjectsQuery(parameter: (name: string) => string | undefined): ProjectsQuery {
  const standing = STANDINGS.find((one) => one === parameter('state'));
  const health = HEALTH_STATES.find((one) => one === parameter('checks'));
  const repositoryId = parameter('repository');
  const after = parameter('after');
  return {
    ...(standing && { standing }),
    ...(health && { health }),
    ...(repositoryId && { repositoryId }),
    ...(after && { after: after as ProjectKey }),
  };
}

/** One page of the list, whose cost does not grow with what is on the others. */
export async function presentProjects(
  sources: Pick<PageSources, 'overview' | 'pulls' | 'now'>,
  frame: FrameView,
  query: ProjectsQuery,
): Promise<ProjectsPageView> {
  const { overview } = sources;
  const { repositoryId, after } = query;
  const [found, counts, problems, repository] = await Promise.all([
    overview.list({ ...query, limit: PROJECTS_PER_PAGE + 1 }),
    overview.count(repositoryId === undefined ? {} : { repositoryId }),
    overview.listProblems(PROBLEMS),
    repositoryId === undefined ? undefined : sources.pulls.findRepository(repositoryId),
  ]);
  const now = sources.now();
  const shown = found.slice(0, PROJECTS_PER_PAGE);
  const last = found.length > PROJECTS_PER_PAGE ? shown.at(-1) : undefined;
  return {
    ...frame,
    ...filters(query, counts),
    repository: repository && originOf(repository),
    problems: problems.map((problem) => ({
      repository: originOf(problem.repository),
      branch: problem.branch,
      sentence: problem.sentence,
      since: when(now, problem.since),
    })),
    groups: groupsOf(shown, now),
    nextUrl: last && projectsUrl({ ...query, after: last.project.key }),
    firstUrl: after === undefined ? undefined : projectsUrl({ ...query, after: undefined }),
  };
}

/** Of no use without any: those that nothing is in are left out, unless it is the chosen one. */
function filters(query: ProjectsQuery, counts: ProjectCounts): Pick<ProjectsPageView, 'standings' | 'healths'> {
  const { standing, health } = query;
  const first = { ...query, after: undefined };
  const some = <T>(all: readonly T[], count: ReadonlyMap<T, number>, chosen: T | undefined) =>
    all.filter((one) => (count.get(one) ?? 0) > 0 || one === chosen);
  return {
    standings: [
      filter('all', counts.all, { ...first, standing: undefined }, standing === undefined, { standing: undefined }),
      ...some<DriftStanding>(STANDINGS, counts.standing, standing).map((one) =>
        filter(
          LABELS[one] ?? STANDING_WORDS[one].text,
          counts.standing.get(one) ?? 0,
          { ...first, standing: one },
          one === standing,
          { standing: one },
        ),
      ),
    ],
    healths: [
      filter('all', counts.all, { ...first, health: undefined }, health === undefined, { health: undefined }),
      ...some<HealthState>(HEALTH_STATES, counts.health, health).map((one) =>
        filter(HEALTH_WORDS[one].text, counts.health.get(one) ?? 0, { ...first, health: one }, one === health, {
          health: one,
        }),
      ),
    ],
  };
}

/** Three states look alike on a badge, and have to be told apart where they can be chosen. */
const LABELS: Readonly<Partial<Record<DriftStanding, string>>> = {
  error: 'check failed',
  unknown: 'nothing proved',
  never: 'not checked yet',
};

type Chosen = Omit<ProjectsQuery, 'after' | 'standing' | 'health'> & {
  readonly [name in 'after' | 'standing' | 'health']?: ProjectsQuery[name] | undefined;
};

function filter<T extends object>(text: string, count: number, query: Chosen, current: boolean, more: T) {
  return { text, count, url: projectsUrl(query), current, ...more };
}

export function projectsUrl({ standing, health, repositoryId, after }: Chosen): string {
  const parameters = new URLSearchParams({
    ...(repositoryId && { repository: repositoryId }),
    ...(standing && { state: standing }),
    ...(health && { checks: health }),
    ...(after && { after }),
  });
  return parameters.size === 0 ? '/projects' : `/projects?${parameters}`;
}

function groupsOf(shown: readonly ProjectOverview[], now: Date): readonly ProjectGroupView[] {
  const groups = Map.groupBy(shown, ({ project }) => project.repositoryId);
  return [...groups.values()].flatMap((rows) => {
    const [first] = rows;
    if (first === undefined) return [];
    const projects = rows.map((row) => presentRow(row, now));
    return [{ repository: originOf(first.repository), branch: first.branch, projects }];
  });
}

export function originOf(repository: Repository): OriginView {
  return { label: fullName(repository), url: repository.url };
}

/** One project as a line of the list. */
export function presentRow({ project, standing, health, issue }: ProjectOverview, now: Date): ProjectRowView {
  const { drift } = project.state;
  const { dueAt } = project.due;
  return {
    url: projectPagePath(project.key),
    title: projectTitle(project.project),
    standing,
    health,
    lastSuccess: whenKnown(now, project.lastSuccessAt),
    nextDue: health === 'paused' ? undefined : whenKnown(now, dueAt),
    isDue: dueAt !== undefined && dueAt <= now,
    driftSince: whenKnown(now, drift?.firstSeenAt),
    issue,
    runUrl: project.runId === undefined ? undefined : `/runs/${encodeURIComponent(project.runId)}`,
    notes: notesOf(project, now),
  };
}

function notesOf(
  { listed, settings, suspension, skip, request, due }: ProjectOverview['project'],
  now: Date,
): string[] {
  if (!listed) return ['The branch does not have it any more.'];
  if (!settings.enabled) return ['Its drift checks are turned off in the config.'];
  if (isSuspended(suspension, now)) return [suspensionText(suspension, now)];
  const notes = [];
  if (request !== undefined) notes.push(`A check was asked for by ${request.actor.login}.`);
  // What was skipped may have been checked since, or be due again later only.
  const waits = request !== undefined || (due.dueAt !== undefined && due.dueAt <= now);
  if (skip !== undefined && skip.code !== 'suspended' && waits)
    notes.push(`Not checked for ${describeDuration(now.getTime() - skip.since.getTime())}: ${skip.sentence}`);
  return notes;
}
