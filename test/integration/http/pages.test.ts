import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunResult } from '../../../src/core/batch.ts';
import { artifactContext, ERRORED_STATE, planTextContext } from '../../../src/core/sealed-contexts.ts';
import { createSeal } from '../../../src/lib/seal.ts';
import { Secret } from '../../../src/lib/secret.ts';
import type { RunEnd } from '../../../src/ports/run-store.ts';
import { BASE, HEAD, keyOf, MERGE } from '../../support/builders.ts';
import {
  type HttpStage,
  print,
  recordRuns,
  startHttpStage,
  startNextRun,
  WEB_TOKEN,
} from '../../support/http-stage.ts';
import { counts } from '../../support/plan-comment-view.ts';

let stage: HttpStage;
beforeEach(async () => {
  stage = await startHttpStage();
});
afterEach(() => stage[Symbol.asyncDispose]());

const html = async (path: string): Promise<string> => (await stage.get(path)).text();
const text = (page: string): string => page.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
const linksTo = (page: string, prefix: string): readonly string[] =>
  [...page.matchAll(/href="([^"]+)"/g)]
    .map(([, href = '']) => unescape(href))
    .filter((href) => href.startsWith(prefix));
const unescape = (attribute: string): string => attribute.replaceAll('&#x3D;', '=').replaceAll('&amp;', '&');

const SUMMARY = {
  empty: false,
  counts: counts({ add: 2 }),
  changes: [
    { address: 'disk.big["<i>"]', previousAddress: undefined, type: 'disk', action: 'create', reason: undefined },
  ],
  drifted: ['disk.old'],
  checks: ['check.size failed: too small'],
  canonicalDigest: 'digest',
} as const;

function plannedEnd(runId: string): RunEnd {
  return {
    state: 'succeeded',
    result: { kind: 'planned', summary: SUMMARY, warnings: [], applyRefusal: undefined },
    phases: [{ name: 'init', ms: 1_900 }],
    plan: {
      id: randomUUID(),
      headSha: HEAD,
      baseRef: 'main',
      baseSha: BASE,
      mergeSha: MERGE,
      inputsDigest: 'inputs',
      canonicalDigest: 'digest',
      empty: false,
      artifact: Buffer.from('x'),
      planText: stage.seal.seal('  + disk "big" {\n', planTextContext(runId)),
    },
  };
}

const ended = (state: 'failed' | 'cancelled' | 'interrupted', result: RunResult): RunEnd => ({
  state,
  result,
  phases: [],
});

describe('the list of runs', () => {
  test('has the newest first, pages through all of them once, and leads back', async () => {
    // One batch: all of it is queued at the same instant.
    const dirs = Array.from({ length: 120 }, (_, i) => `dir-${i}`);
    const { runs } = await recordRuns(stage, { dirs });
    const seen: string[] = [];
    let path: string | undefined = '/runs';
    let pages = 0;
    while (path !== undefined && pages < 10) {
      const page: string = await html(path);
      seen.push(...linksTo(page, '/runs/'));
      path = linksTo(page, '/runs?after=')[0];
      pages += 1;
    }
    expect(pages).toBe(3);
    expect(seen.toSorted()).toEqual(runs.map((run) => `/runs/${run.id}`).toSorted());
  });

  test('of one pull request leaves the others out', async () => {
    const { pull } = await recordRuns(stage, { number: 7, dirs: ['prod'] });
    await recordRuns(stage, { number: 8, dirs: ['stage'] });
    const page = text(await html(`/runs?pull=${encodeURIComponent(pull.id)}`));
    expect(page).toContain('Runs of acme/infra#7');
    expect(page).toContain('plan of prod');
    expect(page).not.toContain('stage');
    expect((await stage.get('/runs?pull=github.com/42/9')).status).toBe(404);
    expect((await stage.get('/runs?pull=a&pull=b')).status).toBe(200);
    expect((await stage.get('/runs?after=%00&pull=%00')).status).toBe(404);
  });
});

