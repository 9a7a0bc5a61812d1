import { describe, expect, test } from 'vitest';
import { resolveDriftSettings, type RepositoryDriftKeys } from '../../../../src/core/drift/settings.ts';
import { buildDriftKeys } from '../../../support/builders.ts';

function resolve(
  server: readonly Partial<RepositoryDriftKeys>[],
  repository?: Partial<RepositoryDriftKeys>,
  project?: Partial<RepositoryDriftKeys>,
) {
  return resolveDriftSettings({
    server: server.map(buildDriftKeys),
    repository: repository && buildDriftKeys(repository),
    project: project && buildDriftKeys(project),
  });
}

const night = { kind: 'allow', cron: '0 22 * * *', durationMs: 8 * 3_600_000, timezone: undefined } as const;
const freeze = { kind: 'deny', cron: '0 0 20 12 *', durationMs: 14 * 86_400_000, timezone: 'Asia/Tokyo' } as const;

describe('settings of a project', () => {
  test('when nothing is written', () => {
    expect(resolve([])).toEqual({
      enabled: true,
      schedule: { kind: 'every', everyMs: 6 * 3_600_000 },
      windows: [],
      mode: 'report',
      confirmations: 2,
      errorGraceMs: 3_600_000,
      labels: ['drift'],
      assignees: [],
      ignore: [],
      report: 'issues',
      maxOpenIssues: 10,
    });
  });

  test('per key, the last place that writes it counts: server, its rules, repository, project', () => {
    const got = resolve(
      [
        { enabled: false, confirmations: 3, labels: ['a'], report: 'none', maxOpenIssues: 3, errorGraceMs: 1 },
        { confirmations: 4, labels: ['b'], report: 'dashboard', errorGraceMs: 2 },
      ],
      { confirmations: 5, enabled: true, assignees: ['ann'], maxOpenIssues: 7 },
      { confirmations: 6, assignees: [] },
    );
    expect(got).toMatchObject({
      enabled: true,
      confirmations: 6,
      labels: ['b'],
      assignees: [],
      report: 'dashboard',
      maxOpenIssues: 7,
      errorGraceMs: 2,
    });
    expect(resolve([{ enabled: true }], undefined, { enabled: false }).enabled).toBe(false);
  });

  test('a project has no say in what is the repository’s', () => {
    expect(resolve([], { report: 'none' }, { report: 'issues', maxOpenIssues: 1 })).toMatchObject({
      report: 'none',
      maxOpenIssues: 10,
    });
  });

  test('`mode: off` of the server stays off', () => {
    expect(resolve([{ mode: 'off' }], { mode: 'report' }, { mode: 'report' }).mode).toBe('off');
    expect(resolve([{ mode: 'off' }, { mode: 'report' }]).mode).toBe('report');
    expect(resolve([{ mode: 'report' }], { mode: 'off' }).mode).toBe('off');
    expect(resolve([], { mode: 'off' }, { mode: 'report' }).mode).toBe('report');
  });

  test('a schedule keeps the time zone that counts for the project', () => {
    const cron = { kind: 'cron', cron: '0 3 * * *' } as const;
    expect(resolve([{ schedule: cron }]).schedule).toEqual({ ...cron, timezone: 'UTC' });
    expect(resolve([{ timezone: 'Europe/Berlin' }], {}, { schedule: cron }).schedule).toEqual({
      ...cron,
      timezone: 'Europe/Berlin',
    });
    expect(resolve([{ schedule: cron, timezone: 'Europe/Berlin' }], { timezone: 'Asia/Tokyo' }).schedule).toEqual({
      ...cron,
      timezone: 'Asia/Tokyo',
    });
    expect(resolve([{ schedule: cron }], { schedule: { kind: 'every', everyMs: 5 } }).schedule).toEqual({
      kind: 'every',
      everyMs: 5,
    });
  });

  test('windows of the server stand beside those of the repository', () => {
    const got = resolve([{ windows: [freeze], timezone: 'Europe/Berlin' }, { windows: [night] }], {
      windows: [night, freeze],
      timezone: 'America/New_York',
    });
    expect(got.windows).toEqual([
      [{ ...night, timezone: 'Europe/Berlin' }],
      [
        { ...night, timezone: 'America/New_York' },
        { ...freeze, timezone: 'Asia/Tokyo' },
      ],
    ]);
  });

  test('a project’s windows take the place of its repository’s, not of the server’s', () => {
    const got = resolve([{ windows: [freeze] }], { windows: [night] }, { windows: [] });
    expect(got.windows).toEqual([[freeze]]);
    expect(resolve([], { windows: [freeze] }, { windows: [night] }).windows).toEqual([[{ ...night, timezone: 'UTC' }]]);
    expect(resolve([], { windows: [night] }, { timezone: 'Asia/Tokyo' }).windows).toEqual([
      [{ ...night, timezone: 'Asia/Tokyo' }],
    ]);
  });

  test('ignore rules add up', () => {
    const ignore = (address: string) => [{ address, attribute: '*', reason: 'r', owner: 'o', expires: new Date(0) }];
    const got = resolve(
      [{ ignore: ignore('a') }, { ignore: ignore('b') }],
      { ignore: ignore('c') },
      { ignore: ignore('d') },
    );
    expect(got.ignore.map((rule) => rule.address)).toEqual(['a', 'b', 'c', 'd']);
  });
});
