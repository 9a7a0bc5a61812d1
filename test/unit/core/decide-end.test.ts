import { describe, expect, test } from 'vitest';
import {
  answer,
  decideCancel,
  decideClose,
  decideUnlock,
  nothingDone,
  type Trigger,
} from '../../../src/core/decide.ts';
import type { NewReply, PullRequestState } from '../../../src/core/record.ts';
import {
  buildAccount,
  buildLock,
  buildPlan,
  buildProject,
  buildPullRequestRecord,
  buildRun,
  buildState,
  keyOf,
} from '../../support/builders.ts';

const AUTOPLAN: Trigger = { kind: 'autoplan', key: 'delivery-1', actor: buildAccount(), commentId: undefined };
const COMMENT: Trigger = { kind: 'command', key: 'comment-9:0', actor: buildAccount(), commentId: '9' };

const project = (dir: string) => buildProject({ dir });
const planOf = (dir: string, some: Parameters<typeof buildRun>[0] = {}) => buildRun({ project: project(dir), ...some });
const applyOf = (dir: string, some: Parameters<typeof buildRun>[0] = {}) =>
  buildRun({ project: project(dir), id: `apply-of-${dir}`, operation: 'apply', ...some });
const ELSEWHERE = buildLock('prod', { pullRequestId: buildPullRequestRecord({ number: 8 }).id, number: 8 });

describe('an answer', () => {
  test('reacts only to a comment', () => {
    const reply: NewReply = { key: 'k', kind: 'command', view: { kind: 'config_problems', problems: [] } };
    const reactions = [{ commentId: '9', reaction: 'rocket' }];
    expect(answer(COMMENT, reply, 'rocket')).toEqual({
      actor: 'ann',
      event: 'answer:config_problems',
      replies: [reply],
      reactions,
    });
    expect(answer(AUTOPLAN, reply, 'rocket').reactions).toEqual([]);
    expect(answer(COMMENT, { key: 'k', kind: 'apply', view: { batchId: 'b' } }, 'rocket').event).toBe('answer:apply');
  });

  test('that nothing was done says why', () => {
    expect(nothingDone(COMMENT, 'x', 'because', 'do that').replies).toEqual([
      {
        key: COMMENT.key,
        kind: 'command',
        view: { kind: 'nothing_done', command: 'x', reason: 'because', next: 'do that' },
      },
    ]);
  });
});

describe('unlock', () => {
  const unlock = (some: Partial<PullRequestState>) =>
    decideUnlock(buildState(some), COMMENT, 'holdfast unlock', 'holdfast');

  test('gives up locks and plans, and stops what is on its way', () => {
    const state = {
      locks: [buildLock('prod'), ELSEWHERE],
      plans: [buildPlan('prod'), buildPlan('dev')],
      latest: [planOf('prod'), planOf('dev')],
      open: [planOf('prod', { state: 'running' }), applyOf('dev')],
      waiting: [{ projectKey: keyOf('prod'), number: 12 }],
    } as const;
    const reason = 'Unlocked by ann.';
    expect(unlock(state)).toEqual({
      actor: 'ann',
      event: 'unlock',
      cancel: [
        { runId: 'run-of-prod', reason },
        { runId: 'apply-of-dev', reason },
      ],
      release: 'all',
      replies: [
        {
          key: 'comment-9:0',
          kind: 'command',
          view: {
            kind: 'unlocked',
            actor: 'ann',
            projects: [
              { title: 'prod', planDiscarded: true, next: 12 },
              { title: 'dev', planDiscarded: true, next: undefined },
            ],
            interrupted: [],
          },
        },
      ],
      reactions: [{ commentId: '9', reaction: 'rocket' }],
    });
  });

  test("leaves other pull requests' locks alone, and says when there was no plan", () => {
    const view = (locks: PullRequestState['locks']) => unlock({ locks }).replies?.[0]?.view;
    expect(view([ELSEWHERE])).toMatchObject({ projects: [] });
    expect(view([buildLock('prod')])).toMatchObject({ projects: [{ title: 'prod', planDiscarded: false }] });
  });

  test('names applies whose outcome is unknown', () => {
    const latest = [applyOf('prod', { state: 'interrupted' }), applyOf('dev', { state: 'failed' })];
    expect(unlock({ latest }).replies?.[0]?.view).toMatchObject({ interrupted: ['prod'] });
  });

  test.each(['claimed', 'running'] as const)('is refused while an apply is %s', (state) => {
    const decision = unlock({ locks: [buildLock('prod')], open: [applyOf('prod', { state })] });
    expect(decision).toEqual(
      nothingDone(
        COMMENT,
        'holdfast unlock',
        'prod is being applied',
        'Wait for it to end, or comment `holdfast cancel` first.',
      ),
    );
  });
});

