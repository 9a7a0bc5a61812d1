import { z } from 'zod';
import type { CanonicalPlan } from '../src/core/canonical-plan.ts';
import type { Seal } from '../src/lib/seal.ts';
import type { PlannedProject } from './steps/project-run.ts';

const bytes = z.base64().transform((text) => Buffer.from(text, 'base64'));

const StoredPlan = z.object({
  planFile: bytes,
  lockFile: bytes.nullable(),
  canonical: z.custom<CanonicalPlan>((value) => typeof value === 'object' && value !== null),
  sensitiveValues: z.array(z.string()),
  stateResources: z.number(),
  commandArgs: z.array(z.string()),
});

/** What is kept of a plan until it is applied: the file itself, the lock file, what it would do, and what must be masked. */
export type PlanArtifact = z.infer<typeof StoredPlan>;

/** All of it is in clear inside a plan file, so it is sealed as a whole. */
export function sealPlanArtifact(
  seal: Seal,
  planId: string,
  planned: PlannedProject,
  commandArgs: readonly string[],
): Buffer {
  const plain = JSON.stringify({
    planFile: Buffer.from(planned.planFile).toString('base64'),
    lockFile: planned.lockFile === undefined ? null : Buffer.from(planned.lockFile).toString('base64'),
    canonical: planned.canonical,
    sensitiveValues: planned.sensitiveValues,
    stateResources: planned.stateResources,
    commandArgs,
  });
  return seal.seal(plain, artifactContext(planId));
}

export function openPlanArtifact(seal: Seal, planId: string, sealed: Uint8Array): PlanArtifact {
  return StoredPlan.parse(JSON.parse(seal.open(sealed, artifactContext(planId)).toString('utf8')));
}

function artifactContext(planId: string): string {
  return `plan:${planId}`;
}
