import { expect, test } from 'vitest';
import { findUnmetRequirements } from '../../../src/core/apply-gate.ts';
import { buildFacts, buildProject, buildReview } from '../../support/builders.ts';

const REPLACED = new Date('2026-05-04T10:00:00.700Z');

function unmet(submittedAt: string, planReplacedAt: Date | undefined) {
  const project = buildProject({ applyRequirements: ['approved'] });
  return findUnmetRequirements(buildFacts({ project, planReplacedAt, reviews: [buildReview({ submittedAt })] }));
}

test('a plan that a verification left in the place of the approved one needs an approval of its own', () => {
  expect(unmet('2026-05-04T09:59:59Z', undefined)).toEqual([]);
  expect(unmet('2026-05-04T09:59:59Z', REPLACED)).toEqual([
    expect.objectContaining({ what: expect.stringContaining('and after the plan changed') }),
  ]);
  expect(unmet('2026-05-04T10:00:01Z', REPLACED)).toEqual([]);
});

test('hosts tell whole seconds; a time that cannot be read proves nothing', () => {
  expect(unmet('2026-05-04T10:00:00Z', REPLACED)).toEqual([]);
  expect(unmet('', REPLACED)).toHaveLength(1);
});
