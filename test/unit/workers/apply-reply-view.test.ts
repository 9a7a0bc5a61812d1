import { describe, expect, test } from 'vitest';
import type { LeftOut } from '../../../src/core/reply.ts';
import type { RunResult } from '../../../src/core/batch.ts';
import type { PullRequestRun } from '../../../src/core/record.ts';
import type { WorkerContext } from '../../../workers/context.ts';
import { applyReplyView, refusedReply } from '../../../workers/views/apply-reply-view.ts';
import { buildBatch, buildNotes, buildPlan, buildProject, buildRun, buildState } from '../../support/builders.ts';

const LEFT_OUT: LeftOut = {
  unmet: [{ project: 'lab', what: 'its plan failed', next: 'Plan it.' }],
  applied: ['done'],
  unchanged: ['same'],
};
const REFUSED: RunResult = {
  kind: 'refused',
  unmet: [{ project: undefined, what: 'it is not approved', next: 'Ask for a review.' }],
};
const PLANNED: RunResult = {
  kind: 'planned',
  summary: { empty: false, counts: {} as never, changes: [], drifted: [], checks: [], canonicalDigest: '' },
  warnings: [],
  applyRefusal: undefined,
};

function applyOf(dir: string, result: RunResult, leftOut?: LeftOut): PullRequestRun {
  const batch = buildBatch({ notes: buildNotes(leftOut && { leftOut }) });
  const state = result.kind === 'applied' ? 'succeeded' : 'failed';
  return buildRun({ project: buildProject({ dir }), operation: 'apply', state, result, batch });
}

const contextOf = (runs: readonly PullRequestRun[], state: Parameters<typeof buildState>[0] = {}) =>
  ({
    publicUrl: 'https://h.example',
    config: { triggers: ['holdfast'] },
    runs: { listRuns: async () => runs, readState: async () => buildState(state) },
    publications: { findMerge: async () => undefined },
  }) as unknown as WorkerContext;

describe('the answer when the gate lets nothing through', () => {
  test('names what was left out before it was asked, too', async () => {
    const runs = [applyOf('prod', REFUSED, LEFT_OUT), applyOf('dev', REFUSED, LEFT_OUT)];
    expect(await refusedReply(contextOf(runs), 'b')).toEqual({
      kind: 'refused',
      command: 'holdfast apply',
      actor: 'ann',
      unmet: [...(REFUSED.kind === 'refused' ? REFUSED.unmet : []), ...LEFT_OUT.unmet],
      settled: { applied: ['done'], unchanged: ['same'] },
    });
  });
});

describe('the answer to an apply', () => {
  test('names what was left out, and what to do about what the gate refused beside it', async () => {
    const view = await applyReplyView(contextOf([applyOf('prod', REFUSED, LEFT_OUT)]), 'r', 'b');
    expect(view?.leftOut).toEqual(LEFT_OUT);
    expect(view?.projects[0]?.result).toEqual({
      kind: 'skipped',
      reason: 'it is not approved. Ask for a review.',
    });
    const whole = await applyReplyView(contextOf([applyOf('prod', REFUSED)]), 'r', 'b');
    expect(whole?.leftOut).toEqual({ unmet: [], applied: [], unchanged: [] });
  });

  test('tells to apply the rest only where the newest plan can be', async () => {
    const plan = (dir: string, some: Partial<PullRequestRun>) => buildRun({ project: buildProject({ dir }), ...some });
    const latest = [
      plan('ready', { state: 'succeeded', result: PLANNED }),
      plan('failed', { state: 'failed' }),
      plan('running', { state: 'running' }),
    ];
    const plans = ['ready', 'failed', 'running'].map((dir) => buildPlan(dir));
    const view = await applyReplyView(contextOf([applyOf('prod', REFUSED)], { latest, plans }), 'r', 'b');
    expect(view?.stillPlanned.map((one) => one.title)).toEqual(['ready']);
  });
});
