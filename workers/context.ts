import type { Secret } from '../src/lib/secret.ts';
import type { ServerConfig } from '../src/config/server-config.ts';
import type { Seal } from '../src/lib/seal.ts';
import type { CounterStore } from '../src/ports/counter-store.ts';
import type { DeliveryStore } from '../src/ports/delivery-store.ts';
import type { DriftOverview } from '../src/ports/drift-overview.ts';
import type { DriftStore } from '../src/ports/drift-store.ts';
import type { HclParser } from '../src/ports/hcl-parser.ts';
import type { JobQueue } from '../src/ports/job-queue.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { NotificationStore } from '../src/ports/notification-store.ts';
import type { Notifier } from '../src/ports/notifier.ts';
import type { PublicationStore } from '../src/ports/publication-store.ts';
import type { PullRequestStore } from '../src/ports/pull-request-store.ts';
import type { ReportStore } from '../src/ports/report-store.ts';
import type { RepositoryMirror } from '../src/ports/repository-mirror.ts';
import type { Retention } from '../src/ports/retention.ts';
import type { RunStore } from '../src/ports/run-store.ts';
import type { Sandbox } from '../src/ports/sandbox.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';

/** How a worker is told to end. */
export interface StopSignals {
  /** No new runs. */
  readonly noMore: AbortSignal;
  /** The grace is over: what still runs is stopped, terraform with SIGINT so that it saves its state. */
  readonly atOnce: AbortSignal;
}

/** Everything a worker works with; put together once, in the composition root. */
export interface WorkerContext {
  readonly config: ServerConfig;
  readonly logger: Logger;
  /** Names this process in leases: machine, process and start. */
  readonly workerId: string;
  /** Whether the worker of this name is gone for certain, as far as can be seen from here. */
  readonly isDeadOwner: (workerId: string) => boolean;
  readonly stop: StopSignals;
  readonly now: () => Date;
  /** By `VcsHost.host`. */
  readonly hosts: ReadonlyMap<string, VcsHost>;
  readonly mirror: RepositoryMirror;
  readonly hcl: HclParser;
  readonly sandbox: Sandbox;
  readonly queue: JobQueue;
  readonly deliveries: DeliveryStore;
  readonly runs: RunStore;
  readonly pulls: PullRequestStore;
  readonly publications: PublicationStore;
  readonly drift: DriftStore;
  readonly reports: ReportStore;
  readonly overview: DriftOverview;
  readonly notifications: NotificationStore;
  /** By the name of the receiver. */
  readonly notifiers: ReadonlyMap<string, Notifier>;
  readonly counters: CounterStore;
  readonly retention: Retention;
  readonly seal: Seal;
  /** Keys the hashes of plan values; one per installation. */
  readonly digestKey: Secret<Uint8Array>;
  /** Folder for checkouts; emptied at start. */
  readonly workDirectory: string;
  /** Address of the pages, without a slash at its end. */
  readonly publicUrl: string;
}
