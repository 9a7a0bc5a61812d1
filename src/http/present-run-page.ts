import { countOf } from '../comments/wording.ts';
import type { BatchTrigger, RunResult } from '../core/batch.ts';
import type { Diagnostic, PlanSummary } from '../core/plan.ts';
import { projectPagePath } from '../core/project.ts';
import type { RunRecord } from '../core/record.ts';
import { isFinal } from '../core/run.ts';
import { ERRORED_STATE } from '../core/sealed-contexts.ts';
import type { FrameView, RunLogView, RunPageView } from '../pages/view.ts';
import { attemptOf, formatPosition } from './follow-run.ts';
import type { PageSources } from './page-sources.ts';
import { presentRun, type RunOrigin, runStateText } from './present-run.ts';
import { readLogEnd, readPlanText } from './run-log.ts';

/** How much of the log a page shows at once, characters; the rest is behind a link. */
const LOG_CHARS = 200_000;

const REASONS: Readonly<Record<BatchTrigger, string>> = {
  autoplan: 'a new commit',
  command: 'a command in a comment',
  button: 'a button of the check run',
  rerun: 'a re-run that was asked for on the host',
  handover: 'the project lock, which came to this pull request',
  schedule: 'the schedule of drift checks',
  recheck: 'something that is to be looked at again',
  put_right: 'drift that was just put right',
  drift_command: 'a command about drift',
};

/** Everything there is to say about one run. */
export async function presentRunPage(
  sources: PageSources,
  frame: FrameView,
  run: RunRecord,
  origin: RunOrigin,
): Promise<RunPageView> {
  const { result, batch } = run;
  const planText = await readPlanText(sources, run.id);
  const log = await presentLog(sources, run);
  return {
    ...frame,
    run: presentRun(run, origin.view),
    stateText: await runStateText(sources, run),
    commit: batch.headSha,
    mergeCommit: batch.mergeSha === batch.headSha ? undefined : batch.mergeSha,
    reason: REASONS[batch.trigger],
    projectUrl: run.pullRequestId === undefined ? projectPagePath(run.projectKey) : undefined,
    order: batch.notes.remediation,
    commentUrl: await commentUrlOf(sources, run, origin),
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    phases: run.phases,
    explanation: explanationOf(run),
    unmet: result?.kind === 'refused' ? result.unmet : [],
    differences: result?.kind === 'plan_changed' ? result.differences : [],
    remarks: remarks(run, planText),
    changes: summaryOf(result)?.changes ?? [],
    diagnostics: diagnosticsOf(result),
    // The end of the log says the same, while there is one.
    errorText: result?.kind === 'failed' && log.text === '' ? result.output : undefined,
    erroredStateUrl:
      result?.kind === 'failed' && result.erroredState
        ? `/runs/${encodeURIComponent(run.id)}/${ERRORED_STATE}`
        : undefined,
    planText,
    log,
  };
}

/** A comment on the tracked branch is one on the project's drift report. */
async function commentUrlOf(
  { hosts, overview }: Pick<PageSources, 'hosts' | 'overview'>,
  { batch: { sourceCommentId }, pullRequestId, projectKey }: RunRecord,
  { repository, view }: RunOrigin,
): Promise<string | undefined> {
  if (sourceCommentId === undefined) return undefined;
  const on = pullRequestId === undefined ? (await overview.find(projectKey))?.issue : view;
  return on && hosts.get(repository.host)?.commentUrl(on, sourceCommentId);
}

async function presentLog(sources: PageSources, run: RunRecord): Promise<RunLogView> {
  const { text, cut, nextSeq } = await readLogEnd(sources, run.id, LOG_CHARS);
  const address = `/runs/${encodeURIComponent(run.id)}`;
  const position = formatPosition({ attempt: attemptOf(run), nextSeq });
  return {
    text,
    cut,
    fullUrl: text === '' ? undefined : `${address}/log`,
    eventsUrl: isFinal(run.state) ? undefined : `${address}/events?after=${position}`,
  };
}

function explanationOf({ result, cancelReason }: RunRecord): string | undefined {
  switch (result?.kind) {
    case undefined:
      return cancelReason;
    case 'failed':
      return result.explanation;
    case 'planned':
      return result.applyRefusal;
    case 'cancelled':
    case 'interrupted':
      return result.reason;
    case 'checked':
      return checkText(result);
    case 'plan_changed':
      return 'What an apply would do is not what was approved, so nothing was applied. The fresh plan, shown here, is the one to approve now.';
    default:
      return undefined;
  }
}

function checkText({ drifting, differing }: Extract<RunResult, { kind: 'checked' }>): string {
  if (differing === 0) return 'Nothing differs between what runs, the state and the code.';
  const others = differing - drifting;
  const words = [
    ...(drifting === 0 ? [] : [`${countOf(drifting, 'resource')} drifted`]),
    ...(others === 0
      ? []
      : [
          `${countOf(others, drifting === 0 ? 'resource' : 'more resource')} differ${others === 1 ? 's' : ''} in another way`,
        ]),
  ];
  return `${words.join(', ')}. The page of the project shows them.`;
}

function summaryOf(result: RunResult | undefined): PlanSummary | undefined {
  return result?.kind === 'planned' || result?.kind === 'plan_changed' ? result.summary : undefined;
}

function diagnosticsOf(result: RunResult | undefined): readonly Diagnostic[] {
  switch (result?.kind) {
    case 'failed':
      return result.diagnostics;
    case 'planned':
    case 'applied':
      return result.warnings;
    default:
      return [];
  }
}

function remarks(run: RunRecord, planText: string | undefined): readonly string[] {
  const summary = summaryOf(run.result);
  const gone = summary !== undefined && planText === undefined;
  return [
    ...(summary?.checks ?? []),
    ...(summary?.drifted ?? []).map((address) => `${address} was changed outside of Terraform.`),
    ...(gone ? ["The plan's text is gone: a newer plan took its place, it was discarded, or its time was up."] : []),
  ];
}
