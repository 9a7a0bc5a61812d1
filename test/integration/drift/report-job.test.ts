import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCounterStore } from '../../../src/adapters/postgres/counter-store.ts';
import { NO_DRIFT } from '../../../src/core/drift/lifecycle.ts';
import { RetryLaterError } from '../../../src/ports/job-queue.ts';
import { reportJob } from '../../../workers/drift/report-job.ts';
import { keyOf } from '../../support/builders.ts';
import {
  buildDifference,
  buildFindings,
  buildStoredFindings,
  drifting,
  FINGERPRINT,
} from '../../support/drift-builders.ts';
import { createReportStage, type ReportStage, REPOSITORY_ID } from '../../support/report-stage.ts';

const HOUR_MS = 3_600_000;

let stage: ReportStage;
beforeAll(async () => {
  stage = await createReportStage();
});
beforeEach(() => stage.forget());

const issue = (number = 1) => {
  const found = stage.host.issues.find((one) => one.number === number);
  if (found === undefined) throw new Error(`there is no issue ${number}`);
  return found;
};
const openTitles = () =>
  stage.host.issues.filter(({ state, away }) => state === 'open' && !away).map(({ title }) => title);
const plain = (text: string | undefined) => text?.replaceAll('\u200B', '') ?? '';
/** What a check a while later comes to: the same drift, or another. */
const seenAgain = async (dir: string, fingerprint = FINGERPRINT) => {
  stage.wait(HOUR_MS);
  const findings = buildFindings({
    fingerprint,
    resources: [buildDifference({ address: `fake_bucket.${fingerprint}` })],
  });
  const state = drifting({ fingerprint, lastSeenAt: stage.now().toISOString() });
  await stage.set(dir, state, buildStoredFindings({ findings, checkedAt: stage.now().toISOString() }));
};
const gone = (dir: string, ended = 'The drift is gone.') => {
  stage.wait(HOUR_MS);
  const findings = buildFindings({ sync: 'in_sync', resources: [], fingerprint: undefined });
  const state = { ...NO_DRIFT, ended: { at: stage.now().toISOString(), sentence: ended, ignored: false } };
  return stage.set(dir, state, buildStoredFindings({ findings }));
};

