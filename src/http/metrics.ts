import { Registry, collectDefaultMetrics } from 'prom-client';
import type { CounterStore } from '../ports/counter-store.ts';
import type { DriftOverview } from '../ports/drift-overview.ts';
import type { JobQueue } from '../ports/job-queue.ts';
import type { RunStore } from '../ports/run-store.ts';
import { createDriftMetrics } from './drift-metrics.ts';
import { gauge } from './metric-parts.ts';

interface MetricSources {
  readonly queue: JobQueue;
  readonly runs: RunStore;
  readonly overview: DriftOverview;
  readonly counters: CounterStore;
  readonly now: () => Date;
}

/**
 * What is measured, in Prometheus' text format. Everything is read from the record when it is asked for, so every server tells the same.
 * Labels are states, job names and the repositories that are served: none grows with projects, pull requests or runs.
 */
export function createMetrics(sources: MetricSources): () => Promise<string> {
  const { queue, runs } = sources;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'holdfast_' });
  const setRuns = gauge(registry, 'holdfast_runs', 'Runs on record, by state.', ['state']);
  const setJobs = gauge(registry, 'holdfast_jobs_waiting', 'Jobs that wait, by name.', ['job']);
  const readDrift = createDriftMetrics(registry, sources);
  return async () => {
    const [states, depth] = await Promise.all([runs.countByState(), queue.depth(), readDrift()]);
    setRuns(Object.entries(states).map(([state, value]) => ({ labels: { state }, value })));
    setJobs(Object.entries(depth).map(([job, value]) => ({ labels: { job }, value })));
    return registry.metrics();
  };
}
