/**
 * `logs`: what runs printed. `plans`: the texts of plans that are no longer current. `deliveries`: those handled or given up,
 * notifications among them. `runs`: pull requests that ended, with all that belongs to them, and of the others and of tracked branches the
 * batches, runs, applies and answers that nothing refers to any more. `audit`: the audit log.
 */
export type RetentionKind = 'logs' | 'plans' | 'deliveries' | 'runs' | 'audit';

/** What time takes from the record: never what is open, waits, or is still referred to by an open pull request, a lock or a current plan. */
export interface Retention {
  /** Removes what is older, a bounded number of rows at a time so that nobody waits for it, and answers how much; a large backlog takes several calls. */
  prune(kind: RetentionKind, before: Date): Promise<number>;
}
