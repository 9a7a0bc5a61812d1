import { createHash } from 'node:crypto';
import { renderDriftIssue } from '../../src/comments/drift/drift-issue.ts';
import { renderDriftDashboard, renderDriftSummary } from '../../src/comments/drift/drift-lists.ts';
import type { IssueText } from '../../src/comments/drift/drift-view.ts';
import type { DriftProject } from '../../src/core/drift/drift-project.ts';
import { decideIssue, type DriftIssue, type IssueAction, isReportable } from '../../src/core/drift/issue-action.ts';
import { isFailing } from '../../src/core/drift/lifecycle.ts';
import { decideListIssue } from '../../src/core/drift/list-issue-action.ts';
import { planReports, type ReportedProject, type ReportPlan } from '../../src/core/drift/report-budget.ts';
import { DRIFT_DEFAULTS, type DriftSettings } from '../../src/core/drift/settings.ts';
import type { ProjectKey } from '../../src/core/project.ts';
import type { DriftProjectPage } from '../../src/ports/drift-store.ts';
import type { ReportIssue, ReportState } from '../../src/ports/report-store.ts';
import type { VcsHost } from '../../src/ports/vcs-host.ts';
import type { RunContext } from '../run-context.ts';
import { driftIssueView } from '../views/drift-issue-view.ts';
import { driftDashboardView, driftSummaryView } from '../views/drift-list-views.ts';
import { driftListUrl } from '../views/drift-page-url.ts';
import { createOwnersReader, type OwnersReader } from './code-owners.ts';

/** What an issue is to say. */
export interface WantedText {
  /** Tells it apart from another: everything but when it was seen last. */
  readonly hash: string;
  readonly text: IssueText;
  /** Of the drift that it shows; undefined where it shows none of its own. */
  readonly fingerprint: string | undefined;
}

/** What is to become of one issue. */
export interface WantedIssue
  extends Pick<ReportIssue, 'kind' | 'projectKey'>,
    Pick<DriftSettings, 'labels' | 'assignees'> {
  /** undefined: it cannot be said now, and what is there stays. */
  readonly write: ((id: string) => WantedText) | undefined;
  readonly decide: (issue: DriftIssue, hash: string) => IssueAction;
}

const PAGE = 500;
const NOT_LISTED = 'The project is not on the tracked branch any more.';
const DISABLED = 'The drift checks of this project are turned off in the config.';

/** What every issue of a repository is to be, those of projects first. */
export async function listWantedIssues(
  context: RunContext,
  host: VcsHost,
  state: ReportState,
): Promise<readonly WantedIssue[]> {
  const pages = await readProjects(context, state);
  const projects = pages.map(({ project }) => project);
  const settings = projects.find(({ listed }) => listed)?.settings;
  const { report = 'issues', maxOpenIssues = DRIFT_DEFAULTS.maxOpenIssues } = settings ?? {};
  const plan = planReports(
    projects.map((project) => toReported(project, state.issues)),
    report,
    maxOpenIssues,
  );
  const writing: Writing = { context, host, ownersOf: createOwnersReader(context) };
  const own = await Promise.all(
    pages.map((page) => ofProject(writing, page, ownRefusal(page.project) ?? plan.refusals.get(page.project.key))),
  );
  const look = { labels: settings?.labels ?? DRIFT_DEFAULTS.labels, assignees: [] };
  return [...own, ...lists(writing, { state, plan, projects, maxOpenIssues }).map((list) => ({ ...look, ...list }))];
}

async function readProjects({ drift }: RunContext, state: ReportState): Promise<readonly DriftProjectPage[]> {
  const pages: DriftProjectPage[] = [];
  for (let after: ProjectKey | undefined; ; ) {
    const filter = { repositoryId: state.lease.id, limit: PAGE, ...(after === undefined ? {} : { after }) };
    const some = await drift.list(filter);
    pages.push(...some);
    after = some.at(-1)?.project.key;
    if (some.length < PAGE) break;
  }
  const known = new Set(pages.map(({ project }) => project.key));
  for (const { projectKey, state: issueState } of state.issues) {
    if (projectKey === undefined || issueState !== 'open' || known.has(projectKey)) continue;
    const page = await drift.find(projectKey);
    if (page !== undefined) pages.push(page);
  }
  return pages;
}

