import { describe, expect, test } from 'vitest';
import { decideRelease } from '../../../src/core/decide-release.ts';
import type { PullRequestState } from '../../../src/core/record.ts';
import { buildLock, buildProject, buildPullRequestRecord, buildRun, keyOf } from '../../support/builders.ts';

const KEY = keyOf('prod');

function state(some: Partial<PullRequestState> = {}): PullRequestState {
  const pull = buildPullRequestRecord();
  return {
    pull,
    latest: [],
    open: [],
    plans: [],
    applied: [],
    locks: [buildLock('prod', { pullRequestId: pull.id })],
    waiting: [],
    planBatch: undefined,
    ...some,
  };
}

describe('releasing a lock by hand', () => {
  test('gives up that lock and nothing else', () => {
    const other = buildLock('stage', { pullRequestId: state().pull.id });
    const release = decideRelease(state({ locks: [...state().locks, other] }), KEY, 'page');
    expect(release).toEqual({
      kind: 'released',
      decision: { actor: 'page', event: 'release', cancel: [], release: [KEY] },
    });
  });

  test('stops what is on its way in that project, and lets other projects go on', () => {
    const queuedApply = buildRun({ id: 'a', operation: 'apply', state: 'queued' });
    const plan = buildRun({ id: 'p', state: 'running' });
    const elsewhere = buildRun({
      id: 'e',
      project: buildProject({ dir: 'stage' }),
      operation: 'apply',
      state: 'running',
    });
    const release = decideRelease(state({ open: [queuedApply, plan, elsewhere] }), KEY, 'page');
    expect(release.kind === 'released' && release.decision.cancel?.map((one) => one.runId)).toEqual(['a', 'p']);
  });

  test.each(['claimed', 'running'] as const)('is refused while an apply is %s', (runState) => {
    const apply = buildRun({ operation: 'apply', state: runState });
    expect(decideRelease(state({ open: [apply] }), KEY, 'page')).toEqual({ kind: 'being_applied', project: 'prod' });
  });

  test('is refused when another pull request has the lock, or nobody', () => {
    const theirs = buildLock('prod', { pullRequestId: buildPullRequestRecord({ number: 8 }).id });
    expect(decideRelease(state({ locks: [theirs] }), KEY, 'page')).toEqual({ kind: 'not_held' });
    expect(decideRelease(state({ locks: [] }), KEY, 'page')).toEqual({ kind: 'not_held' });
  });
});
