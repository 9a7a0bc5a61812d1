import { describe, expect, test } from 'vitest';
import { findUnmetPlanRequirements, type PlanRequirementFacts } from '../../../src/core/review-rules.ts';
import { buildFacts } from '../../support/builders.ts';

describe('the gate of a plan', () => {
  const facts = (some: Partial<PlanRequirementFacts>): PlanRequirementFacts => ({
    ...buildFacts(),
    requirements: ['approved', 'mergeable', 'undiverged'],
    behindBase: false,
    ...some,
  });
  const found = (some: Partial<PlanRequirementFacts>) => findUnmetPlanRequirements(facts(some));

  test('opens when everything is met', () => expect(found({})).toEqual([]));

  test('names everything at once', () => {
    const mergeability = { kind: 'blocked', reasons: ['the check ci is red'] } as const;
    expect(found({ reviews: [], mergeability, behindBase: true })).toEqual([
      { project: undefined, what: expect.stringContaining('it is not approved'), next: 'Ask for a review.' },
      { project: undefined, what: expect.stringContaining('ci is red'), next: expect.any(String) },
      {
        project: 'prod',
        what: 'the branch lacks commits of `main` that touch this project',
        next: 'Merge `main` into the branch.',
      },
    ]);
  });

  test('asks only for what is required', () => {
    const mergeability = { kind: 'conflict' } as const;
    expect(found({ requirements: [], reviews: [], mergeability, behindBase: true })).toEqual([]);
  });
});