describe('cancel', () => {
  test('stops what is running and drops what is queued', () => {
    const open = [planOf('prod', { state: 'running' }), planOf('dev', { state: 'claimed' }), applyOf('lab')];
    const reason = 'Cancelled by ann.';
    expect(decideCancel(buildState({ open }), COMMENT, 'holdfast cancel')).toEqual({
      actor: 'ann',
      event: 'cancel',
      cancel: open.map(({ id }) => ({ runId: id, reason })),
      replies: [
        {
          key: 'comment-9:0',
          kind: 'command',
          view: { kind: 'cancelled', actor: 'ann', stopping: ['prod', 'dev'], dropped: ['lab'] },
        },
      ],
      reactions: [{ commentId: '9', reaction: 'rocket' }],
    });
  });

  test('has nothing to do when nothing is on its way', () => {
    expect(decideCancel(buildState(), COMMENT, 'holdfast cancel')).toEqual(
      nothingDone(COMMENT, 'holdfast cancel', 'nothing is queued or running', undefined),
    );
  });
});

describe('the end of a pull request', () => {
  const close = (some: Partial<PullRequestState>) => decideClose(buildState(some), AUTOPLAN);
  const closed = { pull: buildPullRequestRecord({ state: 'closed' }) };
  const merged = { pull: buildPullRequestRecord({ state: 'merged' }) };

  test('gives everything back and says what was not applied', () => {
    const plans = [buildPlan('prod'), buildPlan('dev', { empty: true }), buildPlan('lab')];
    const state = { ...merged, plans, latest: [planOf('prod')], locks: [buildLock('prod'), buildLock('lab')] };
    expect(close(state)).toEqual({
      actor: 'ann',
      event: 'merged',
      cancel: [],
      close: true,
      replies: [
        {
          key: 'closed:delivery-1',
          kind: 'command',
          view: {
            kind: 'closed',
            merged: true,
            unlocked: ['prod', 'lab'],
            unapplied: ['prod', 'lab'],
          },
        },
      ],
    });
  });

  test('stops plans, and applies that have not begun', () => {
    const open = [
      planOf('a'),
      planOf('b', { state: 'running' }),
      applyOf('c'),
      applyOf('d', { state: 'claimed' }),
      applyOf('e', { state: 'running' }),
    ];
    const stopped = (state: Partial<PullRequestState>) => close({ ...state, open }).cancel;
    const ids = ['run-of-a', 'run-of-b', 'apply-of-c'];
    expect(stopped(closed)).toEqual(ids.map((runId) => ({ runId, reason: 'The pull request was closed.' })));
    expect(stopped(merged)).toEqual(ids.map((runId) => ({ runId, reason: 'The pull request was merged.' })));
  });

  test('says nothing when nothing was held', () => {
    const decision = close({ ...closed, locks: [ELSEWHERE], plans: [buildPlan('prod', { empty: true })] });
    expect(decision).toEqual({ actor: 'ann', event: 'closed', cancel: [], close: true, replies: [] });
  });

  test('speaks of a lock alone, and of a plan alone', () => {
    const view = (some: Partial<PullRequestState>) => close({ ...closed, ...some }).replies?.[0]?.view;
    expect(view({ locks: [buildLock('prod')] })).toMatchObject({
      merged: false,
      unlocked: ['prod'],
      unapplied: [],
    });
    expect(view({ plans: [buildPlan('prod')] })).toMatchObject({ unlocked: [], unapplied: [keyOf('prod')] });
  });
});
