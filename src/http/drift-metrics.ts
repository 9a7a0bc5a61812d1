import type { Registry } from 'prom-client';
import { HEALTH_STATES } from '../core/drift/health.ts';
import type { Counter, CounterName, CounterStore } from '../ports/counter-store.ts';
import type { DriftOverview } from '../ports/drift-overview.ts';
import { counter, gauge } from './metric-parts.ts';

export interface DriftMetricSources {
  readonly overview: Pick<DriftOverview, 'readFigures'>;
  readonly counters: CounterStore;
  readonly now: () => Date;
}

/** Registers what is measured of drift; what is returned reads it anew. */
export function createDriftMetrics(
  registry: Registry,
  { overview, counters, now }: DriftMetricSources,
): () => Promise<void> {
  const gaugeOf = (name: string, help: string, labels: readonly string[] = []) =>
    gauge(registry, `holdfast_drift_${name}`, help, labels);
  const setProjects = gaugeOf('projects', 'Projects of tracked branches, by where they stand.', [
    'repository',
    'state',
  ]);
  const setHealth = gaugeOf('projects_by_checks', 'The same, by how their checks are.', ['checks']);
  const setBranches = gaugeOf('unreadable_branches', 'Tracked branches whose projects cannot be read.');
  const setSuccess = gaugeOf(
    'seconds_since_last_success',
    'Since the last check with a finding, of the project for which that is longest; NaN without projects to check.',
  );
  const setDue = gaugeOf('oldest_due_seconds', 'For how long the check waits that is due for longest; 0 when none is.');
  const setCounters: Readonly<Record<CounterName, ReturnType<typeof counter>>> = {
    drift_checks: counter(registry, 'holdfast_drift_checks_total', 'Drift checks that ended, by outcome.', 'outcome'),
    issue_writes: counter(registry, 'holdfast_issue_writes_total', 'Writes to issues, by what they do.', 'action'),
    notifications: counter(
      registry,
      'holdfast_notifications_total',
      'Notifications that arrived or were given up.',
      'outcome',
    ),
  };
  return async () => {
    const [figures, counted] = await Promise.all([overview.readFigures(), counters.read()]);
    const seconds = (since: Date) => Math.max(0, (now().getTime() - since.getTime()) / 1_000);
    const only = (value: number) => [{ labels: {}, value }];
    setProjects(
      figures.projects.map(({ repository, standing, count }) => ({
        labels: { repository, state: standing },
        value: count,
      })),
    );
    setHealth(HEALTH_STATES.map((checks) => ({ labels: { checks }, value: figures.health.get(checks) ?? 0 })));
    setBranches(only(figures.unreadableBranches));
    setSuccess(only(figures.oldestSuccess === undefined ? Number.NaN : seconds(figures.oldestSuccess)));
    setDue(only(figures.oldestDue === undefined ? 0 : seconds(figures.oldestDue)));
    for (const [name, set] of Object.entries(setCounters)) set(counted.filter((one: Counter) => one.name === name));
  };
}