describe('one project', () => {
  test('nothing is reported, and the host asked nothing, before drift is confirmed', async () => {
    await stage.begin();
    expect(await stage.report()).toEqual([]);
    await stage.set('prod', drifting({ confirmed: false }));
    expect(await stage.report()).toEqual([]);
  });

  test('its drift is reported with labels, assignees and owners', async () => {
    await stage.begin([{ dir: 'prod', settings: { labels: ['drift', 'x'.repeat(60)], assignees: ['ann', 'bob'] } }]);
    stage.writeFiles({
      '.github/CODEOWNERS': '*.tf @acme/all\n/prod/ @acme/platform\n',
      'prod/main.tf': '',
      'dev/main.tf': '',
    });
    await stage.set('prod');
    expect(await stage.report()).toEqual(['open']);
    expect(issue()).toMatchObject({
      title: 'Drift in prod: 1 changed resource',
      labels: ['drift'],
      assignees: ['ann', 'bob'],
    });
    expect(plain(issue().body)).toContain('| Owners | `@acme/platform` |');
    expect(issue().body).toMatch(/^<!-- holdfast:drift:[\w-]+ -->\n/);
    expect(issue().body.split('\n')[0]).not.toMatch(/prod|github/);
    expect(await stage.record.reports.findIssue(REPOSITORY_ID, 1)).toMatchObject({
      state: 'open',
      projectKey: keyOf('prod'),
    });
  });

  test('while the drift is the same, the host is asked nothing, however often it is seen', async () => {
    await stage.begin();
    await stage.set('prod');
    await stage.report();
    const before = issue().body;
    await seenAgain('prod');
    // Only when it was last seen is another.
    await stage.set('prod', drifting({ lastSeenAt: stage.now().toISOString() }));
    expect(await stage.report()).toEqual([]);
    expect(issue().body).toBe(before);
  });

  test('when the drift is another, its issue is edited in place', async () => {
    await stage.begin();
    await stage.set('prod');
    await stage.report();
    await seenAgain('prod', 'fedcba9876543210');
    expect(await stage.report()).toEqual(['look 1', 'edit 1']);
    expect(issue().body).toContain('`fake_bucket.fedcba9876543210`');
    expect(issue().body).toContain('| Last seen | 2026-11-21');
    expect(issue().comments).toEqual([]);
    expect(await stage.report()).toEqual([]);
  });

  test('it is closed with a sentence when the drift is gone, and reopened with one when it returns', async () => {
    await stage.begin();
    await stage.set('prod');
    await stage.report();
    await gone('prod', 'The drift was put right by @ann.');
    expect(await stage.report()).toEqual(['look 1', 'close 1', 'say 1']);
    expect(issue()).toMatchObject({ state: 'closed', reason: 'completed' });
    expect(plain(issue().comments[0])).toContain('The drift was put right by @ann.');
    expect(issue().comments[0]).not.toContain('@ann');
    expect(await stage.report()).toEqual([]);
    await seenAgain('prod', 'fedcba9876543210');
    expect(await stage.report()).toEqual(['look 1', 'reopen 1', 'say 1']);
    expect(issue()).toMatchObject({ state: 'open' });
    expect(issue().body).toContain('fedcba9876543210');
    expect(issue().comments[1]).toContain('The drift is back.');
    expect(stage.host.issues).toHaveLength(1);
    const counted = await createCounterStore(stage.record.db).read();
    expect(Object.fromEntries(counted.map(({ label, value }) => [label, value]))).toEqual({
      open: 1,
      close: 1,
      reopen: 1,
      comment: 2,
    });
  });

  test('drift that somebody lives with is closed as not planned, with who and why', async () => {
    await stage.begin();
    await stage.set('prod');
    await stage.report();
    await stage.set('prod', drifting({ quiet: 'Acknowledged by @ann: it is known.' }));
    await stage.report();
    expect(issue()).toMatchObject({ state: 'closed', reason: 'not_planned' });
    expect(plain(issue().comments[0])).toContain('Acknowledged by @ann: it is known.');
  });

  test('while drift that comes and goes is waited for, the report keeps what it says', async () => {
    await stage.begin();
    await stage.set('prod');
    await stage.report();
    const nothing = buildFindings({ sync: 'in_sync', resources: [], fingerprint: undefined });
    await stage.set('prod', drifting({ absent: 1 }), buildStoredFindings({ findings: nothing }));
    expect(await stage.report()).toEqual([]);
  });

  test.each([
    ['is not on the branch any more', () => stage.begin(['dev']), 'not on the tracked branch any more'],
    [
      'is checked no more',
      () => stage.begin([{ dir: 'prod', settings: { enabled: false } }]),
      'turned off in the config',
    ],
    [
      'belongs to a repository that is tracked no more',
      () => stage.record.drift.untrack(REPOSITORY_ID),
      'not on the tracked branch',
    ],
  ])('its report is closed when it %s', async (_, end, sentence) => {
    await stage.begin();
    await stage.set('prod');
    await stage.report();
    await end();
    await stage.report();
    expect(issue()).toMatchObject({ state: 'closed', reason: 'not_planned' });
    expect(issue().comments[0]).toContain(sentence);
  });
});

