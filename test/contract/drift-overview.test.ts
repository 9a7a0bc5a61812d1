import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HealthState } from '../../src/core/drift/health.ts';
import type { DriftProjectChanges } from '../../src/core/drift/drift-project.ts';
import { NO_DRIFT } from '../../src/core/drift/lifecycle.ts';
import type { DriftStanding } from '../../src/core/drift/standing.ts';
import type { DriftSettings } from '../../src/core/drift/settings.ts';
import type { ProjectKey } from '../../src/core/project.ts';
import type { Repository } from '../../src/core/repository.ts';
import { buildRepository, HEAD, keyOf } from '../support/builders.ts';
import { buildBranchProject, drifting } from '../support/drift-builders.ts';
import { createRecordStage, type RecordStage } from '../support/record-stage.ts';

const HOUR_MS = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * HOUR_MS);

let stage: RecordStage;
beforeAll(async () => {
  stage = await createRecordStage();
});
beforeEach(() => stage.forget());

/** Tracks a repository with a project in each of these folders. */
async function track(
  dirs: readonly string[],
  {
    repository = buildRepository(),
    settings = {},
  }: { readonly repository?: Repository; readonly settings?: Partial<DriftSettings> } = {},
): Promise<void> {
  await stage.pulls.saveRepository(repository);
  await stage.drift.track(repository, 'main');
  const projects = dirs.map((dir) => {
    const project = buildBranchProject(dir, { settings });
    return { ...project, key: project.key.replace('/42/', `/${repository.id}/`) as ProjectKey };
  });
  await stage.drift.syncProjects(
    `${repository.host}/${repository.id}`,
    { tip: HEAD, settingsDigest: 's', projects },
    new Date(),
  );
}

const change = (dir: string, changes: DriftProjectChanges) =>
  stage.drift.change(keyOf(dir), () => ({ changes, report: false }));
const dirsOf = async (filter: Omit<Parameters<RecordStage['overview']['list']>[0], 'limit'> = {}) =>
  (await stage.overview.list({ limit: 100, ...filter })).map(({ project }) => project.project.dir);
const healthOf = async (dir = 'prod') => (await stage.overview.find(keyOf(dir)))?.health;
const errors = (hours: number, count: number) => ({
  since: ago(hours).toISOString(),
  last: new Date().toISOString(),
  count,
});

describe('health', () => {
  const CHECKED = { lastSuccessAt: new Date(), lastCheckAt: new Date(), sync: 'in_sync' } as const;

  test.each<readonly [HealthState, DriftProjectChanges]>([
    ['never_checked', {}],
    ['ok', CHECKED],
    ['ok', { ...CHECKED, state: { ...NO_DRIFT, errors: errors(2, 1) } }],
    ['ok', { ...CHECKED, state: { ...NO_DRIFT, errors: errors(0.1, 5) } }],
    ['failing', { ...CHECKED, state: { ...NO_DRIFT, errors: errors(2, 2) } }],
    ['overdue', { ...CHECKED, lastSuccessAt: ago(10) }],
    ['ok', { ...CHECKED, lastSuccessAt: ago(8) }],
    ['failing', { ...CHECKED, lastSuccessAt: ago(10), state: { ...NO_DRIFT, errors: errors(2, 2) } }],
    ['checks_failed', { ...CHECKED, failedChecks: 2 }],
    ['ok', { ...CHECKED, skip: { code: 'window_closed', sentence: 's', since: new Date() }, lastSuccessAt: ago(10) }],
    ['paused', { ...CHECKED, skip: { code: 'archived', sentence: 's', since: new Date() }, lastSuccessAt: ago(10) }],
    ['overdue', { ...CHECKED, skip: { code: 'locked', sentence: 's', since: new Date() }, lastSuccessAt: ago(10) }],
  ])('is %s with %o', async (health, changes) => {
    await track(['prod']);
    await change('prod', changes);
    expect(await healthOf()).toBe(health);
    expect(await dirsOf({ health })).toEqual(['prod']);
    expect((await stage.overview.count({})).health).toEqual(new Map([[health, 1]]));
  });

  test('comes back with a check that succeeds', async () => {
    await track(['prod']);
    await change('prod', { lastSuccessAt: ago(10), state: { ...NO_DRIFT, errors: errors(2, 2) } });
    await change('prod', { lastSuccessAt: new Date(), state: NO_DRIFT });
    expect(await healthOf()).toBe('ok');
  });

  test('is paused while it is suspended, and no longer', async () => {
    await track(['prod']);
    const suspension = { reason: 'r', by: 'ann', since: ago(1), until: undefined };
    await change('prod', { ...CHECKED, suspension });
    expect(await healthOf()).toBe('paused');
    await change('prod', { suspension: { ...suspension, until: new Date(Date.now() + HOUR_MS) } });
    expect(await healthOf()).toBe('paused');
    await change('prod', { suspension: { ...suspension, until: ago(0.5) } });
    expect(await healthOf()).toBe('ok');
  });

  test('is paused where checks are switched off, and begins anew when they are switched on', async () => {
    await track(['prod']);
    await change('prod', { ...CHECKED, lastSuccessAt: ago(100) });
    await track(['prod'], { settings: { enabled: false } });
    expect(await healthOf()).toBe('paused');
    await track(['prod']);
    expect(await healthOf()).toBe('ok');
  });

  test('a longer period makes what was overdue wait', async () => {
    await track(['prod']);
    await change('prod', { ...CHECKED, lastSuccessAt: ago(10) });
    await track(['prod'], { settings: { schedule: { kind: 'every', everyMs: 24 * HOUR_MS } } });
    expect(await healthOf()).toBe('ok');
  });
});

