import type { BatchRecord, PullRequestState } from './record.ts';

/** The batch that made a pull request what people see of it: the newest plan or apply. */
export function newestBatch({
  planBatch,
  latest,
}: Pick<PullRequestState, 'planBatch' | 'latest'>): BatchRecord | undefined {
  const batches = [...(planBatch === undefined ? [] : [planBatch]), ...latest.map((run) => run.batch)];
  return batches.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime())[0];
}