describe('what people do', () => {
  beforeEach(async () => {
    await stage.begin();
    await stage.set('prod');
    await stage.report();
  });

  test.each(['gone', 'moved'] as const)(
    'an issue that is %s is made anew, and only when there is something to say',
    async (away) => {
      stage.host.byPeople(1, { away });
      expect(await stage.report()).toEqual([]);
      await seenAgain('prod', 'fedcba9876543210');
      expect(await stage.report()).toEqual(['look 1', 'open']);
      expect(stage.host.issues).toHaveLength(2);
      expect(await stage.record.reports.findIssue(REPOSITORY_ID, 1)).toBeUndefined();
      expect(await stage.record.reports.findIssue(REPOSITORY_ID, 2)).toMatchObject({ state: 'open' });
      expect(issue(2).body.split('\n')[0]).not.toBe(issue(1).body.split('\n')[0]);
    },
  );

  test('one that goes in the very moment it is edited is made anew', async () => {
    await seenAgain('prod', 'fedcba9876543210');
    const { host } = stage.host;
    const { getIssue } = host;
    host.getIssue = async (...args) => {
      const found = await getIssue(...args);
      stage.host.byPeople(1, { away: 'gone' });
      return found;
    };
    expect(await stage.report()).toEqual(['look 1', 'edit 1', 'open']);
  });

  test('one that was closed is not reopened before a later check sees the drift, told by a webhook or not', async () => {
    stage.wait(HOUR_MS);
    stage.host.byPeople(1, { state: 'closed' });
    await stage.change('prod', { suspension: { by: 'ann', reason: 'x', since: stage.now(), until: undefined } });
    expect(await stage.report()).toEqual(['look 1']);
    expect(issue().state).toBe('closed');
    expect(await stage.report()).toEqual([]);
    await seenAgain('prod');
    expect(await stage.report()).toEqual(['look 1', 'reopen 1', 'say 1']);
    expect(issue().comments[0]).toContain('acknowledge, snooze or ignore it');
  });

  test('one that was locked is edited all the same, and what cannot be said is given up', async () => {
    stage.host.byPeople(1, { locked: true });
    await seenAgain('prod', 'fedcba9876543210');
    expect(await stage.report()).toEqual(['look 1', 'edit 1']);
    await gone('prod');
    expect(await stage.report()).toEqual(['look 1', 'close 1', 'say 1']);
    expect(await stage.report()).toEqual([]);
    expect(issue()).toMatchObject({ state: 'closed', comments: [] });
  });

  test('a text that somebody changed is not believed, and written anew with the next change', async () => {
    stage.host.byPeople(1, { body: 'forged', title: 'forged' });
    expect(await stage.report()).toEqual([]);
    await seenAgain('prod', 'fedcba9876543210');
    await stage.report();
    expect(issue().body).toContain('fedcba9876543210');
    expect(stage.host.issues).toHaveLength(1);
  });

  test('labels and assignees that people changed stay theirs', async () => {
    stage.host.byPeople(1, { labels: ['wontfix'], assignees: ['bob'] });
    await seenAgain('prod', 'fedcba9876543210');
    await stage.report();
    expect(issue()).toMatchObject({ labels: ['wontfix'], assignees: ['bob'] });
  });
});

describe('a host that does not do as it is told', () => {
  beforeEach(async () => {
    await stage.begin(['dev', 'prod']);
    await stage.set('prod');
  });

  test('an issue whose answer was lost is found by its marker and not opened twice', async () => {
    stage.host.faults.push({ call: 'open', kind: 'lost' });
    await expect(stage.report()).rejects.toThrow(RetryLaterError);
    expect(await stage.report()).toEqual(['find', 'look 1', 'edit 1']);
    expect(stage.host.issues).toHaveLength(1);
    expect(await stage.record.reports.findIssue(REPOSITORY_ID, 1)).toMatchObject({ state: 'open' });
    expect(await stage.report()).toEqual([]);
  });

  test('one that was never made is opened then', async () => {
    stage.host.faults.push({ call: 'open', kind: 'unavailable' });
    await expect(stage.report()).rejects.toThrow(RetryLaterError);
    expect(await stage.report()).toEqual(['find', 'open']);
    expect(stage.host.issues).toHaveLength(1);
  });

  test('one that was asked for and is not wanted any more is looked for once', async () => {
    stage.host.faults.push({ call: 'open', kind: 'unavailable' });
    await expect(stage.report()).rejects.toThrow(RetryLaterError);
    await gone('prod');
    expect(await stage.report()).toEqual(['find']);
    expect(await stage.report()).toEqual([]);
  });

  test('what it refuses is given up until something changes, and the rest is reported', async () => {
    await stage.set('dev');
    stage.host.faults.push({ call: 'open', kind: 'refused' });
    expect(await stage.report()).toEqual(['open', 'open']);
    expect(openTitles()).toEqual(['Drift in prod: 1 changed resource']);
    expect((await stage.record.runs.findNeglected()).repositoryIds).toEqual([]);
    expect(await stage.report()).toEqual(['open']);
    expect(stage.host.issues).toHaveLength(2);
  });

  test('while it cannot be asked the job waits, and the sweep leaves it alone', async () => {
    stage.host.faults.push({ call: 'open', kind: 'unavailable' });
    await stage.record.reports.want(REPOSITORY_ID);
    const ended = await reportJob(stage.context(), REPOSITORY_ID).catch((error: unknown) => error);
    expect(ended).toBeInstanceOf(RetryLaterError);
    expect(ended).toMatchObject({ retryAt: new Date(stage.now().getTime() + 60_000) });
    expect((await stage.record.runs.findNeglected()).repositoryIds).toEqual([]);
    await reportJob(stage.context(), REPOSITORY_ID);
    expect(stage.host.issues).toHaveLength(1);
  });

  test('a repository that takes no issues is left in peace', async () => {
    stage.host.switchIssues(false);
    expect(await stage.report()).toEqual(['open']);
    stage.host.switchIssues(true);
    expect(await stage.report()).toEqual(['open']);
    stage.host.byPeople(1, { away: 'disabled' });
    await gone('prod');
    expect(await stage.report()).toEqual(['look 1']);
    expect(stage.logger.entries.map(({ message }) => message)).toContain('the repository takes no issues any more');
  });

  test('a repository that is not served any more is none of our business', async () => {
    const context = stage.context();
    await stage.record.reports.want(REPOSITORY_ID);
    stage.host.asked();
    await reportJob({ ...context, config: { ...context.config, repositories: ['github.com/other/*'] } }, REPOSITORY_ID);
    expect(stage.host.asked()).toEqual([]);
    expect((await stage.record.runs.findNeglected()).repositoryIds).toEqual([]);
  });

  test('what was wanted meanwhile is done next', async () => {
    const { host } = stage.host;
    const { createIssue } = host;
    host.createIssue = async (...args) => {
      await stage.record.reports.want(REPOSITORY_ID);
      return createIssue(...args);
    };
    await stage.report();
    expect(stage.queued).toEqual([`report ${JSON.stringify({ repositoryId: REPOSITORY_ID, when: 'now' })}`]);
  });
});

