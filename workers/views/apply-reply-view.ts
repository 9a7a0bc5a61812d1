import type { ApplyReplyView, ApplyResultView, ApplyRowView } from '../../src/comments/view.ts';
import { projectTitle } from '../../src/core/project.ts';
import type { RunRecord } from '../../src/core/record.ts';
import type { CommandReply, LeftOut } from '../../src/core/reply.ts';
import type { WorkerContext } from '../context.ts';
import { readRunOutput } from '../read-run-output.ts';
import { duration } from './plan-comment-view.ts';

/** How much of an apply's output goes into its comment, characters; the page has all of it. */
const OUTPUT_CHARS = 20_000;

const NOTHING_LEFT_OUT: LeftOut = { unmet: [], applied: [], unchanged: [] };

/** When the gate let nothing through: every unmet requirement once. */
export async function refusedReply(context: WorkerContext, batchId: string): Promise<CommandReply | undefined> {
  const runs = await context.runs.listRuns({ batchId, limit: 1_000 });
  const refused = runs.flatMap((run) => (run.result?.kind === 'refused' ? run.result.unmet : []));
  const [first] = runs;
  if (first === undefined || !runs.every((run) => run.result?.kind === 'refused' || run.startedAt === undefined))
    return undefined;
  if (refused.length === 0) return undefined;
  const { unmet: leftOut, ...settled } = first.batch.notes.leftOut ?? NOTHING_LEFT_OUT;
  const distinct = new Map([...refused, ...leftOut].map((one) => [`${one.project ?? ''}|${one.what}`, one]));
  const command = `${context.config.triggers[0] ?? 'holdfast'} apply`;
  return { kind: 'refused', command, actor: first.batch.actor.login, unmet: [...distinct.values()], settled };
}

/** The answer to one apply, made of how its runs ended. */
export async function applyReplyView(
  context: WorkerContext,
  replyId: string,
  batchId: string,
): Promise<ApplyReplyView | undefined> {
  const runs = await context.runs.listRuns({ batchId, limit: 1_000 });
  const [first] = runs;
  if (first?.pullRequestId === undefined) return undefined;
  const state = await context.runs.readState(first.pullRequestId);
  const merge = await context.publications.findMerge(first.pullRequestId);
  const [trigger = 'holdfast', ...others] = context.config.triggers;
  const planned = state?.plans.filter((plan) => !plan.empty).map((plan) => plan.projectKey) ?? [];
  const stillPlanned = (state?.latest ?? []).filter(
    (run) => run.operation === 'plan' && run.state === 'succeeded' && planned.includes(run.projectKey),
  );
  return {
    id: replyId,
    actor: first.batch.actor.login,
    headSha: first.batch.headSha,
    triggers: [trigger, ...others],
    projects: await Promise.all(runs.toReversed().map((run) => applyRowView(context, run))),
    leftOut: first.batch.notes.leftOut ?? NOTHING_LEFT_OUT,
    stillPlanned: stillPlanned.map((run) => ref(run)),
    merge: first.batch.notes.automerge === undefined ? undefined : mergeView(merge),
    pageUrl: `${context.publicUrl}/runs?pull=${encodeURIComponent(first.pullRequestId)}`,
  };
}

function mergeView(merge: { readonly state: string; readonly reason: string | undefined } | undefined) {
  if (merge?.state === 'merged') return { kind: 'merged' } as const;
  if (merge?.state !== 'refused') return undefined;
  return { kind: 'not_merged', reason: merge.reason ?? 'the host refused' } as const;
}

function ref(run: RunRecord) {
  const { dir, workspace, name } = run.project;
  return { title: projectTitle(run.project), dir, workspace, name };
}

/** How one run that was to change something ended. */
export async function applyRowView(context: WorkerContext, run: RunRecord): Promise<ApplyRowView> {
  const { result } = run;
  const url = `${context.publicUrl}/runs/${run.id}`;
  const begun = run.applyStartedAt !== undefined;
  const { verbose } = run.batch.notes;
  const all = begun || verbose ? await readRunOutput(context, run.id) : undefined;
  const output = verbose ? all : all?.slice(-OUTPUT_CHARS);
  return {
    ...ref(run),
    result: resultView(run),
    outputText: result?.kind === 'applied' ? output : undefined,
    errorText: result?.kind === 'failed' ? ((verbose ? output : undefined) ?? result.output) : undefined,
    explanation: explanation(run),
    erroredStateUrl: result?.kind === 'failed' && result.erroredState ? `${url}/errored.tfstate` : undefined,
    durationMs: duration(run),
    url,
  };
}

function resultView(run: RunRecord): ApplyResultView {
  const { result } = run;
  switch (result?.kind) {
    case 'applied':
      return { kind: 'applied', counts: result.counts, differences: result.differences ?? [] };
    case 'plan_changed':
      return { kind: 'difference', differences: result.differences };
    case 'interrupted':
      return { kind: 'interrupted' };
    case 'cancelled':
      return run.startedAt === undefined ? { kind: 'skipped', reason: result.reason } : { kind: 'cancelled' };
    case 'refused':
      return { kind: 'skipped', reason: result.unmet.map(({ what, next }) => `${what}. ${next}`).join(' ') };
    default:
      return { kind: 'failed' };
  }
}

function explanation({ result }: RunRecord): string | undefined {
  if (result?.kind === 'failed') return result.explanation;
  return result?.kind === 'interrupted' || result?.kind === 'cancelled' ? result.reason : undefined;
}
