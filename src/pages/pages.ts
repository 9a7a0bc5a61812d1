import { countsText, isNothing, progressBar, progressText, reasonText } from '../comments/wording.ts';
import type { Operation } from '../core/run.ts';
import { diffLines } from './diff-lines.ts';
import { renderPage } from './page-templates.ts';
import type {
  ErrorPageView,
  LocksPageView,
  LoginPageView,
  RunListItemView,
  RunPageView,
  RunsPageView,
} from './view.ts';

/** The list of runs, newest first. */
export function renderRunsPage(view: RunsPageView): string {
  const title = view.pull === undefined ? 'Runs' : `Runs of ${view.pull.repository}#${view.pull.number}`;
  return renderPage('runs', { ...view, title, at: 'runs', runs: view.runs.map(runModel) });
}

/** One run: where it stands, what it took, what it printed and what it would do. */
export function renderRunPage(view: RunPageView): string {
  const { run, planText, errorText, changes } = view;
  return renderPage('run', {
    ...view,
    title: `${OPERATION_WORDS[run.operation]} of ${run.project}`,
    at: 'run',
    run: runModel(run),
    shortCommit: view.commit.slice(0, 7),
    shortMerge: view.mergeCommit?.slice(0, 7),
    changes: changes.map((change) => ({ ...change, reason: reasonText(change.reason) })),
    plan: planText === undefined || planText.trim() === '' ? undefined : diffLines(planText),
    error: errorText === undefined || errorText.trim() === '' ? undefined : errorText,
    live: view.log.eventsUrl !== undefined,
    hasLog: view.log.eventsUrl !== undefined || view.log.text !== '',
  });
}

/** The locks and a form to release each. */
export function renderLocksPage(view: LocksPageView): string {
  return renderPage('locks', { ...view, title: 'Locks', at: 'locks' });
}

export function renderLoginPage(view: LoginPageView): string {
  return renderPage('login', { ...view, title: 'Log in', at: 'login' });
}

export function renderErrorPage(view: ErrorPageView): string {
  return renderPage('error', { ...view, at: 'error' });
}

const OPERATION_WORDS: Readonly<Record<Operation, string>> = {
  plan: 'plan',
  apply: 'apply',
  drift_check: 'drift check',
  remediation: 'remediation',
};

/** How a state looks: the class decides the colour, the word is always there. */
const TONES = {
  queued: 'wait',
  claimed: 'wait',
  running: 'wait',
  succeeded: 'good',
  failed: 'bad',
  cancelled: 'calm',
  interrupted: 'bad',
} as const;

/** A run as a line of a list shows it. */
export function runModel(run: RunListItemView) {
  const { progress, counts } = run;
  const running = run.state === 'running' && progress !== undefined;
  return {
    ...run,
    operation: OPERATION_WORDS[run.operation],
    url: `/runs/${encodeURIComponent(run.id)}`,
    tone: TONES[run.state],
    progressText: running ? progressText(progress) : undefined,
    progressBar: running ? progressBar(progress) : undefined,
    countsText: counts === undefined || isNothing(counts) ? undefined : countsText(counts),
  };
}