describe('many projects', () => {
  const DIRS = ['a', 'b', 'c', 'd'];
  const settings = { maxOpenIssues: 2 };
  beforeEach(() => stage.begin(DIRS.map((dir) => ({ dir, settings }))));

  test('beyond the most open issues they share one, until there is room', async () => {
    for (const [at, dir] of DIRS.entries())
      await stage.set(dir, drifting({ firstSeenAt: `2026-11-21T0${at}:00:00.000Z` }));
    await stage.report();
    expect(openTitles()).toEqual([
      'Drift in a: 1 changed resource',
      'Drift in b: 1 changed resource',
      'Drift in 2 more projects',
    ]);
    expect(await stage.report()).toEqual([]);
    await gone('a');
    await stage.report();
    expect(openTitles()).toEqual([
      'Drift in b: 1 changed resource',
      'Drift in 1 more project',
      'Drift in c: 1 changed resource',
    ]);
    for (const dir of ['b', 'c']) await gone(dir);
    await stage.report();
    expect(openTitles()).toEqual(['Drift in d: 1 changed resource']);
    expect(issue(3)).toMatchObject({ state: 'closed', reason: 'completed' });
  });

  test('checks that fail are told of apart from drift, which they neither open nor close', async () => {
    const errors = { since: '2026-11-21T08:00:00.000Z', last: '2026-11-21T10:00:00.000Z', count: 5 };
    await stage.set('a', drifting({}, { errors }));
    await stage.set('b', { ...NO_DRIFT, errors });
    await stage.report();
    expect(openTitles()).toEqual(['Drift in a: 1 changed resource', 'Drift checks of 2 projects fail']);
    expect(issue(1).body).toContain('Checks have failed since 2026-11-21 08:00 UTC');
    await stage.set('a', drifting({}, { errors: { ...errors, last: '2026-11-21T11:00:00.000Z', count: 6 } }));
    expect(await stage.report()).toEqual([]);
    await stage.set('a');
    await stage.set('b', NO_DRIFT);
    await stage.report();
    expect(openTitles()).toEqual(['Drift in a: 1 changed resource']);
    expect(issue(1).body).not.toContain('have failed');
  });

  test('on request one issue lists every project instead, or there is none at all', async () => {
    await stage.set('a');
    await stage.report();
    await stage.begin(DIRS.map((dir) => ({ dir, settings: { report: 'dashboard' } })));
    await stage.report();
    expect(openTitles()).toEqual(['Drift dashboard']);
    expect(issue(1)).toMatchObject({ state: 'closed', reason: 'not_planned' });
    expect(issue(1).comments[0]).toContain('shown on its dashboard now');
    expect(issue(2).body).toContain('| `a` | 🔴 drift | 2026-11-21 08:00 UTC |');
    expect(issue(2).body).toContain('| `b` | ⚪ not checked yet |');
    await seenAgain('a');
    expect(await stage.report()).toEqual([]);
    await stage.change('b', { sync: 'in_sync', lastCheckAt: stage.now() });
    expect(await stage.report()).toEqual(['look 2', 'edit 2']);
    expect(issue(2).body).toContain('| `b` | ✅ in sync |');
    await stage.begin(DIRS.map((dir) => ({ dir, settings: { report: 'none' } })));
    await stage.report();
    expect(openTitles()).toEqual([]);
  });

  test('a dashboard that somebody closed comes back when it has something else to say', async () => {
    await stage.begin(DIRS.map((dir) => ({ dir, settings: { report: 'dashboard' } })));
    await stage.report();
    const known = await stage.record.reports.findIssue(REPOSITORY_ID, 1);
    stage.host.byPeople(1, { state: 'closed' });
    await stage.record.reports.changedByPeople(known?.id ?? '', 'closed', stage.now());
    expect(await stage.report()).toEqual([]);
    await stage.set('a');
    expect(await stage.report()).toEqual(['look 1', 'reopen 1', 'say 1']);
  });
});

