import { describe, expect, test } from 'vitest';
import { exitCodeOf, nameOf, statusJson, statusLines } from '../../../src/commands/drift-status.ts';
import type { HealthState } from '../../../src/core/drift/health.ts';
import type { DriftStanding } from '../../../src/core/drift/standing.ts';
import type { ProjectOverview } from '../../../src/ports/drift-overview.ts';
import { buildProject, buildRepository } from '../../support/builders.ts';
import { buildDriftProject, drifting, FINGERPRINT } from '../../support/drift-builders.ts';

const NOW = new Date('2026-11-21T12:00:00Z');

function overview(
  some: Partial<ProjectOverview> = {},
  project: Partial<ProjectOverview['project']> = {},
): ProjectOverview {
  const { findings: _, ...whole } = buildDriftProject(project);
  return {
    project: whole,
    repository: buildRepository(),
    branch: 'main',
    standing: 'in_sync',
    health: 'ok',
    issue: undefined,
    foundAt: NOW,
    ...some,
  };
}

describe('how it ends', () => {
  test.each<readonly [number, DriftStanding, HealthState]>([
    [0, 'in_sync', 'ok'],
    [0, 'pending', 'ok'],
    [0, 'external', 'ok'],
    [0, 'silenced', 'ok'],
    [0, 'in_sync', 'paused'],
    [0, 'in_sync', 'checks_failed'],
    [2, 'drift', 'ok'],
    [2, 'drift', 'failing'],
    [2, 'unconfirmed', 'ok'],
    [1, 'error', 'ok'],
    [1, 'unknown', 'ok'],
    [1, 'never', 'never_checked'],
    [1, 'in_sync', 'overdue'],
    [1, 'in_sync', 'failing'],
  ])('is %s for a project that is %s, with checks that are %s', (code, standing, health) => {
    expect(
      exitCodeOf([
        { standing: 'in_sync', health: 'ok' },
        { standing, health },
      ]),
    ).toBe(code);
  });

  test('drift counts for more than what is not known', () => {
    expect(
      exitCodeOf([
        { standing: 'error', health: 'failing' },
        { standing: 'drift', health: 'ok' },
      ]),
    ).toBe(2);
  });
});

describe('a line', () => {
  test('names the project so that it can be typed again', () => {
    expect(nameOf(overview())).toBe('github.com/acme/infra prod');
    const project = buildProject({ dir: 'a b', workspace: 'blue', name: 'the one' });
    expect(nameOf(overview({}, { project }))).toBe(`github.com/acme/infra 'a b' -w blue -p 'the one'`);
    const hostile = buildProject({ dir: `$(reboot)'` });
    expect(nameOf(overview({}, { project: hostile }))).toBe(`github.com/acme/infra '$(reboot)'\\'''`);
  });

  test('says where it stands, since when that is known, and where that is reported', () => {
    const issue = { number: 9, url: 'https://github.com/acme/infra/issues/9', open: true };
    const lastSuccessAt = new Date('2026-11-21T10:00:00Z');
    const drifts = overview({ standing: 'drift', health: 'overdue', issue }, { state: drifting(), lastSuccessAt });
    expect(statusLines(drifts, NOW)).toEqual([
      `drift             overdue        github.com/acme/infra prod  (checked 2 hours ago, fingerprint ${FINGERPRINT}, ${issue.url})`,
    ]);
    expect(statusLines(overview({ issue: { ...issue, open: false } }), NOW)).toEqual([
      'in sync           ok             github.com/acme/infra prod  (not checked yet)',
    ]);
  });

  test('is followed by what stands in the way of its checks', () => {
    const since = new Date('2026-11-21T09:00:00Z');
    const skip = { code: 'locked', sentence: 'It is locked by #7 (ann).', since } as const;
    expect(statusLines(overview({}, { skip }), NOW)[1]).toBe('    not checked for 3 hours: It is locked by #7 (ann).');
    const suspension = { reason: 'an outage', by: 'ann', since, until: undefined };
    expect(statusLines(overview({}, { skip, suspension }), NOW)[1]).toBe(
      '    Suspended by @ann for 3 hours, until it is resumed: an outage',
    );
  });
});

test('the JSON has every key, also where there is nothing to say', () => {
  const json = JSON.parse(JSON.stringify(statusJson(overview()))) as Record<string, unknown>;
  expect(json).toMatchObject({
    repository: 'github.com/acme/infra',
    branch: 'main',
    dir: 'prod',
    workspace: 'default',
    name: null,
    state: 'in_sync',
    checks: 'ok',
    fingerprint: null,
    report: null,
    skip: null,
  });
});
