import { describe, expect, test } from 'vitest';
import { buildBatch, buildProject, buildRun } from '../../support/builders.ts';
import { planningState, plannedState, publishOn, secondsAgo } from '../../support/publish-stage.ts';

const host = (done: readonly string[]) =>
  done.filter((line) => /^(?:comment|edit|status|check run|reaction)\b/.test(line));
const shown = (seconds: number) => ({ id: '1', nodeId: 'N1', hash: 'an earlier one', editedAt: secondsAgo(seconds) });
const WAITS = new Map([
  ['holdfast/apply', 'pending|0 of 1 applied|http://holdfast.test/runs?pull=github.com%2F42%2F7'],
]);
const PLANNING = new Map([...WAITS, ['holdfast/plan', 'pending|planning 1 project|']]);

describe('while a plan runs', () => {
  test('nothing is written for five seconds, whoever asks, but the eyes that acknowledge a command', async () => {
    const { done } = await publishOn({
      state: planningState(3),
      wanted: { reactions: [{ commentId: '9', reaction: 'eyes' }] },
    });
    expect(done).toEqual(['reaction 9', 'put off 5 by 2000', 'enqueued later in 2000']);
  });

  test('then the status that waits for the apply is the first sign, and is the same when the plan is there', async () => {
    const { done, statuses } = await publishOn({ state: planningState(5) });
    expect(host(done)).toEqual(['status holdfast/apply']);
    expect(done.slice(-2)).toEqual(['put off 5 by 5000', 'enqueued later in 5000']);
    const [sign] = statuses;
    const after = new Map([['holdfast/apply', `pending|${sign?.description}|${sign?.url}`]]);
    const result = await publishOn({ state: plannedState(), wanted: { statuses: after } });
    expect(host(result.done)).toEqual([
      'comment plan',
      'status holdfast/plan',
      'status holdfast/plan: prod',
      'check run',
    ]);
  });

  test('a sign that was given is not repeated', async () => {
    const { done } = await publishOn({ state: planningState(7), wanted: { statuses: WAITS } });
    expect(done).toEqual(['put off 5 by 3000', 'enqueued later in 3000']);
  });

  test('after ten seconds there is a comment, one status that it is being planned, and a check run', async () => {
    const { done, checkRuns } = await publishOn({ state: planningState(10), wanted: { statuses: WAITS } });
    expect(host(done)).toEqual(['comment plan', 'status holdfast/plan', 'check run']);
    expect(checkRuns).toMatchObject([{ status: 'in_progress' }]);
    expect(done.slice(-2)).toEqual(['put off 5 by 10000', 'enqueued later in 10000']);
  });

  test.each([
    [15, 5, [], 5_000],
    [20, 10, ['edit'], 20_000],
    [30, 10, [], 10_000],
    [40, 20, ['edit'], 30_000],
    [12, 30, ['edit'], 12_000],
    [300, 29, [], 1_000],
    [300, 30, ['edit'], 30_000],
  ])('of %i s whose comment was edited %i s ago: %j', async (age, edited, writes, again) => {
    const checkRun = { id: '77', sha: buildBatch().headSha, hash: 'in_progress:x' };
    const { done } = await publishOn({
      state: planningState(age),
      wanted: { comment: shown(edited), statuses: PLANNING, checkRun },
    });
    expect(host(done)).toEqual(writes);
    expect(done.at(-1)).toBe(`enqueued later in ${again}`);
  });

  test('a project that is done has its own status with the next edit; one that is not, never', async () => {
    const batch = buildBatch();
    const done = plannedState().latest[0] ?? buildRun();
    const other = buildRun({
      project: buildProject({ dir: 'other' }),
      state: 'running',
      queuedAt: secondsAgo(20),
      batch,
    });
    const { statuses } = await publishOn({
      state: plannedState({ latest: [done, other], open: [other] }),
      wanted: { comment: shown(10), statuses: PLANNING },
    });
    expect(statuses.map(({ context }) => context)).toEqual(['holdfast/plan: prod']);
  });

  test('a status of which it is not known whether the host has it is set again', async () => {
    const unsure = new Map([...WAITS, ['holdfast/plan', 'pending']]);
    const { statuses } = await publishOn({ state: planningState(10), wanted: { statuses: unsure } });
    expect(statuses.map(({ context }) => context)).toEqual(['holdfast/plan']);
  });

  test('what is wanted in the meantime is seen to at once', async () => {
    const { done } = await publishOn({ state: planningState(3), wantedMore: true });
    expect(done).toEqual(['put off 5 by 2000', 'enqueued now in 0']);
  });
});

test('a result is shown at once, and then there is nothing to come back for', async () => {
  const { done } = await publishOn({ state: plannedState(), wanted: { comment: shown(0), statuses: PLANNING } });
  expect(host(done)).toEqual(['edit', 'status holdfast/plan', 'status holdfast/plan: prod', 'check run']);
  expect(done.at(-1)).toBe('closed at 5');
});
