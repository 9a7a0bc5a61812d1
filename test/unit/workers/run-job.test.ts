import { expect, test } from 'vitest';
import type { RunContext } from '../../../workers/run-context.ts';
import { runJob } from '../../../workers/run-job.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

/** Works on one run whose project nobody knows any more; answers the jobs that follow. */
async function jobsAfter(run: object, refusing = false): Promise<readonly string[]> {
  const jobs: string[] = [];
  const waiting = [{ id: 'run-1', projectKey: 'p', lease: {}, batch: { notes: {}, actor: {} }, ...run }];
  const never = new AbortController().signal;
  const wakeups = { runIds: [], pullRequestIds: [], deliveries: [] };
  const context = {
    workerId: 'w1',
    config: { parallelism: { global: 1, perRepository: 1 } },
    stop: { noMore: never, atOnce: never },
    logger: recordingLogger(),
    now: () => new Date(),
    runs: {
      claimNext: async () => waiting.pop(),
      start: async () => {},
      findRun: async () => undefined,
      finish: async () => wakeups,
    },
    pulls: { find: async () => undefined },
    drift: { find: async () => undefined, finish: async () => wakeups },
    queue: {
      enqueue: async (name: string) => {
        if (refusing) throw new Error('the queue is away');
        jobs.push(name);
      },
    },
  };
  await runJob(context as unknown as RunContext);
  expect(waiting).toEqual([]);
  return jobs;
}

test('the place of a drift check that ended is given to the next at once', async () => {
  expect(await jobsAfter({ operation: 'drift_check', pullRequestId: undefined })).toEqual(['drift']);
  expect(await jobsAfter({ operation: 'remediation', pullRequestId: undefined })).toEqual(['drift']);
});

test('a run of a pull request wakes no schedule', async () => {
  expect(await jobsAfter({ operation: 'plan', pullRequestId: '1' })).toEqual([]);
});

test('a queue that does not take the wake-up costs time only', async () => {
  expect(await jobsAfter({ operation: 'drift_check', pullRequestId: undefined }, true)).toEqual([]);
});