describe('where a project stands', () => {
  test.each<readonly [DriftStanding, DriftProjectChanges]>([
    ['never', {}],
    ['unknown', { sync: 'unknown', lastSuccessAt: new Date() }],
    ['in_sync', { sync: 'in_sync' }],
    ['in_sync', { sync: 'state_only' }],
    ['in_sync', { sync: 'absorbed' }],
    ['pending', { sync: 'pending' }],
    ['baseline_unknown', { sync: 'baseline_unknown' }],
    ['external', { sync: 'external' }],
    ['error', { sync: 'error' }],
    ['drift', { sync: 'drift', state: drifting() }],
    ['drift', { sync: 'error', state: drifting() }],
    ['drift', { sync: 'unknown', state: drifting() }],
    ['unconfirmed', { sync: 'drift', state: drifting({ confirmed: false }) }],
    ['silenced', { sync: 'drift', state: drifting({ quiet: 'Snoozed by @ann.' }) }],
  ])('is %s with %o, wherever that is asked', async (standing, changes) => {
    await track(['prod']);
    await change('prod', changes);
    expect(await dirsOf({ standing })).toEqual(['prod']);
    expect((await stage.overview.find(keyOf('prod')))?.standing).toBe(standing);
    expect((await stage.overview.count({})).standing).toEqual(new Map([[standing, 1]]));
  });
});

test('the issue of a project stands beside it, unless it is gone', async () => {
  await track(['prod', 'stage']);
  const { id } = await stage.reports.begin({
    repositoryId: 'github.com/42',
    kind: 'project',
    projectKey: keyOf('prod'),
  });
  expect((await stage.overview.find(keyOf('prod')))?.issue).toBeUndefined();
  const url = 'https://github.com/acme/infra/issues/9';
  await stage.reports.saved(id, { number: 9, url, state: 'open', hash: 'h', fingerprint: undefined }, undefined);
  expect((await stage.overview.list({ limit: 9 })).map(({ issue }) => issue)).toEqual([
    { number: 9, url, open: true },
    undefined,
  ]);
  await stage.reports.gone(id);
  expect((await stage.overview.find(keyOf('prod')))?.issue).toBeUndefined();
});

describe('the list of projects', () => {
  test('goes by repository and directory, and pages through all of them once', async () => {
    await track(['b', 'a', 'c']);
    await track(['z', 'y'], { repository: buildRepository({ id: '7', name: 'other' }) });
    const seen: string[] = [];
    for (let after: ProjectKey | undefined; ; ) {
      const page = await stage.overview.list({ limit: 2, ...(after && { after }) });
      if (page.length === 0) break;
      seen.push(...page.map(({ project, repository }) => `${repository.name} ${project.project.dir}`));
      after = page.at(-1)?.project.key;
    }
    expect(seen).toEqual(['infra a', 'infra b', 'infra c', 'other y', 'other z']);
  });

  test('can be narrowed to a repository, to what was found and to how checks are, and counts each', async () => {
    await track(['a', 'b', 'c']);
    await track(['a'], { repository: buildRepository({ id: '7', name: 'other' }) });
    await change('a', { sync: 'drift', state: drifting(), lastSuccessAt: new Date() });
    await change('b', { sync: 'drift', state: drifting() });
    expect(await dirsOf({ standing: 'drift' })).toEqual(['a', 'b']);
    expect(await dirsOf({ standing: 'drift', health: 'ok' })).toEqual(['a']);
    expect(await dirsOf({ repositoryId: 'github.com/7' })).toEqual(['a']);
    const { all, standing, health } = await stage.overview.count({ repositoryId: 'github.com/42' });
    expect({ all, standing: Object.fromEntries(standing), health: Object.fromEntries(health) }).toEqual({
      all: 3,
      standing: { drift: 2, never: 1 },
      health: { ok: 1, never_checked: 2 },
    });
  });

  test('keeps one that is gone from the branch while it drifts', async () => {
    await track(['a', 'b']);
    await change('a', { state: drifting(), sync: 'drift' });
    await track([]);
    expect(await dirsOf()).toEqual(['a']);
    expect(await healthOf('a')).toBe('paused');
    await change('a', { state: NO_DRIFT });
    expect(await dirsOf()).toEqual([]);
    expect(await stage.overview.find(keyOf('nowhere'))).toBeUndefined();
  });

  test('carries no findings, and all the rest', async () => {
    await track(['prod']);
    const suspension = { reason: 'r', by: 'ann', since: ago(1), until: undefined };
    await change('prod', { findings: Buffer.from('sealed'), suspension, failedChecks: 3 });
    const [overview] = await stage.overview.list({ limit: 1 });
    const { findings: _, ...whole } = (await stage.drift.find(keyOf('prod')))?.project ?? {};
    expect(overview?.project).toEqual(whole);
    expect(overview).toMatchObject({ branch: 'main', repository: buildRepository(), foundAt: expect.any(Date) });
  });

  test('names branches that cannot be read, since when and why', async () => {
    await track(['prod']);
    expect(await stage.overview.listProblems(10)).toEqual([]);
    await stage.drift.saveProblem('github.com/42', 'The branch is gone.');
    expect((await stage.overview.readFigures()).unreadableBranches).toBe(1);
    expect((await stage.overview.findProblem('github.com/42'))?.sentence).toBe('The branch is gone.');
    expect(await stage.overview.findProblem('github.com/7')).toBeUndefined();
    expect(await stage.overview.listProblems(10)).toEqual([
      { repository: buildRepository(), branch: 'main', sentence: 'The branch is gone.', since: expect.any(Date) },
    ]);
  });
});