describe('answers', () => {
  beforeEach(async () => {
    await stage.begin();
    await stage.set('prod');
    await stage.report();
  });

  const answer = (key: string, some: object = {}) =>
    stage.record.reports.answer({
      key,
      repositoryId: REPOSITORY_ID,
      number: 1,
      view: { kind: 'done', command: 'holdfast drift run', sentence: key },
      reactions: [{ commentId: '5', reaction: 'rocket' }],
      ...some,
    });

  test('are posted once, with a reaction to what they answer', async () => {
    await answer('first');
    expect(await stage.report()).toEqual(['say 1', 'react 5 rocket']);
    expect(issue().comments[0]).toMatch(/^<!-- holdfast:reply:[\w-]+ -->\n✅ `holdfast drift run`: first/);
    expect(await stage.report()).toEqual([]);
  });

  test('one whose answer was lost is found by its marker', async () => {
    await answer('first');
    stage.host.faults.push({ call: 'say', kind: 'lost' });
    await expect(stage.report()).rejects.toThrow(RetryLaterError);
    expect(await stage.report()).toEqual(['find comment', 'react 5 rocket']);
    expect(issue().comments).toHaveLength(1);
  });

  test('one that is refused keeps nothing else from being said', async () => {
    await answer('first');
    await answer('second', { reactions: [] });
    stage.host.faults.push(
      { call: 'say', kind: 'refused', status: 422 },
      { call: 'react', kind: 'refused', status: 404 },
    );
    expect(await stage.report()).toEqual(['say 1', 'say 1', 'react 5 rocket']);
    expect(issue().comments).toHaveLength(1);
    expect(await stage.report()).toEqual([]);
  });

  test('what came of putting drift right is told when it has ended', async () => {
    const started = await stage.record.drift.startRemediation(keyOf('prod'), {
      triggerKey: 'k',
      actor: { id: '1', login: 'ann' },
      commentId: '5',
      order: { fingerprint: FINGERPRINT, destroys: [] },
    });
    const runId = started.kind === 'busy' ? '' : (started.wakeups.runIds[0] ?? '');
    await answer('apply', { view: { kind: 'remediation', runId } });
    expect(await stage.report()).toEqual(['react 5 rocket']);
    const claimed = await stage.record.start();
    await stage.record.drift.finish(
      claimed.lease,
      {
        state: 'failed',
        result: { kind: 'refused', unmet: [{ project: 'prod', what: 'it is locked by #3', next: 'Wait.' }] },
        phases: [],
      },
      () => ({ changes: {}, report: true }),
    );
    expect(await stage.report()).toEqual(['say 1']);
    expect(plain(issue().comments[0])).toContain('`ann` wanted the drift of `prod` put right: **not done**');
    expect(plain(issue().comments[0])).toContain('**it is locked by #3** → Wait.');
  });
});
