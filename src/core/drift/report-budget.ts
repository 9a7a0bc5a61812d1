import type { ProjectKey } from '../project.ts';
import type { DriftReporting } from './settings.ts';

/** One project of the tracked branch as far as its repository's reports are about it. */
export interface ReportedProject {
  readonly key: ProjectKey;
  /** `isReportable` of its state. */
  readonly reportable: boolean;
  /** `isFailing` of its state. */
  readonly failing: boolean;
  /** Something is gone from reality. */
  readonly deletion: boolean;
  readonly firstSeenAt: Date | undefined;
  /** It has an issue of its own, and that is open. */
  readonly open: boolean;
}

export interface ReportPlan {
  /** Why a project has no issue of its own, in a sentence; not in here: it may have one. */
  readonly refusals: ReadonlyMap<ProjectKey, string>;
  /** Drifting projects that have none because there are too many, and those that cannot be checked; one issue tells of all of them. */
  readonly summary: { readonly beyond: readonly ProjectKey[]; readonly failing: readonly ProjectKey[] };
  /** Whether one issue lists every project. */
  readonly dashboard: boolean;
}

const ON_DASHBOARD = 'The drift of this repository is shown on its dashboard now.';
const ON_PAGES = 'The drift of this repository is shown on the pages of Holdfast only.';
const NO_SUMMARY = { beyond: [], failing: [] };

/**
 * Who has an issue of its own. Issues that are open stay; of the others what is gone comes first, then what has drifted longest.
 * Whoever finds no place is told of in one issue for all, together with the projects whose checks fail.
 */
export function planReports(
  projects: readonly ReportedProject[],
  reporting: DriftReporting,
  maxOpenIssues: number,
): ReportPlan {
  if (reporting !== 'issues') {
    const sentence = reporting === 'dashboard' ? ON_DASHBOARD : ON_PAGES;
    const refusals = new Map(projects.map(({ key }) => [key, sentence]));
    return { refusals, summary: NO_SUMMARY, dashboard: reporting === 'dashboard' };
  }
  const reportable = projects.filter((project) => project.reportable).toSorted(byUrgency);
  const places = Math.max(maxOpenIssues, reportable.filter((project) => project.open).length);
  const beyond = reportable.slice(places).map(({ key }) => key);
  const sentence = `There are more than ${maxOpenIssues} open drift reports; this one is listed with others.`;
  const failing = projects.filter((project) => project.failing).map(({ key }) => key);
  return {
    refusals: new Map(beyond.map((key) => [key, sentence])),
    summary: { beyond, failing: failing.toSorted() },
    dashboard: false,
  };
}

function byUrgency(a: ReportedProject, b: ReportedProject): number {
  if (a.open !== b.open) return a.open ? -1 : 1;
  if (a.deletion !== b.deletion) return a.deletion ? -1 : 1;
  const age = (a.firstSeenAt?.getTime() ?? 0) - (b.firstSeenAt?.getTime() ?? 0);
  return age || (a.key < b.key ? -1 : 1);
}