describe('figures', () => {
  test('tell who waits for longest', async () => {
    expect(await stage.overview.readFigures()).toEqual({
      projects: [],
      health: new Map(),
      unreadableBranches: 0,
      oldestSuccess: undefined,
      oldestDue: undefined,
    });
    await track(['a', 'b', 'c', 'paused']);
    const { schedule } = (await stage.drift.find(keyOf('a')))?.project.due ?? { schedule: '' };
    await change('a', { lastSuccessAt: ago(3), due: { schedule, dueAt: ago(2) } });
    await change('b', { lastSuccessAt: ago(5), state: drifting(), due: { schedule, dueAt: ago(1) } });
    const skip = { code: 'locked', sentence: 's', since: ago(4) } as const;
    await change('c', { lastSuccessAt: ago(1), skip, due: { schedule, dueAt: ago(4) } });
    const suspension = { reason: 'r', by: 'ann', since: ago(90), until: undefined };
    await change('paused', { lastSuccessAt: ago(90), suspension });
    const figures = await stage.overview.readFigures();
    const hours = (time: Date | undefined) => Math.round((Date.now() - (time?.getTime() ?? 0)) / HOUR_MS);
    expect(hours(figures.oldestSuccess)).toBe(5);
    expect(hours(figures.oldestDue)).toBe(2);
    expect(figures.projects).toEqual([
      { repository: 'github.com/acme/infra', standing: 'drift', count: 1 },
      { repository: 'github.com/acme/infra', standing: 'unknown', count: 3 },
    ]);
    expect(Object.fromEntries(figures.health)).toEqual({ ok: 3, paused: 1 });
  });

  test('count one that was never checked from when it became known', async () => {
    await track(['a']);
    await stage.db
      .updateTable('drift_projects')
      .set({ found_at: ago(30) })
      .execute();
    const { oldestSuccess } = await stage.overview.readFigures();
    expect(Date.now() - (oldestSuccess?.getTime() ?? 0)).toBeGreaterThan(29 * HOUR_MS);
  });
});

test('ten thousand projects are listed, counted and measured without a wait', async () => {
  await track(['prod']);
  await sql`
    insert into drift_projects (project_key, repository_id, project, settings, listed, tip, inputs_digest, schedule, due_at,
      starts_per_minute, sync, state, findings)
    select project_key || '-' || n, repository_id, project, settings, listed, tip, inputs_digest, schedule, due_at,
      starts_per_minute, case when n % 100 = 0 then 'pending' else 'in_sync' end, state,
      convert_to(repeat(md5(n::text), 1000), 'UTF8')
    from drift_projects, generate_series(1, 9999) n`.execute(stage.db);
  await sql`analyze drift_projects`.execute(stage.db);
  const timed = async (work: () => Promise<unknown>) => {
    const times: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const begun = performance.now();
      await work();
      times.push(performance.now() - begun);
    }
    return Math.min(...times);
  };
  const [page] = [await stage.overview.list({ limit: 50, standing: 'pending' })];
  expect(page).toHaveLength(50);
  const all = await timed(() =>
    Promise.all([
      stage.overview.list({ limit: 51 }),
      stage.overview.list({ limit: 51, standing: 'pending', health: 'overdue' }),
      stage.overview.count({}),
      stage.overview.readFigures(),
    ]),
  );
  expect(all).toBeLessThan(1_000);
});
