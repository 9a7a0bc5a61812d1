import { z } from 'zod';
import { DEFAULT_WORKFLOW, type Workflow } from '../core/workflow.ts';
import { step } from './step-schema.ts';

const stage = z
  .strictObject({
    steps: z.array(step).optional().describe('What is done, in order. Without it: the default steps.'),
  })
  .optional();

/** `workflows:`, in both files. A stage that is not written has the default's steps. */
export const workflows = z.record(
  z.string(),
  z.strictObject({
    plan: stage.describe('Steps of a plan.'),
    apply: stage.describe('Steps of an apply.'),
  }),
  { error: 'must be a mapping of workflows by name' },
);

export function toWorkflows(raw: z.output<typeof workflows> | undefined): ReadonlyMap<string, Workflow> {
  return new Map(
    Object.entries(raw ?? {}).map(([name, workflow]) => [
      name,
      {
        name,
        plan: workflow.plan?.steps ?? DEFAULT_WORKFLOW.plan,
        apply: workflow.apply?.steps ?? DEFAULT_WORKFLOW.apply,
      },
    ]),
  );
}
