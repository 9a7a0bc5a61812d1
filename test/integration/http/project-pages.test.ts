import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NO_DRIFT } from '../../../src/core/drift/lifecycle.ts';
import { projectPagePath } from '../../../src/core/project.ts';
import { driftContext } from '../../../src/core/sealed-contexts.ts';
import { createSeal } from '../../../src/lib/seal.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { buildAccount, buildRepository, keyOf } from '../../support/builders.ts';
import { buildDifference, buildFindings, FINGERPRINT } from '../../support/drift-builders.ts';
import { drift, setProject, trackProjects } from '../../support/http-projects.ts';
import { type HttpStage, print, startHttpStage, startNextRun, WEB_TOKEN } from '../../support/http-stage.ts';
import { wantNotification } from '../../support/notification-rows.ts';

let stage: HttpStage;
beforeEach(async () => {
  stage = await startHttpStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const PROD = projectPagePath(keyOf('prod'));
const HOUR_MS = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * HOUR_MS);
const html = async (path: string): Promise<string> => (await stage.get(path)).text();
const unescape = (attribute: string): string => attribute.replaceAll('&#x3D;', '=').replaceAll('&amp;', '&');
const text = (page: string): string =>
  unescape(page.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')).replaceAll('&quot;', '"');
const linksTo = (page: string, prefix: string): readonly string[] =>
  [...page.matchAll(/href="([^"]+)"/g)]
    .map(([, href = '']) => unescape(href))
    .filter((href) => href.startsWith(prefix));
const csrfOf = (page: string): string => /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
const formOf = (page: string, action: string): string =>
  unescape(new RegExp(`action="(/projects/${action}[^"]+)"`).exec(page)?.[1] ?? '');
const post = (path: string, fields: Readonly<Record<string, string>>): Promise<Response> =>
  stage.get(path, { method: 'POST', body: new URLSearchParams(fields) });
const projectOf = async (dir = 'prod') => (await stage.drift.find(keyOf(dir)))?.project;

describe('the list of projects', () => {
  test('groups them by repository, pages through all of them once, and leads to each', async () => {
    await trackProjects(
      stage,
      Array.from({ length: 120 }, (_, n) => `dir-${n}`),
    );
    await trackProjects(stage, ['a'], { repository: buildRepository({ id: '7', name: 'other' }) });
    const seen: string[] = [];
    let path: string | undefined = '/projects';
    let pages = 0;
    while (path !== undefined && pages < 10) {
      const page: string = await html(path);
      seen.push(...linksTo(page, '/projects/'));
      path = linksTo(page, '/projects?after=')[0];
      pages += 1;
    }
    expect(pages).toBe(3);
    expect(new Set(seen).size).toBe(121);
    const [first = ''] = seen;
    expect((await stage.get(first)).status).toBe(200);
    const page = text(await html('/projects'));
    expect(page).toContain('acme/infra main');
    expect(page).toContain('all 121');
  });

  test('is narrowed by state, by checks and to a repository, and keeps that on the next page', async () => {
    await trackProjects(
      stage,
      Array.from({ length: 60 }, (_, n) => `dir-${n}`),
    );
    await trackProjects(stage, ['a'], { repository: buildRepository({ id: '7', name: 'other' }) });
    await drift(stage, 'dir-1');
    expect(linksTo(await html('/projects?state=drift'), '/projects/')).toEqual([projectPagePath(keyOf('dir-1'))]);
    expect(linksTo(await html('/projects?checks=ok'), '/projects/')).toEqual([projectPagePath(keyOf('dir-1'))]);
    expect(text(await html('/projects?checks=overdue'))).toContain('No projects.');
    const page = await html('/projects?checks=never_checked&repository=github.com%2F42');
    expect(text(page)).toContain('Projects of acme/infra');
    expect(page).not.toContain('acme/other');
    const [next = ''] = linksTo(page, '/projects?').filter((url) => url.includes('after='));
    const more = await html(next);
    expect(linksTo(more, '/projects/')).toHaveLength(9);
    expect(more).not.toContain('dir-1<');
    // What nobody knows narrows nothing.
    expect(linksTo(await html('/projects?state=%00&checks=x&state=y'), '/projects/').length).toBe(50);
    expect((await stage.get('/projects?after=%00&repository=%00')).status).toBe(200);
  });

  test('says when it was checked, when that is due, why it was not, and what is at work', async () => {
    await trackProjects(stage, ['a', 'b', 'c', 'd']);
    const due = { schedule: 'every 6 hours', dueAt: ago(3) };
    const skip = { code: 'locked', sentence: 'It is locked by #7 (ann).', since: ago(2) } as const;
    await setProject(stage, 'a', { lastSuccessAt: ago(5), due, skip });
    const suspension = { reason: 'an outage', by: 'ann', since: ago(50), until: undefined };
    await setProject(stage, 'b', { suspension });
    await setProject(stage, 'c', { request: { kind: 'command', actor: buildAccount('ann'), at: new Date() } });
    await stage.drift.saveProblem('github.com/42', 'The config has an error.');
    await stage.drift.schedule(() => ({ start: [keyOf('c')], skip: new Map() }), new Date());
    const page = await html('/projects');
    const shown = text(page);
    expect(shown).toContain('checked 5 hours ago');
    expect(shown).toContain('due 3 hours ago');
    expect(shown).toContain('Not checked for 2 hours: It is locked by #7 (ann).');
    expect(shown).toContain('Suspended by @ann for 2 days, until it is resumed: an outage');
    expect(shown).toContain('the branch main cannot be read, first');
    expect(linksTo(page, '/runs/')).toHaveLength(1);
  });

  test('of ten thousand projects is quick, whatever was found of them', async () => {
    await trackProjects(stage, ['prod']);
    await sql`
      insert into drift_projects (project_key, repository_id, project, settings, listed, tip, inputs_digest, schedule, due_at,
        starts_per_minute, sync, state, findings)
      select project_key || '-' || n, repository_id, project, settings, listed, tip, inputs_digest, schedule, due_at,
        starts_per_minute, 'in_sync', state, convert_to(repeat(md5(n::text), 1000), 'UTF8')
      from drift_projects, generate_series(1, 9999) n`.execute(stage.database.db);
    await html('/projects');
    const times: number[] = [];
    for (const path of ['/projects', '/projects?state=in_sync', '/projects?checks=never_checked&after=x']) {
      const begun = performance.now();
      await html(path);
      times.push(performance.now() - begun);
    }
    expect(Math.max(...times)).toBeLessThan(1_500);
  });
});

describe('the page of a project', () => {
  test('shows what was found, masked as it is stored, the drift, its report and its history', async () => {
    await trackProjects(stage, ['prod']);
    await stage.drift.schedule(() => ({ start: [keyOf('prod')], skip: new Map() }), ago(-7));
    const run = await startNextRun(stage);
    await print(stage, run, 0, 'Refreshing\n');
    await stage.drift.finish(
      run.lease,
      { state: 'succeeded', result: { kind: 'checked', sync: 'drift', drifting: 1, differing: 3 }, phases: [] },
      () => ({ changes: {}, report: false }),
    );
    const resources = [
      buildDifference({ address: 'a.state', kind: 'state_only', fingerprint: undefined }),
      buildDifference({ address: 'b.gone["<x>"]', missing: true, action: 'create' }),
    ];
    await drift(stage, 'prod', {
      findings: buildFindings({ resources, failedChecks: ['check.size failed'] }),
      ignored: [{ rule: 'r', address: 'c.ignored', path: 'tags' }],
      runId: run.id,
    });
    const page = await html(PROD);
    const shown = text(page);
    for (const part of [
      'State: drift',
      'Checks: checks ok',
      `Fingerprint ${FINGERPRINT}`,
      'tags.owner',
      '"eve"',
      'an apply makes it again',
      'check.size failed',
      'c.ignored tags',
      'drift check of prod',
      'drift in 1 resource',
      'main at',
      'every 6 hours',
    ])
      expect(shown).toContain(part);
    expect(page).toContain('<code>b.gone[&quot;&lt;x&gt;&quot;]</code>');
    // The gravest first.
    expect(page.indexOf('b.gone')).toBeLessThan(page.indexOf('a.state'));
    const ofRun = await html(`/runs/${run.id}`);
    expect(linksTo(ofRun, '/projects/')).toEqual([PROD]);
    expect(text(ofRun)).toContain('1 resource drifted, 2 more resources differ in another way.');
    expect(text(await html('/runs'))).toContain('drift in 1 resource');
    expect(linksTo(await html('/runs?only=drift'), '/runs/')).toHaveLength(1);
    expect(linksTo(await html('/runs?only=pull-requests'), '/runs/')).toHaveLength(0);
  });

  test('pages through its history', async () => {
    await trackProjects(stage, ['prod']);
    for (let n = 0; n < 27; n += 1) {
      await stage.drift.schedule(() => ({ start: [keyOf('prod')], skip: new Map() }), ago(-8 * (n + 1)));
      const { lease } = await startNextRun(stage);
      const result = { kind: 'failed', explanation: 'no', diagnostics: [], output: '', applyBegun: false } as const;
      const end = { state: 'failed', result: { ...result, erroredState: false }, phases: [] } as const;
      await stage.drift.finish(lease, end, () => ({ changes: {}, report: false }));
    }
    const first = await html(PROD);
    expect(linksTo(first, '/runs/')).toHaveLength(25);
    const [older = ''] = linksTo(first, '/projects/').filter((url) => url.includes('after='));
    const second = await html(older.split('#')[0] ?? '');
    expect(linksTo(second, '/runs/')).toHaveLength(2);
  });

  test('tells of rules with their ends, of the config’s among them, and of checks that fail', async () => {
    const ignore = [
      {
        address: 'a.*',
        attribute: '*',
        reason: 'autoscaled',
        owner: 'platform',
        expires: new Date('2099-01-01T00:00:00Z'),
      },
    ];
    await trackProjects(stage, ['prod'], { settings: { ignore } });
    const errors = { since: ago(5).toISOString(), last: ago(1).toISOString(), count: 4 };
    await setProject(stage, 'prod', {
      state: { ...NO_DRIFT, errors },
      silences: [{ kind: 'snooze', id: '1', by: 'bob', reason: 'later', fingerprint: 'f', until: ago(-5.1) }],
    });
    const shown = text(await html(PROD));
    expect(shown).toContain('snoozed f bob ends in 5 hours later');
    expect(shown).toContain('ignored a.* platform ends in');
    expect(shown).toContain('4 checks failed in a row, the first 5 hours ago , the last 1 hour ago');
    expect(shown).toContain('Checks: checks fail');
  });

  test('says that what was found cannot be read with a lost key', async () => {
    await trackProjects(stage, ['prod']);
    const lost = createSeal([new Secret(new Uint8Array(32))]);
    await setProject(stage, 'prod', { findings: lost.seal('{}', driftContext(keyOf('prod'))) });
    const answer = await stage.get(PROD);
    expect(answer.status).toBe(200);
    expect(text(await answer.text())).toContain('sealed with an encryption key that is not at hand');
  });

  test('is there for keys of any length and form, and for nobody without the token', async () => {
    const dir = `${'very/'.repeat(200)}deep ö%2F?#`;
    await trackProjects(stage, [dir]);
    expect(text(await html(projectPagePath(keyOf(dir))))).toContain('deep ö%2F?#');
    expect((await stage.get('/projects/nowhere')).status).toBe(404);
    expect((await stage.get('/projects/%00')).status).toBe(404);
    expect((await fetch(`${stage.url}${PROD}`, { redirect: 'manual' })).status).toBe(401);
    expect((await fetch(`${stage.url}/notifications`, { redirect: 'manual' })).status).toBe(401);
  });
});

describe('the buttons of a project', () => {
  test('ask for a check, and wake whoever starts it', async () => {
    await trackProjects(stage, ['prod']);
    const page = await html(PROD);
    const answer = await post(formOf(page, 'run'), { csrf: csrfOf(page) });
    expect(answer.headers.get('location')).toBe(`${PROD}?notice=run`);
    expect((await projectOf())?.request).toMatchObject({ kind: 'command', actor: { login: 'somebody on the pages' } });
    expect(stage.jobs).toContain('drift {}');
    const after = text(await html(`${PROD}?notice=run`));
    expect(after).toContain('It is checked as soon as a worker is free');
    expect(after).toContain('A check was asked for by somebody on the pages.');
  });

  test('suspend with a reason and an end, and resume', async () => {
    await trackProjects(stage, ['prod']);
    const page = await html(PROD);
    const csrf = csrfOf(page);
    await post(formOf(page, 'suspend'), { csrf, reason: 'an <outage>', for: '7d' });
    const suspension = (await projectOf())?.suspension;
    expect(suspension).toMatchObject({ reason: 'an <outage>', by: 'somebody on the pages' });
    expect(Math.round(((suspension?.until?.getTime() ?? 0) - Date.now()) / HOUR_MS)).toBe(7 * 24);
    const suspended = await html(PROD);
    expect(suspended).toContain('an &lt;outage&gt;');
    expect(text(suspended)).toContain('Suspended by somebody on the pages for');
    expect(formOf(suspended, 'run')).toBe('');
    const refused = await post(formOf(page, 'run'), { csrf });
    expect(text(await html(refused.headers.get('location') ?? ''))).toContain(
      'Nothing was done: its checks are suspended',
    );
    const resumed = await post(formOf(suspended, 'resume'), { csrf });
    expect(resumed.headers.get('location')).toBe(`${PROD}?notice=resume`);
    expect((await projectOf())?.suspension).toBeUndefined();
    const audit = await stage.database.db.selectFrom('audit_log').select(['actor', 'event']).orderBy('id').execute();
    expect(audit.map(({ event }) => event)).toEqual(['suspended', 'resumed']);
    expect(stage.jobs.some((job) => job.startsWith('report '))).toBe(true);
  });

  test.each([{ reason: ' ' }, { reason: 'x'.repeat(501) }, { reason: 'r', for: 'soon' }, {}])(
    'suspend nothing with %o',
    async (fields) => {
      await trackProjects(stage, ['prod']);
      const page = await html(PROD);
      const answer = await post(formOf(page, 'suspend'), { csrf: csrfOf(page), ...fields } as Record<string, string>);
      expect(answer.headers.get('location')).toBe(`${PROD}?notice=reason`);
      expect((await projectOf())?.suspension).toBeUndefined();
    },
  );

  test('do nothing without the form of the session, and anything for a program with the token', async () => {
    await trackProjects(stage, ['prod']);
    const form = formOf(await html(PROD), 'run');
    expect((await post(form, { csrf: '' })).status).toBe(403);
    expect((await post(form, { csrf: 'made-up' })).status).toBe(403);
    expect((await stage.get(form)).status).toBe(404);
    expect((await projectOf())?.request).toBeUndefined();
    const headers = { authorization: `Bearer ${WEB_TOKEN}` };
    const answer = await fetch(`${stage.url}${form}`, { method: 'POST', headers, redirect: 'manual' });
    expect(answer.status).toBe(303);
    expect((await projectOf())?.request).toBeDefined();
    const nowhere = await fetch(`${stage.url}/projects/run?project=x`, { method: 'POST', headers, redirect: 'manual' });
    expect(nowhere.status).toBe(404);
  });

  test('show no words of an address', async () => {
    await trackProjects(stage, ['prod']);
    expect(await html(`${PROD}?notice=<b>pay here`)).not.toContain('pay here');
    expect(await html(`${PROD}?notice=constructor`)).not.toContain('role="status"');
  });
});

describe('the log of notifications', () => {
  test('has the newest first, can be narrowed, and leads to the project', async () => {
    const { db } = stage.database;
    for (let n = 0; n < 60; n += 1) await wantNotification(db, { createdAt: ago(n + 1), sentence: `number ${n}` });
    await db
      .updateTable('notifications')
      .set({ state: 'sent', sent_at: new Date() })
      .where('created_at', '<', ago(30.5))
      .execute();
    const page = await html('/notifications');
    expect(text(page)).toContain('all 60');
    expect(text(page)).toContain('number 0');
    expect(text(page)).not.toContain('number 55');
    expect(linksTo(page, '/projects/')[0]).toBe(PROD);
    const [older = ''] = linksTo(page, '/notifications?after=');
    expect(text(await html(older))).toContain('number 55');
    const arrived = text(await html('/notifications?state=sent'));
    expect(arrived).toContain('number 55');
    expect(arrived).not.toContain('number 5 ');
    expect((await stage.get('/notifications?after=%00&state=x')).status).toBe(200);
  });

  test('says that nobody is to be told', async () => {
    expect(text(await html('/notifications'))).toContain('Nobody outside is told: the config has no notifications');
  });
});
