import { expect, test } from 'vitest';
import { DEFAULT_WORKFLOW, isCustomWorkflow, type Step } from '../../../src/core/workflow.ts';

const shell = { command: 'x', shell: 'sh', shellArgs: ['-c'] };
const printing = { ...shell, output: 'show', filterRegexes: [] } as const;

const CUSTOM: readonly Step[] = [
  { kind: 'run', ...printing },
  { kind: 'multienv', ...printing },
  { kind: 'env_command', name: 'A', ...shell },
];

test.each(CUSTOM.map((step) => [step.kind, step] as const))(
  '%s makes a workflow custom, in either half',
  (_kind, step) => {
    expect(isCustomWorkflow({ ...DEFAULT_WORKFLOW, plan: [...DEFAULT_WORKFLOW.plan, step] })).toBe(true);
    expect(isCustomWorkflow({ ...DEFAULT_WORKFLOW, apply: [step] })).toBe(true);
  },
);

test('built-in steps and plain values do not', () => {
  const kinds = ['init', 'plan', 'apply', 'show'] as const;
  const plan: Step[] = [...kinds.map((kind) => ({ kind, extraArgs: ['-x'] })), { kind: 'env', name: 'A', value: 'b' }];
  expect(isCustomWorkflow({ name: 'mine', plan, apply: [] })).toBe(false);
});

test('the default one initialises, plans and applies', () => {
  expect(DEFAULT_WORKFLOW).toEqual({
    name: 'default',
    plan: [
      { kind: 'init', extraArgs: [] },
      { kind: 'plan', extraArgs: [] },
    ],
    apply: [{ kind: 'apply', extraArgs: [] }],
  });
});
