import { describe, expect, test } from 'vitest';
import { renderCheckRun } from '../../../src/comments/check-run.ts';
import { cutStatus } from '../../../src/comments/status.ts';
import { planCommentView, projectRow } from '../../support/plan-comment-view.ts';

const LIMIT = { limit: 65_535 };

describe('the check run', () => {
  test('has the summary without the marker', () => {
    const { title, summary } = renderCheckRun(planCommentView(), LIMIT);
    expect(title).toBe('1 project: 1 to apply');
    expect(summary).toContain('| `envs/staging` |');
    expect(summary).not.toContain('<!--');
  });

  test('has at most three buttons, each within the lengths the host allows', () => {
    const many = Array.from({ length: 2_000 }, () => projectRow());
    for (const projects of [many, [projectRow()], [projectRow({ state: { kind: 'no_changes' } })]]) {
      const { actions } = renderCheckRun(planCommentView({ projects }), LIMIT);
      expect(actions.length).toBeLessThanOrEqual(3);
      for (const { label, description, identifier } of actions) {
        expect(label.length).toBeLessThanOrEqual(20);
        expect(description.length).toBeLessThanOrEqual(40);
        expect(identifier.length).toBeLessThanOrEqual(20);
      }
    }
  });

  test('offers apply only where there is something to apply, and nothing on a closed pull request', () => {
    const identifiers = (some: Parameters<typeof planCommentView>[0]) =>
      renderCheckRun(planCommentView(some), LIMIT).actions.map(({ identifier }) => identifier);
    expect(identifiers({})).toEqual(['apply', 'plan', 'unlock']);
    expect(identifiers({ projects: [projectRow({ state: { kind: 'no_changes' } })] })).toEqual(['plan', 'unlock']);
    expect(identifiers({ projects: [projectRow({ state: { kind: 'plan_only' } })] })).toEqual(['plan', 'unlock']);
    expect(identifiers({ pullState: 'merged' })).toEqual([]);
  });
});

test('a status description is one line within its length', () => {
  expect(cutStatus('all\ngood \u001B[31m', 140)).toBe('all good');
  expect(cutStatus('x'.repeat(300), 140)).toHaveLength(140);
});
