import { describe, expect, test } from 'vitest';
import { renderDriftDashboard, renderDriftSummary } from '../../../../src/comments/drift/drift-lists.ts';
import type { DriftStanding } from '../../../../src/core/drift/standing.ts';
import { driftDashboardView, driftSummaryView } from '../../../support/drift-views.ts';

const LIMITS = { title: 256, body: 60_000 };
const SINCE = new Date('2026-11-21T08:00:00Z');
const line = (title: string) => ({ title, since: SINCE, url: `https://holdfast.example/drift/${title}` });

describe('the issue of what has none of its own', () => {
  test('lists drifting projects, what is missing among them', () => {
    const beyond = [
      { ...line('a'), deletion: true },
      { ...line('b'), deletion: false },
    ];
    const { title, body } = renderDriftSummary(driftSummaryView({ beyond, maxOpenIssues: 3 }), LIMITS);
    expect(title).toBe('Drift in 2 more projects');
    expect(body.startsWith('<!-- holdfast:drift:i-2 -->\n')).toBe(true);
    expect(body).toContain('already 3 open reports');
    expect(body).toContain(
      '- [page](https://holdfast.example/drift/a) `a`, something is **missing**, since 2026-11-21 08:00 UTC',
    );
    expect(body).toContain('- [page](https://holdfast.example/drift/b) `b`, since');
    expect(body).not.toContain('fail');
  });

  test('tells of checks that fail apart from drift', () => {
    const { title, body } = renderDriftSummary(driftSummaryView({ failing: [line('c')] }), LIMITS);
    expect(title).toBe('Drift checks of 1 project fail');
    expect(body).toContain('Whether these drift is **not known**');
    expect(body).toContain('`c`, since 2026-11-21 08:00 UTC');
    expect(body).not.toContain('open reports');
    const both = driftSummaryView({ failing: [line('c')], beyond: [{ ...line('a'), deletion: false }] });
    expect(renderDriftSummary(both, LIMITS).title).toBe('Drift in 1 more project; Drift checks of 1 project fail');
  });

  test('counts what it has no room for', () => {
    const beyond = Array.from({ length: 2_500 }, (_, at) => ({ ...line(`project-${at}`), deletion: false }));
    const { body } = renderDriftSummary(driftSummaryView({ beyond }), LIMITS);
    expect(body.length).toBeLessThanOrEqual(LIMITS.body);
    expect(body).toContain('- … and 2,400 more projects.');
  });
});

describe('the dashboard', () => {
  const project = (title: string, standing: DriftStanding, suspended = false) => ({
    ...line(title),
    standing,
    suspended,
  });

  test('lists every project with where it stands, what needs somebody first', () => {
    const projects = [project('fine', 'in_sync'), project('broken', 'error', true), project('drifted', 'drift')];
    const { title, body } = renderDriftDashboard(driftDashboardView({ projects }), LIMITS);
    expect(title).toBe('Drift dashboard');
    expect(body).toContain('**3 projects, 1 with drift** of `main`');
    expect([...body.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, name, state]) => `${name}: ${state}`)).toEqual([
      'drifted: 🔴 drift',
      'broken: ❌ check failed, suspended',
      'fine: ✅ in sync',
    ]);
    expect(body).toContain('| 2026-11-21 08:00 UTC | [page](https://holdfast.example/drift/drifted) |');
  });

  test('says when the branch cannot be read', () => {
    const { body } = renderDriftDashboard(driftDashboardView({ problem: 'The branch `main` does not exist.' }), LIMITS);
    expect(body).toContain(
      '> The branch cannot be read, so what stands here is what was known before: The branch `main`',
    );
  });

  test('is shortened when there are thousands, and keeps those that need somebody', () => {
    const projects = Array.from({ length: 5_000 }, (_, at) => project(`p${at}`, at === 4_999 ? 'drift' : 'in_sync'));
    const { body } = renderDriftDashboard(driftDashboardView({ projects }), LIMITS);
    expect(body.length).toBeLessThanOrEqual(LIMITS.body);
    expect(body).toContain('| `p4999` | 🔴 drift');
    const rows = body.split('\n').filter((row) => row.startsWith('| `p')).length;
    expect(body).toContain(`${(5_000 - rows).toLocaleString('en-US')} more projects not listed here`);
  });
});
