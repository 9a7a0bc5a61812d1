import type { RemediationView } from '../../src/comments/drift/drift-view.ts';
import type { RunRecord } from '../../src/core/record.ts';
import type { WorkerContext } from '../context.ts';
import { applyRowView } from './apply-reply-view.ts';

/** What came of putting drift right, once that has ended. */
export async function remediationView(context: WorkerContext, run: RunRecord): Promise<RemediationView> {
  const [first = 'holdfast', ...others] = context.config.triggers;
  return {
    ...(await applyRowView(context, run)),
    triggers: [first, ...others],
    actor: run.batch.actor.login,
    begun: run.applyStartedAt !== undefined,
    unmet: run.result?.kind === 'refused' ? run.result.unmet : [],
  };
}
