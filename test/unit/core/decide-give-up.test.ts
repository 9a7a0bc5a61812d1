import { expect, test } from 'vitest';
import { decidePlan } from '../../../src/core/decide.ts';
import type { PullRequestState } from '../../../src/core/record.ts';
import {
  BASE,
  buildAccount,
  buildLock,
  buildNotes,
  buildProject,
  buildPullRequestRecord,
  buildRun,
  buildState,
  HEAD,
  keyOf,
  MERGE,
} from '../../support/builders.ts';

const other = buildPullRequestRecord({ number: 12 }).id;
/** A push after which the pull request touches `prod` alone. */
const release = (state: Partial<PullRequestState>) =>
  decidePlan(buildState(state), {
    trigger: { kind: 'autoplan', key: 'k', actor: buildAccount(), commentId: undefined },
    projects: [{ key: keyOf('prod'), project: buildProject() }],
    complete: true,
    headSha: HEAD,
    baseSha: BASE,
    mergeSha: MERGE,
    notes: buildNotes(),
  }).release;

const planOf = (dir: string) => buildRun({ project: buildProject({ dir }), state: 'failed' });
const applyOf = (dir: string, state: 'failed' | 'interrupted', begun: boolean) =>
  buildRun({
    project: buildProject({ dir }),
    operation: 'apply',
    state,
    applyStartedAt: begun ? new Date('2026-11-21T12:00:00Z') : undefined,
  });

test('a project that it waited for and does not touch any more is not waited for', () => {
  const locks = [buildLock('gone', { pullRequestId: other, number: 12 })];
  expect(release({ latest: [planOf('gone')], locks })).toEqual([keyOf('gone')]);
});

test('a project that it goes on touching stays waited for', () => {
  const locks = [buildLock('prod', { pullRequestId: other, number: 12 })];
  expect(release({ latest: [planOf('prod')], locks })).toEqual([]);
});

test.each(['failed', 'interrupted'] as const)('what an apply that %s may have changed stays locked', (state) => {
  expect(release({ latest: [applyOf('gone', state, true)], locks: [buildLock('gone')] })).toEqual([]);
});

test('an apply that never began changed nothing', () => {
  expect(release({ latest: [applyOf('gone', 'failed', false)], locks: [buildLock('gone')] })).toEqual([keyOf('gone')]);
});
