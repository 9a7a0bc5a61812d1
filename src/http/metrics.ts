import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { JobQueue } from '../ports/job-queue.ts';
import type { RunStore } from '../ports/run-store.ts';

/**
 * What is measured, in Prometheus' text format. Labels are states and job names only: none grows with repositories or
 * pull requests, so that the series stay bounded.
 */
export function createMetrics({
  queue,
  runs,
}: {
  readonly queue: JobQueue;
  readonly runs: RunStore;
}): () => Promise<string> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'holdfast_' });
  const runGauge = new Gauge({
    name: 'holdfast_runs',
    help: 'Runs on record, by state.',
    labelNames: ['state'],
    registers: [registry],
  });
  const jobGauge = new Gauge({
    name: 'holdfast_jobs_waiting',
    help: 'Jobs that wait, by name.',
    labelNames: ['job'],
    registers: [registry],
  });
  return async () => {
    const [states, depth] = await Promise.all([runs.countByState(), queue.depth()]);
    runGauge.reset();
    for (const [state, count] of Object.entries(states)) runGauge.set({ state }, count);
    for (const [job, count] of Object.entries(depth)) jobGauge.set({ job }, count);
    return registry.metrics();
  };
}
