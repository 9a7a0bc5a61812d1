import { describe, expect, test } from 'vitest';
import { HEAD } from '../../support/builders.ts';
import { plannedState, planningState, publishOn } from '../../support/publish-stage.ts';

const nothing = (id: string) => ({
  id,
  mayExist: false,
  reply: {
    key: id,
    kind: 'command' as const,
    view: {
      kind: 'nothing_done' as const,
      command: 'holdfast cancel',
      reason: 'nothing is queued or running',
      next: undefined,
    },
  },
});

const refused = (id: string) => ({
  id,
  mayExist: false,
  reply: {
    key: id,
    kind: 'command' as const,
    view: {
      kind: 'refused' as const,
      command: 'holdfast apply',
      actor: 'ann',
      unmet: [{ project: undefined, what: 'no', next: 'Ask somebody who may.' }],
    },
  },
});

describe('publishing', () => {
  test('gives the pull request free when the record cannot be read, and leaves it wanted', async () => {
    const away = new Error('the database is away');
    const { done, thrown } = await publishOn({ readState: () => Promise.reject(away) });
    expect(thrown).toBe(away);
    expect(done).toEqual(['closed at undefined']);
  });

  test('reads the texts of the plans once for all that it shows, and not while there is nothing to show', async () => {
    expect((await publishOn({ state: plannedState() })).reads).toBe(1);
    expect((await publishOn({ state: planningState(5) })).reads).toBe(0);
  });

  test('a refused plan comment keeps nothing else from being published', async () => {
    const { done } = await publishOn({ refuses: { 'comment plan': 422 }, wanted: { replies: [nothing('a')] } });
    expect(done).toEqual([
      'began a',
      'comment nothing',
      'ended a',
      'status holdfast/plan',
      'saved status holdfast/plan failure',
      'status holdfast/apply',
      'saved status holdfast/apply failure',
      'began check run of batch-1',
      'check run',
      'saved check run 77',
      'closed at 5',
    ]);
  });

  test('one refused status, answer or check run does not take the others with it', async () => {
    const { done } = await publishOn({
      refuses: { 'status holdfast/plan': 422, 'comment refusal': 422, 'check run': 403 },
      wanted: { replies: [refused('a'), nothing('b')], reactions: [{ commentId: '9', reaction: 'rocket' }] },
    });
    expect(done).toEqual([
      'comment plan',
      'saved comment',
      'began a',
      'gave up a',
      'began b',
      'comment nothing',
      'ended b',
      'status holdfast/apply',
      'saved status holdfast/apply failure',
      'began check run of batch-1',
      'reaction 9',
      'closed at 5',
    ]);
  });

  test('an answer that permission is missing for is kept until it may be posted', async () => {
    const { done } = await publishOn({ refuses: { 'comment refusal': 403 }, wanted: { replies: [refused('a')] } });
    expect(done).toContain('began a');
    expect(done).not.toContain('gave up a');
  });

  test('a merge that the host forbids is an answer, and not asked for again', async () => {
    const { done } = await publishOn({
      refuses: { merge: 403 },
      wanted: { merge: { headSha: HEAD, method: undefined } },
    });
    expect(done).toContain('merge refused: GitHub answered 403');
  });
});