/** Why a project has no issue, whatever the others have. */
function ownRefusal({ listed, settings }: DriftProject): string | undefined {
  if (!listed) return NOT_LISTED;
  return settings.enabled ? undefined : DISABLED;
}

function toReported(project: DriftProject, issues: readonly ReportIssue[]): ReportedProject {
  const { key, state } = project;
  const told = ownRefusal(project) === undefined;
  return {
    key,
    reportable: told && isReportable(state),
    failing: told && isFailing(state, project.settings),
    deletion: state.drift?.deletion ?? false,
    firstSeenAt: state.drift && new Date(state.drift.firstSeenAt),
    open: issues.some((issue) => issue.projectKey === key && issue.state === 'open'),
  };
}

interface Writing {
  readonly context: RunContext;
  readonly host: VcsHost;
  readonly ownersOf: OwnersReader;
}

async function ofProject(
  { context, host, ownersOf }: Writing,
  page: DriftProjectPage,
  refusal: string | undefined,
): Promise<WantedIssue> {
  const { key, state, settings } = page.project;
  const isTold = refusal === undefined && isReportable(state);
  const view = isTold ? await driftIssueView(context, page, ownersOf) : undefined;
  const limits = { title: host.limits.issueTitleLength, body: host.limits.issueBodyLength };
  return {
    kind: 'project',
    projectKey: key,
    labels: settings.labels,
    assignees: settings.assignees,
    write:
      view &&
      ((id) => ({
        hash: digest(renderDriftIssue({ ...view, id, lastSeen: undefined }, limits)),
        text: renderDriftIssue({ ...view, id }, limits),
        fingerprint: view.fingerprint,
      })),
    decide: (issue, hash) => decideIssue(state, hash, issue, refusal),
  };
}

interface Lists {
  readonly state: ReportState;
  readonly plan: ReportPlan;
  readonly projects: readonly DriftProject[];
  readonly maxOpenIssues: number;
}

function lists({ context, host }: Writing, { state, plan, projects, maxOpenIssues }: Lists) {
  const [first = 'holdfast', ...others] = context.config.triggers;
  const pageUrl = driftListUrl(context, state.lease.id);
  const common = { triggers: [first, ...others] as const, branch: state.branch, pageUrl };
  const limits = { title: host.limits.issueTitleLength, body: host.limits.issueBodyLength };
  const ofKind = (kind: 'summary' | 'dashboard', wanted: boolean, render: (id: string) => IssueText) => ({
    kind,
    projectKey: undefined,
    write: (id: string) => {
      const text = render(id);
      return { hash: digest(text), text, fingerprint: undefined };
    },
    decide: (issue: DriftIssue, hash: string) => decideListIssue(wanted, hash, issue),
  });
  const byKey = new Map(projects.map((project) => [project.key, project]));
  const summary = driftSummaryView(context, plan, byKey, maxOpenIssues);
  const dashboard = driftDashboardView(
    context,
    projects.filter(({ listed, settings }) => listed && settings.enabled),
    state.problem,
  );
  return [
    ofKind('summary', summary.beyond.length + summary.failing.length > 0, (id) =>
      renderDriftSummary({ ...common, ...summary, id }, limits),
    ),
    ofKind('dashboard', plan.dashboard, (id) => renderDriftDashboard({ ...common, ...dashboard, id }, limits)),
  ];
}

function digest({ title, body }: IssueText): string {
  return createHash('sha256')
    .update(JSON.stringify([title, body]))
    .digest('base64url');
}
