import type { DriftStanding } from '../../core/drift/standing.ts';
import { type DetailLevel, firstOf, mostDetailed } from '../detail-level.ts';
import { fillTidy } from '../templates.ts';
import { countOf } from '../wording.ts';
import { driftMarker, issueTitle } from './drift-issue.ts';
import type { DriftDashboardView, DriftSummaryView, IssueLimits, IssueText } from './drift-view.ts';

/** The issue of drifting projects that have none of their own, and of projects whose checks fail. */
export function renderDriftSummary(view: DriftSummaryView, limits: IssueLimits): IssueText {
  const { beyond, failing } = view;
  const words = [
    ...(beyond.length === 0 ? [] : [`Drift in ${countOf(beyond.length, 'more project')}`]),
    ...(failing.length === 0 ? [] : [`Drift checks of ${countOf(failing.length, 'project')} fail`]),
  ];
  const body = mostDetailed(limits.body, (level) =>
    fillTidy('drift/drift-summary', {
      ...level,
      marker: driftMarker(view.id),
      maxOpenIssues: view.maxOpenIssues,
      beyond: { ...firstOf(beyond, level.items), total: beyond.length },
      failing: { ...firstOf(failing, level.items), total: failing.length },
      pageUrl: view.pageUrl,
    }),
  );
  return { title: issueTitle(words.join('; '), limits.title), body: body.trimEnd() };
}

/** What needs somebody comes first. */
const STANDINGS: Readonly<Record<DriftStanding, readonly [icon: string, text: string]>> = {
  drift: ['🔴', 'drift'],
  error: ['❌', 'check failed'],
  unconfirmed: ['🟠', 'drift, to be confirmed'],
  pending: ['🟡', 'merged and not applied'],
  external: ['🟡', 'changed by what it reads'],
  baseline_unknown: ['🟡', 'not applied, or changed by what it reads'],
  unknown: ['❔', 'not known'],
  silenced: ['🔕', 'drift that somebody lives with'],
  never: ['⚪', 'not checked yet'],
  in_sync: ['✅', 'in sync'],
};

/** The issue that lists every project. */
export function renderDriftDashboard(view: DriftDashboardView, limits: IssueLimits): IssueText {
  const kinds = Object.keys(STANDINGS) as DriftStanding[];
  const projects = view.projects.toSorted(
    (a, b) => kinds.indexOf(a.standing) - kinds.indexOf(b.standing) || (a.title < b.title ? -1 : 1),
  );
  const drifting = projects.filter(({ standing }) => standing === 'drift').length;
  const totals = `${countOf(projects.length, 'project')}, ${drifting} with drift`;
  const body = mostDetailed(limits.body, (level) =>
    fillTidy('drift/drift-dashboard', {
      ...level,
      marker: driftMarker(view.id),
      totals,
      branch: view.branch,
      problem: view.problem,
      rows: rowsOf(projects, level),
      pageUrl: view.pageUrl,
    }),
  );
  return { title: issueTitle('Drift dashboard', limits.title), body: body.trimEnd() };
}

function rowsOf(projects: DriftDashboardView['projects'], level: DetailLevel) {
  const { items, more } = firstOf(projects, level.rows);
  const rows = items.map(({ title, standing, since, url, suspended }) => {
    const [icon, text] = STANDINGS[standing];
    return { title, icon, text, since, url, suspended };
  });
  return { items: rows, more };
}
