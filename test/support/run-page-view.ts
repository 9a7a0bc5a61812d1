import type { RunListItemView, RunPageView } from '../../src/pages/view.ts';
import { counts } from './plan-comment-view.ts';

const QUEUED = new Date('2026-11-21T13:52:00Z');

export function runListItem(some: Partial<RunListItemView> = {}): RunListItemView {
  return {
    id: 'r1',
    origin: { label: 'acme/infrastructure#42', url: 'https://github.example/acme/infrastructure/pull/42' },
    project: 'envs/prod',
    operation: 'plan',
    state: 'succeeded',
    outcome: 'planned',
    counts: counts({ add: 2, destroy: 1 }),
    progress: undefined,
    actor: 'alice',
    queuedAt: QUEUED,
    durationMs: 8_200,
    ...some,
  };
}

/** A finished plan; `some` replaces what a test is about. */
export function runPageView(some: Partial<RunPageView> = {}): RunPageView {
  return {
    csrfToken: 'csrf-1',
    sandbox: 'bubblewrap',
    run: runListItem(),
    stateText: undefined,
    commit: '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d',
    mergeCommit: undefined,
    reason: 'a new commit',
    projectUrl: undefined,
    order: undefined,
    commentUrl: undefined,
    startedAt: QUEUED,
    finishedAt: QUEUED,
    phases: [{ name: 'init', ms: 1_900 }],
    explanation: undefined,
    unmet: [],
    differences: [],
    remarks: [],
    changes: [],
    diagnostics: [],
    errorText: undefined,
    erroredStateUrl: undefined,
    planText: undefined,
    log: { text: 'Initializing the backend...\n', cut: false, fullUrl: undefined, eventsUrl: undefined },
    ...some,
  };
}
