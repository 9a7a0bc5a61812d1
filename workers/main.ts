import { setTimeout as delay } from 'node:timers/promises';
import type { PullRequestId } from '../src/core/record.ts';
import { cleanupJob } from './cleanup-job.ts';
import { createCommitReader } from './commit-facts.ts';
import type { WorkerContext } from './context.ts';
import { eventJob } from './event-job.ts';
import { reportJob } from './drift/report-job.ts';
import { driftJob } from './drift/drift-job.ts';
import { notifyJob } from './drift/notify-job.ts';
import { remindJob } from './drift/remind-job.ts';
import { trackJob } from './drift/track-branches.ts';
import { createProviderMirror } from './provider-mirror.ts';
import { publishJob } from './publish-job.ts';
import type { RunContext } from './run-context.ts';
import { runJob } from './run-job.ts';
import { createTerraformFinder } from './steps/terraform-binary.ts';
import { sweepJob } from './sweep-job.ts';

const EVENTS_AT_ONCE = 4;
const PUBLISHERS_AT_ONCE = 4;
const REPORTERS_AT_ONCE = 2;
const SWEEP_EVERY_MS = 10_000;
const CLEANUP_EVERY_MS = 5 * 60_000;
/** How often the hosts are asked for repositories that nobody has told us of, milliseconds. */
const TRACK_EVERY_MS = 3_600_000;
const DRIFT_EVERY_MS = 10_000;
const REMIND_EVERY_MS = 5 * 60_000;
const NOTIFY_EVERY_MS = 10_000;
/** Fetching providers may take a while on a slow line, milliseconds. */
const PROVIDER_TIMEOUT_MS = 10 * 60_000;

export interface WorkerOptions extends WorkerContext {
  readonly directories: {
    /** Where programs are looked for. */
    readonly programs: readonly string[];
    readonly providerMirror: string;
  };
}

export interface RunningWorker {
  /** Once the queue is drained: shows people what ended last, as far as it can be done in this time, milliseconds. */
  publishRest(withinMs: number): Promise<void>;
}

/** Starts the worker's loops on the queue of the context. They end with the queue's `drain`. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const context = createRunContext(options);
  await context.queue.serve(
    {
      event: ({ payload, attempt }) => eventJob(context, payload.host, payload.deliveryId, attempt),
      run: () => runJob(context),
      publish: ({ payload }) => publishJob(context, payload.pullRequestId as PullRequestId),
      report: ({ payload }) => reportJob(context, payload.repositoryId),
      sweep: () => sweepJob(context),
      cleanup: () => cleanupJob(context),
      track: () => trackJob(context),
      drift: () => driftJob(context),
      remind: () => remindJob(context),
      notify: () => notifyJob(context),
    },
    {
      event: EVENTS_AT_ONCE,
      run: context.config.parallelism.global,
      publish: PUBLISHERS_AT_ONCE,
      report: REPORTERS_AT_ONCE,
      sweep: 1,
      cleanup: 1,
      track: 1,
      drift: 1,
      remind: 1,
      notify: 1,
    },
  );
  await sweepJob(context, { atStart: true }).catch((error: unknown) =>
    context.logger.warn({ error }, 'the first sweep did not succeed; the next one follows'),
  );
  await context.queue.repeat('sweep', {}, SWEEP_EVERY_MS);
  await context.queue.repeat('cleanup', {}, CLEANUP_EVERY_MS);
  await context.queue.repeat('track', {}, TRACK_EVERY_MS);
  // Somebody may have changed the list of repositories before this start.
  await context.queue.enqueue('track', {});
  await context.queue.repeat('drift', {}, DRIFT_EVERY_MS);
  await context.queue.repeat('remind', {}, REMIND_EVERY_MS);
  await context.queue.repeat('notify', {}, NOTIFY_EVERY_MS);
  return { publishRest: (withinMs) => publishRest(context, withinMs) };
}

/** Whoever is left over is published by the next worker that starts. */
async function publishRest(context: RunContext, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  try {
    const { pullRequestIds } = await context.runs.findNeglected();
    for (const id of pullRequestIds) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      await Promise.race([publishJob(context, id), delay(left, undefined, { ref: false })]);
    }
  } catch (error) {
    context.logger.warn({ error }, 'not everything could be published before the end; the next start does it');
  }
}

function createRunContext(options: WorkerOptions): RunContext {
  const { config, sandbox, directories } = options;
  const providerMirror = createProviderMirror({
    directory: directories.providerMirror,
    operatorDirectory: config.providerMirror.directory,
    download: config.providerMirror.download,
    sandbox,
    network: config.sandbox.network,
    slotLimits: config.sandbox,
    timeoutMs: PROVIDER_TIMEOUT_MS,
  });
  return {
    ...options,
    commits: createCommitReader(options),
    terraform: createTerraformFinder({ binaries: config.terraform.binaries, directories: directories.programs }),
    providerMirror,
    providerSources: { mirrorDirectories: providerMirror.directories, mounts: [], direct: false },
  };
}