describe('a run', () => {
  test('that is planned shows what it would do, who asked for it and how long it took', async () => {
    await recordRuns(stage, { commentId: '99' });
    const run = await startNextRun(stage);
    await print(stage, run, 0, 'Initializing the backend...\n');
    await stage.runs.finish(run.lease, plannedEnd(run.id));
    const page = await html(`/runs/${run.id}`);
    expect(page).toContain('<span class="badge good">succeeded</span>');
    expect(page).toContain('<code>disk.big[&quot;&lt;i&gt;&quot;]</code>');
    expect(page).toContain('disk &quot;big&quot; {');
    expect(page).toContain('href="https://github.com/acme/infra/pull/7#comment-99"');
    expect(text(page)).toContain('Initializing the backend...');
    for (const fact of [
      'Asked for by ann',
      'a command in a comment',
      `${HEAD.slice(0, 7)}`,
      `${MERGE.slice(0, 7)}`,
      'init 1.9 s',
    ])
      expect(text(page)).toContain(fact);
    expect(text(page)).toContain('disk.old was changed outside of Terraform.');
    expect(text(page)).toContain('check.size failed: too small');
    expect(page).not.toContain('data-events');
  });

  test('whose plan was given up says that its text is gone', async () => {
    const { pull } = await recordRuns(stage);
    const run = await startNextRun(stage);
    await stage.runs.finish(run.lease, plannedEnd(run.id));
    const { version } = pull;
    await stage.runs.decide(pull.id, version, () => ({ actor: 'ann', event: 'unlock', release: 'all' }));
    expect(text(await html(`/runs/${run.id}`))).toContain('text is gone');
  });

  test('that waits says for what', async () => {
    const { runs } = await recordRuns(stage, { dirs: ['a', 'b'] });
    const pages = await Promise.all(runs.map(async (run) => text(await html(`/runs/${run.id}`))));
    expect(pages.filter((page) => page.includes('number 1 in the queue'))).toHaveLength(1);
    expect(pages.filter((page) => page.includes('number 2 in the queue'))).toHaveLength(1);
  });

  test('that was refused names every requirement that is missing', async () => {
    await recordRuns(stage, { operation: 'apply' });
    const run = await startNextRun(stage);
    const unmet = [
      { project: undefined, what: 'it is not approved', next: 'Ask for a review.' },
      { project: 'prod', what: 'the plan is older than the commit', next: 'Plan again.' },
    ];
    await stage.runs.finish(run.lease, ended('failed', { kind: 'refused', unmet }));
    const page = text(await html(`/runs/${run.id}`));
    expect(page).toContain('not applied: 2 requirements not met');
    expect(page).toContain('it is not approved . Ask for a review.');
    expect(page).toContain('the plan is older than the commit . Plan again.');
  });

  test('that found another plan than the approved one shows the difference', async () => {
    await recordRuns(stage, { operation: 'apply' });
    const run = await startNextRun(stage);
    const differences = [{ address: 'disk.big', approved: 'update', now: undefined }];
    await stage.runs.finish(run.lease, ended('failed', { kind: 'plan_changed', differences, summary: SUMMARY }));
    const page = text(await html(`/runs/${run.id}`));
    expect(page).toContain('What differs from the approved plan');
    expect(page).toContain('disk.big update nothing');
  });

  test('that failed shows diagnostics and the last output, and gives the unsaved state to who has the token', async () => {
    await recordRuns(stage, { operation: 'apply' });
    const run = await startNextRun(stage);
    const state = '{"serial": 7, "secret": "in clear"}';
    await stage.runs.finish(run.lease, {
      ...ended('failed', {
        kind: 'failed',
        explanation: 'The state could not be stored.',
        diagnostics: [
          {
            severity: 'error',
            summary: 'Backend gone',
            detail: 'bucket\nmissing',
            address: undefined,
            location: 'main.tf:3',
          },
        ],
        output: 'Error: Backend gone',
        applyBegun: true,
        erroredState: true,
      }),
      artifacts: [{ name: ERRORED_STATE, content: stage.seal.seal(state, artifactContext(run.id, ERRORED_STATE)) }],
    });
    const page = await html(`/runs/${run.id}`);
    for (const fact of ['The state could not be stored.', 'error: Backend gone', 'main.tf:3', 'Error: Backend gone'])
      expect(text(page)).toContain(fact);
    const path = `/runs/${run.id}/errored.tfstate`;
    expect(linksTo(page, '/runs/')).toContain(path);
    const file = await stage.get(path);
    expect(await file.text()).toBe(state);
    expect(file.headers.get('content-disposition')).toBe('attachment; filename="errored.tfstate"');
    expect(file.headers.get('cache-control')).toBe('no-store');
    expect((await fetch(`${stage.url}${path}`, { redirect: 'manual' })).status).toBe(401);
    expect(stage.logger.entries.map((entry) => entry.message)).toContain('an errored.tfstate was downloaded');
  });

  test('that was interrupted says that the outcome is unknown', async () => {
    await recordRuns(stage, { operation: 'apply' });
    const run = await startNextRun(stage);
    await stage.runs.finish(run.lease, ended('interrupted', { kind: 'interrupted', reason: 'The worker died.' }));
    expect(text(await html(`/runs/${run.id}`))).toContain('What it did is unknown ; the lock stays.');
  });

  test('with a long log shows its end, whole lines only, and links to all of it', async () => {
    await recordRuns(stage);
    const run = await startNextRun(stage);
    const lines = (from: number) =>
      Array.from({ length: 1_000 }, (_, i) => `line ${from + i} ${'x'.repeat(50)}\n`).join('');
    for (let seq = 0; seq < 6; seq += 1) await print(stage, run, seq, lines(seq * 1_000));
    const page = await html(`/runs/${run.id}`);
    const shown = /<pre id="log"[^>]*><code>([^<]*)/.exec(page)?.[1] ?? '';
    expect(shown.length).toBeLessThanOrEqual(200_000);
    expect(shown).toMatch(/^line \d+ x{50}\n/);
    expect(shown.endsWith(`line 5999 ${'x'.repeat(50)}\n`)).toBe(true);
    const full = await stage.get(`/runs/${run.id}/log`);
    expect(full.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await full.text()).toBe(Array.from({ length: 6 }, (_, i) => lines(i * 1_000)).join(''));
  });

  test('whose log was sealed with a lost key is shown with a word about it', async () => {
    await recordRuns(stage);
    const run = await startNextRun(stage);
    const lost = createSeal([new Secret(new Uint8Array(32))]);
    await stage.runs.appendOutput(run.lease, 0, lost.seal('old\n', `output:${run.id}:0`));
    const page = await stage.get(`/runs/${run.id}`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('[This cannot be read: sealed with the encryption key');
  });

  test('that is not on record is not found, in any of its parts', async () => {
    for (const part of ['', '/log', '/events', '/errored.tfstate'])
      expect((await stage.get(`/runs/${randomUUID()}${part}`)).status).toBe(404);
  });
});

describe('the list of locks', () => {
  const csrfOf = (page: string): string => /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '';
  const release = async (path: string, csrf: string): Promise<Response> =>
    stage.get(path, { method: 'POST', body: new URLSearchParams({ csrf }) });
  const formOf = (page: string): string => unescape(/action="(\/locks\/release[^"]+)"/.exec(page)?.[1] ?? '');

  test('shows holder and waiters, and a release hands over, wakes the queue and is on record', async () => {
    const { pull } = await recordRuns(stage, { number: 7 });
    const other = await recordRuns(stage, { number: 8 });
    stage.jobs.length = 0;
    const page = await html('/locks');
    expect(text(page)).toContain('held by acme/infra#7 ann');
    expect(text(page)).toContain('waiting: #8');
    const answer = await release(formOf(page), csrfOf(page));
    expect(answer.headers.get('location')).toBe('/locks?notice=released');
    const after = text(await html('/locks?notice=released'));
    expect(after).toContain('The lock was released.');
    expect(after).toContain('held by acme/infra#8');
    expect(stage.jobs.some((job) => job.startsWith('event {"host":"holdfast"'))).toBe(true);
    for (const { id } of [pull, other.pull])
      expect(stage.jobs).toContain(`publish ${JSON.stringify({ pullRequestId: id, when: 'now' })}`);
    const audit = await stage.database.db.selectFrom('audit_log').select(['actor', 'event', 'subject']).execute();
    expect(audit).toContainEqual({ actor: 'page', event: 'released', subject: `lock:${keyOf('prod')}` });
    // The plan that was queued for the lock is not made any more.
    expect((await stage.runs.readState(pull.id))?.open).toEqual([]);
  });

  test('releases nothing without the form of the session', async () => {
    await recordRuns(stage);
    const form = formOf(await html('/locks'));
    expect((await release(form, '')).status).toBe(403);
    expect((await release(form, 'made-up')).status).toBe(403);
    expect((await stage.get(form)).status).toBe(404);
    expect(await stage.pulls.listLocks()).toHaveLength(1);
  });

  test('releases to a program that has the token', async () => {
    await recordRuns(stage);
    const form = formOf(await html('/locks'));
    const headers = { authorization: `Bearer ${WEB_TOKEN}` };
    const answer = await fetch(`${stage.url}${form}`, { method: 'POST', headers, redirect: 'manual' });
    expect(answer.headers.get('location')).toBe('/locks?notice=released');
    expect(await stage.pulls.listLocks()).toEqual([]);
  });

  test('takes it from nobody else: a lock that went on meanwhile stays', async () => {
    await recordRuns(stage, { number: 7 });
    await recordRuns(stage, { number: 8 });
    const page = await html('/locks');
    await release(formOf(page), csrfOf(page));
    const again = await release(formOf(page), csrfOf(page));
    expect(again.headers.get('location')).toBe('/locks?notice=not_held');
    expect((await stage.pulls.listLocks()).map((lock) => lock.number)).toEqual([8]);
    expect((await release('/locks/release?project=x&pull=y', csrfOf(page))).headers.get('location')).toBe(
      '/locks?notice=not_held',
    );
  });

  test('is refused while an apply is running, and says so before and after', async () => {
    await recordRuns(stage, { operation: 'apply' });
    const before = await html('/locks');
    await startNextRun(stage);
    const page = await html('/locks');
    expect(text(page)).toContain('It is being applied now');
    expect(formOf(page)).toBe('');
    const answer = await release(formOf(before), csrfOf(before));
    expect(text(await html(answer.headers.get('location') ?? ''))).toContain(
      'Nothing was done: the project is being applied.',
    );
    expect(await stage.pulls.listLocks()).toHaveLength(1);
  });

  test('names the risk after an interrupted apply', async () => {
    await recordRuns(stage, { operation: 'apply' });
    const run = await startNextRun(stage);
    await stage.runs.finish(run.lease, ended('interrupted', { kind: 'interrupted', reason: 'The worker died.' }));
    expect(text(await html('/locks'))).toContain('An apply was interrupted and what it did is unknown.');
  });

  test('shows no words of an address', async () => {
    expect(await html('/locks?notice=<b>pay here')).not.toContain('pay here');
  });
});

test('without a database a page says that it is not available, and nothing of why', async () => {
  stage.problems.push('the database does not answer');
  await stage.logIn();
  await stage.database.close();
  const page = await stage.get('/runs');
  expect(page.status).toBe(503);
  expect(text(await page.text())).toMatch(/Holdfast cannot reach what it needs right now/);
});
