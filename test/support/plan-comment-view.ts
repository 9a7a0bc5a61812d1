import type { PlanCounts } from '../../src/core/plan.ts';
import type { PlanCommentView, ProjectRowView } from '../../src/comments/view.ts';

const NOTHING: PlanCounts = { add: 0, change: 0, destroy: 0, replace: 0, import: 0, move: 0, forget: 0, outputs: 0 };

export function counts(some: Partial<PlanCounts> = {}): PlanCounts {
  return { ...NOTHING, ...some };
}

/** A planned project with one resource to add; `some` replaces what a test is about. */
export function projectRow(some: Partial<ProjectRowView> = {}): ProjectRowView {
  const dir = some.dir ?? 'envs/staging';
  return {
    title: dir,
    dir,
    workspace: 'default',
    name: undefined,
    state: { kind: 'planned' },
    applyRequirements: [],
    plan: { counts: counts({ add: 1 }), changes: [], drifted: [], checks: [] },
    diagnostics: [],
    planText:
      '  # fake_server.web will be created\n  + resource "fake_server" "web" {\n      + id = (known after apply)\n    }\n',
    errorText: undefined,
    explanation: undefined,
    durationMs: 3_200,
    url: 'https://holdfast.example/runs/r1',
    lock: undefined,
    wouldUndo: undefined,
    ...some,
  };
}

export function planCommentView(some: Partial<PlanCommentView> = {}): PlanCommentView {
  return {
    id: 'p-1',
    pullNumber: 7,
    pullState: 'open',
    headSha: '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d',
    baseRef: 'main',
    mergeNote: undefined,
    triggers: ['holdfast', 'atlantis'],
    drifting: [],
    projects: [projectRow()],
    removedRoots: [],
    explanations: [],
    configProblems: [],
    requirements: [],
    sandbox: 'bubblewrap',
    pageUrl: 'https://holdfast.example/runs?pull=7',
    ...some,
  };
}
