import { describe, expect, test } from 'vitest';
import { createMetrics } from '../../../src/http/metrics.ts';
import type { Counter } from '../../../src/ports/counter-store.ts';
import type { DriftFigures } from '../../../src/ports/drift-overview.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const NOTHING: DriftFigures = {
  projects: [],
  health: new Map(),
  unreadableBranches: 0,
  oldestSuccess: undefined,
  oldestDue: undefined,
};

type Sources = Parameters<typeof createMetrics>[0];

/** Answers what a scrape says, of metrics with this prefix, at each of these times. */
async function scrapes(
  prefix: string,
  all: readonly { readonly figures?: Partial<DriftFigures>; readonly counters?: readonly Counter[] }[],
): Promise<readonly (readonly string[])[]> {
  let at = all[0];
  const metrics = createMetrics({
    queue: { depth: async () => ({ run: 2 }) },
    runs: { countByState: async () => ({ queued: 1, failed: 3 }) },
    overview: { readFigures: async () => ({ ...NOTHING, ...at?.figures }) },
    counters: { read: async () => at?.counters ?? [] },
    now: () => NOW,
  } as unknown as Sources);
  const answers: (readonly string[])[] = [];
  for (const one of all) {
    at = one;
    answers.push((await metrics()).split('\n').filter((line) => line.startsWith(prefix)));
  }
  return answers;
}

describe('metrics', () => {
  test('of runs and jobs', async () => {
    expect((await scrapes('holdfast_runs', [{}]))[0]).toEqual([
      'holdfast_runs{state="queued"} 1',
      'holdfast_runs{state="failed"} 3',
    ]);
    expect((await scrapes('holdfast_jobs', [{}]))[0]).toEqual(['holdfast_jobs_waiting{job="run"} 2']);
  });

  test('of projects say where they stand now, and nothing of before', async () => {
    const repository = 'github.com/acme/infra';
    const before = { projects: [{ repository, standing: 'drift', count: 2 }] } as const;
    const after = { projects: [{ repository, standing: 'in_sync', count: 2 }] } as const;
    expect(await scrapes('holdfast_drift_projects{', [{ figures: before }, { figures: after }])).toEqual([
      ['holdfast_drift_projects{repository="github.com/acme/infra",state="drift"} 2'],
      ['holdfast_drift_projects{repository="github.com/acme/infra",state="in_sync"} 2'],
    ]);
  });

  test('of checks have every state, so that an alarm can be made before there is one', async () => {
    const [lines] = await scrapes('holdfast_drift_projects_by_checks', [
      { figures: { health: new Map([['failing', 4]]) } },
    ]);
    expect(lines).toEqual(
      ['paused', 'failing', 'overdue', 'never_checked', 'checks_failed', 'ok'].map(
        (checks) => `holdfast_drift_projects_by_checks{checks="${checks}"} ${checks === 'failing' ? 4 : 0}`,
      ),
    );
  });

  test('tell for how long nothing was heard, and do not take nothing for now', async () => {
    const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1_000);
    const figures = { oldestSuccess: ago(7_200), oldestDue: ago(90), unreadableBranches: 1 };
    expect(await scrapes('holdfast_drift_seconds', [{ figures }, {}])).toEqual([
      ['holdfast_drift_seconds_since_last_success 7200'],
      ['holdfast_drift_seconds_since_last_success Nan'],
    ]);
    expect(await scrapes('holdfast_drift_oldest', [{ figures }, {}])).toEqual([
      ['holdfast_drift_oldest_due_seconds 90'],
      ['holdfast_drift_oldest_due_seconds 0'],
    ]);
    expect(await scrapes('holdfast_drift_unreadable', [{ figures }])).toEqual([
      ['holdfast_drift_unreadable_branches 1'],
    ]);
  });

  test('count what happened, each by what it is', async () => {
    const counters: readonly Counter[] = [
      { name: 'drift_checks', label: 'in_sync', value: 40 },
      { name: 'drift_checks', label: 'failed', value: 2 },
      { name: 'issue_writes', label: 'open', value: 3 },
      { name: 'notifications', label: 'sent', value: 5 },
    ];
    const scraped = [{ counters }, { counters }];
    expect((await scrapes('holdfast_drift_checks_total', scraped))[1]).toEqual([
      'holdfast_drift_checks_total{outcome="in_sync"} 40',
      'holdfast_drift_checks_total{outcome="failed"} 2',
    ]);
    expect((await scrapes('holdfast_issue_writes', scraped))[1]).toEqual([
      'holdfast_issue_writes_total{action="open"} 3',
    ]);
    expect((await scrapes('holdfast_notifications', scraped))[1]).toEqual([
      'holdfast_notifications_total{outcome="sent"} 5',
    ]);
  });
});
