import type { RemediationView } from '../../src/comments/drift/drift-view.ts';
import { isFinal } from '../../src/core/run.ts';
import type { WorkerContext } from '../context.ts';
import { applyRowView } from './apply-reply-view.ts';

/** What came of putting drift right. `later`: it has not ended; undefined: nobody knows of it any more. */
export async function remediationView(
  context: WorkerContext,
  runId: string,
): Promise<RemediationView | 'later' | undefined> {
  const run = await context.runs.findRun(runId);
  if (run === undefined) return undefined;
  if (!isFinal(run.state)) return 'later';
  const [first = 'holdfast', ...others] = context.config.triggers;
  return {
    ...(await applyRowView(context, run)),
    triggers: [first, ...others],
    actor: run.batch.actor.login,
    begun: run.applyStartedAt !== undefined,
    unmet: run.result?.kind === 'refused' ? run.result.unmet : [],
  };
}
