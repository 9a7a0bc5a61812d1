import { describe, expect, test } from 'vitest';
import { buildBatch, buildPullRequestRecord, HEAD, OLD_HEAD } from '../../support/builders.ts';
import { configProblemState, plannedState, publishOn } from '../../support/publish-stage.ts';

describe('commit statuses', () => {
  test('what waits on a pull request that was closed ends, and nothing else of its commit is touched', async () => {
    const { statuses } = await publishOn({
      state: configProblemState({ pull: buildPullRequestRecord({ state: 'closed' }), planBatch: buildBatch() }),
      wanted: { statuses: new Map([['holdfast/apply', 'pending|0 of 1 applied|']]) },
    });
    expect(statuses.map(({ context }) => context)).toEqual(['holdfast/apply']);
  });

  test('a merged pull request leaves alone what an open one says on the same commit', async () => {
    const state = { ...plannedState(), pull: buildPullRequestRecord({ state: 'merged' }) };
    const contexts = async (shared: readonly string[]) =>
      (await publishOn({ state, wanted: { shared: new Set(shared) } })).statuses.map(({ context }) => context);
    expect(await contexts([])).toContain('holdfast/apply');
    expect(await contexts(['holdfast/apply'])).not.toContain('holdfast/apply');
    expect(await contexts(['holdfast/apply'])).toContain('holdfast/plan');
  });

  test('what waits on an earlier commit ends there, last of all, and is asked for once when the host refuses', async () => {
    const leftPending = [
      { sha: OLD_HEAD, context: 'holdfast/plan' },
      { sha: OLD_HEAD, context: 'holdfast/apply' },
    ];
    const { statuses, done } = await publishOn({
      wanted: { leftPending },
      refuses: { 'status holdfast/plan before': 422 },
    });
    const before = statuses.filter(({ sha }) => sha === OLD_HEAD);
    expect(before).toMatchObject([
      { context: 'holdfast/apply', state: 'error', description: `superseded by ${HEAD.slice(0, 7)}` },
    ]);
    expect(done.slice(-4)).toEqual([
      'saved status holdfast/plan error',
      'status holdfast/apply before',
      'saved status holdfast/apply error',
      'closed at 5',
    ]);
  });

  test('that one waits is written down before the host is asked, so that it can be ended after a crash', async () => {
    const { done } = await publishOn({ state: plannedState() });
    const of = (text: string) => done.filter((line) => line.includes(text));
    expect(of('holdfast/apply')).toEqual([
      'saved status holdfast/apply pending',
      'status holdfast/apply',
      'saved status holdfast/apply pending',
    ]);
    expect(of('holdfast/plan: prod')).toEqual([
      'status holdfast/plan: prod',
      'saved status holdfast/plan: prod success',
    ]);
  });

  test('a plan that can never be applied here is not waited for', async () => {
    const planned = plannedState();
    const statusOf = async (state: typeof planned) =>
      (await publishOn({ state })).statuses.find(({ context }) => context === 'holdfast/apply');
    expect(await statusOf(planned)).toMatchObject({ state: 'pending', description: '0 of 1 applied' });
    const latest = planned.latest.map((run) => ({
      ...run,
      result: run.result?.kind === 'planned' ? { ...run.result, applyRefusal: 'no `backend` block' } : undefined,
    }));
    expect(await statusOf({ ...planned, latest })).toMatchObject({
      state: 'failure',
      description: '1 project can be planned here and not applied',
    });
  });

  test('what waits in a pull request that is not served any more ends', async () => {
    const { statuses } = await publishOn({
      state: plannedState(),
      branch: 'release',
      wanted: { statuses: new Map([['holdfast/apply', 'pending']]) },
    });
    expect(statuses).toMatchObject([
      { context: 'holdfast/apply', state: 'error', description: 'nothing is planned or applied into main' },
    ]);
  });
});
