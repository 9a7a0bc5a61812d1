import { expect, test } from 'vitest';
import { cleanupJob } from '../../../workers/cleanup-job.ts';
import type { RunContext } from '../../../workers/run-context.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

test('everything is kept for as long as its own setting says', async () => {
  const now = new Date('2026-11-21T12:00:00Z');
  const asked: [string, number][] = [];
  const note = (kind: string, before: Date) => {
    asked.push([kind, now.getTime() - before.getTime()]);
    return Promise.resolve(1);
  };
  const context = {
    config: { retention: { logsMs: 1, plansMs: 2, deliveriesMs: 3, runsMs: 4, auditMs: 5, mirrorsMs: 6 } },
    logger: recordingLogger(),
    now: () => now,
    hosts: new Map(),
    retention: { prune: note },
    mirror: { prune: (before: Date) => note('mirrors', before) },
    pulls: { listSeenBefore: async () => [] },
  };
  await cleanupJob(context as unknown as RunContext);
  expect(Object.fromEntries(asked)).toEqual({ logs: 1, plans: 2, deliveries: 3, runs: 4, audit: 5, mirrors: 6 });
});
