import { allRules } from '../core/drift/decide-check.ts';
import { isFlapping } from '../core/drift/lifecycle.ts';
import { isInForce, type SilenceRule } from '../core/drift/silence-rules.ts';
import { isSuspended } from '../core/drift/skip.ts';
import { projectPagePath } from '../core/project.ts';
import { exactDuration } from '../lib/duration.ts';
import type { ProjectPageView, SilenceRuleView } from '../pages/project-view.ts';
import type { FrameView, NoticeView, RunListItemView } from '../pages/view.ts';
import type { ProjectOverview } from '../ports/drift-overview.ts';
import type { PageSources } from './page-sources.ts';
import { presentFindings, readStoredFindings } from './present-findings.ts';
import { originOf, presentRow, projectsUrl } from './present-projects.ts';
import { presentRun } from './present-run.ts';
import { when, whenKnown } from './when.ts';

const RUNS_PER_PAGE = 25;
const HISTORY = ['drift_check', 'remediation', 'apply'] as const;

type Sources = Pick<PageSources, 'overview' | 'drift' | 'runs' | 'seal' | 'now'>;

interface Visit {
  readonly notice: NoticeView | undefined;
  /** The history goes on after this run. */
  readonly after: string | undefined;
}

/** Everything there is to say about one project. */
export async function presentProjectPage(
  sources: Sources,
  frame: FrameView,
  overview: ProjectOverview,
  { notice, after }: Visit,
): Promise<ProjectPageView> {
  const now = sources.now();
  const { project, repository, branch } = overview;
  const { key, state } = project;
  const [whole, history, problem] = await Promise.all([
    sources.drift.find(key),
    presentHistory(sources, overview, after),
    sources.overview.findProblem(project.repositoryId),
  ]);
  const stored = whole && readStoredFindings(sources, whole.project);
  return {
    ...frame,
    notice,
    ...history,
    row: presentRow(overview, now),
    repository: originOf(repository),
    listUrl: projectsUrl({ repositoryId: project.repositoryId }),
    branch,
    branchProblem: problem?.sentence,
    errors: state.errors && {
      count: state.errors.count,
      since: when(now, new Date(state.errors.since)),
      last: when(now, new Date(state.errors.last)),
    },
    drift: state.drift && {
      ...state.drift,
      firstSeen: when(now, new Date(state.drift.firstSeenAt)),
      lastSeen: when(now, new Date(state.drift.lastSeenAt)),
      flapping: isFlapping(state),
    },
    ended: state.ended && { at: when(now, new Date(state.ended.at)), sentence: state.ended.sentence },
    findings: stored === undefined || stored === 'unreadable' ? undefined : presentFindings(stored, now),
    unreadable: stored === 'unreadable',
    rules: allRules(project).map((rule) => presentRule(rule, now)),
    facts: factsOf(overview),
    actions: actionsOf(project, now),
  };
}

async function presentHistory(
  { runs }: Pick<PageSources, 'runs'>,
  { project, branch }: ProjectOverview,
  after: string | undefined,
): Promise<Pick<ProjectPageView, 'history' | 'olderUrl'>> {
  const found = await runs.listRuns({
    projectKey: project.key,
    operations: HISTORY,
    limit: RUNS_PER_PAGE + 1,
    ...(after !== undefined && { after }),
  });
  const shown = found.slice(0, RUNS_PER_PAGE);
  const last = found.length > RUNS_PER_PAGE ? shown.at(-1) : undefined;
  const history = shown.map((run): RunListItemView => {
    const pull = run.pullRequestId?.split('/').at(-1);
    const commit = (run.batch.mergeSha ?? run.batch.headSha).slice(0, 7);
    return presentRun(
      run,
      run.pullRequestId === undefined
        ? { label: `${branch} at ${commit}`, url: '' }
        : { label: `#${pull}`, url: `/runs?pull=${encodeURIComponent(run.pullRequestId)}` },
    );
  });
  return { history, olderUrl: last && `${projectPagePath(project.key)}?after=${encodeURIComponent(last.id)}#history` };
}

function presentRule(rule: SilenceRule, now: Date): SilenceRuleView {
  const expired = !isInForce(rule, now);
  const { kind, reason } = rule;
  if (rule.kind === 'ignore') {
    const subject = rule.attribute === '*' ? rule.address : `${rule.address} ${rule.attribute}`;
    return { kind, subject, who: rule.owner, reason, ends: whenKnown(now, rule.expires), expired };
  }
  const ends = rule.kind === 'snooze' ? when(now, rule.until) : undefined;
  return { kind, subject: rule.fingerprint ?? 'all drift', who: rule.by, reason, ends, expired };
}

const MODES = { report: 'by a command on its report', off: 'not from here' } as const;

function factsOf({ project, branch }: ProjectOverview): ProjectPageView['facts'] {
  const { settings, due, tip, baselineDigest } = project;
  return [
    { name: 'Branch', text: `${branch} at ${tip.slice(0, 7)}` },
    { name: 'Checked', text: settings.enabled ? due.schedule : 'not at all' },
    { name: 'Windows', text: settings.windows.length === 0 ? 'any time' : 'only in its windows' },
    { name: 'Told of after', text: `${settings.confirmations} checks that see it` },
    { name: 'Failures told of after', text: exactDuration(settings.errorGraceMs) },
    { name: 'Put right', text: MODES[settings.mode] },
    { name: 'Last apply known', text: baselineDigest === undefined ? 'no' : 'yes' },
  ];
}

function actionsOf(
  { key, listed, settings, suspension }: ProjectOverview['project'],
  now: Date,
): ProjectPageView['actions'] {
  const address = (action: string) => `/projects/${action}?project=${encodeURIComponent(key)}`;
  const suspended = isSuspended(suspension, now);
  return {
    runUrl: listed && settings.enabled && !suspended ? address('run') : undefined,
    suspendUrl: listed && !suspended ? address('suspend') : undefined,
    resumeUrl: listed && suspended ? address('resume') : undefined,
  };
}
