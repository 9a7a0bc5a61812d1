import type { ServerConfig } from '../config/server-config.ts';
import type { Seal } from '../lib/seal.ts';
import type { JobQueue } from '../ports/job-queue.ts';
import type { Logger } from '../ports/logger.ts';
import type { PullRequestStore } from '../ports/pull-request-store.ts';
import type { RunStore } from '../ports/run-store.ts';
import type { VcsHost } from '../ports/vcs-host.ts';

/** What the pages are made from. */
export interface PageSources {
  readonly runs: RunStore;
  readonly pulls: PullRequestStore;
  readonly seal: Seal;
  readonly queue: JobQueue;
  /** By `VcsHost.host`. */
  readonly hosts: ReadonlyMap<string, Pick<VcsHost, 'commentUrl'>>;
  readonly config: { readonly sandbox: Pick<ServerConfig['sandbox'], 'kind'> };
  readonly logger: Logger;
}
