import type { BatchTrigger, RunResult } from '../core/batch.ts';
import type { Diagnostic, PlanSummary } from '../core/plan.ts';
import type { PullRequestRecord, RunRecord } from '../core/record.ts';
import { isFinal } from '../core/run.ts';
import { ERRORED_STATE } from '../core/sealed-contexts.ts';
import type { FrameView, RunLogView, RunPageView } from '../pages/view.ts';
import { attemptOf, formatPosition } from './follow-run.ts';
import type { PageSources } from './page-sources.ts';
import { presentRun, runStateText } from './present-run.ts';
import { readLogEnd, readPlanText } from './run-log.ts';

/** How much of the log a page shows at once, characters; the rest is behind a link. */
const LOG_CHARS = 200_000;

const REASONS: Readonly<Record<BatchTrigger, string>> = {
  autoplan: 'a new commit',
  command: 'a command in a comment',
  button: 'a button of the check run',
  rerun: 'a re-run that was asked for on the host',
  handover: 'the project lock, which came to this pull request',
};

/** Everything there is to say about one run. */
export async function presentRunPage(
  sources: PageSources,
  frame: FrameView,
  run: RunRecord,
  pull: PullRequestRecord,
): Promise<RunPageView> {
  const { result, batch } = run;
  const planText = await readPlanText(sources, run.id);
  const log = await presentLog(sources, run);
  const host = sources.hosts.get(pull.repository.host);
  return {
    ...frame,
    run: presentRun(run, pull),
    stateText: await runStateText(sources, run),
    commit: batch.headSha,
    mergeCommit: batch.mergeSha === batch.headSha ? undefined : batch.mergeSha,
    reason: REASONS[batch.trigger],
    commentUrl: batch.sourceCommentId === undefined ? undefined : host?.commentUrl(pull, batch.sourceCommentId),
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
    case 'plan_changed':
      return 'What an apply would do is not what was approved, so nothing was applied. The fresh plan, shown here, is the one to approve now.';
    default:
      return undefined;
  }
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
