import type { CommitSha } from '../repository.ts';
import type { DriftFindings } from './drift.ts';
import type { IgnoredPlace } from './silence-rules.ts';

/** What is kept of the last check that came to a finding; masked, and sealed where it is stored. */
export interface StoredFindings {
  /** As found, before any rule. */
  readonly found: DriftFindings;
  /** What the project's rules left of it then. */
  readonly findings: DriftFindings;
  readonly ignored: readonly IgnoredPlace[];
  /** The commit that reality was compared with. */
  readonly sha: CommitSha;
  /** ISO 8601. */
  readonly checkedAt: string;
  readonly runId: string;
}
