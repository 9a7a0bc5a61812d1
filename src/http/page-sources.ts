import type { ServerConfig } from '../config/server-config.ts';
import type { Seal } from '../lib/seal.ts';
import type { DriftOverview } from '../ports/drift-overview.ts';
import type { DriftStore } from '../ports/drift-store.ts';
import type { JobQueue } from '../ports/job-queue.ts';
import type { Logger } from '../ports/logger.ts';
import type { NotificationStore } from '../ports/notification-store.ts';
import type { PullRequestStore } from '../ports/pull-request-store.ts';
import type { RunStore } from '../ports/run-store.ts';
import type { VcsHost } from '../ports/vcs-host.ts';

/** What the pages are made from. */
export interface PageSources {
  readonly runs: RunStore;
  readonly pulls: PullRequestStore;
  readonly drift: Pick<DriftStore, 'find' | 'change'>;
  readonly overview: DriftOverview;
  readonly notifications: Pick<NotificationStore, 'list' | 'countByState'>;
  readonly seal: Seal;
  readonly queue: JobQueue;
  /** By `VcsHost.host`. */
  readonly hosts: ReadonlyMap<string, Pick<VcsHost, 'commentUrl'>>;
  readonly config: {
    readonly sandbox: Pick<ServerConfig['sandbox'], 'kind'>;
    readonly notifications: readonly unknown[];
  };
  readonly now: () => Date;
  readonly logger: Logger;
}
