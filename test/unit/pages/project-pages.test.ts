import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderNotificationsPage, renderProjectPage, renderProjectsPage } from '../../../src/pages/project-pages.ts';
import type { NotificationsPageView } from '../../../src/pages/project-view.ts';
import { renderRunPage } from '../../../src/pages/pages.ts';
import { hostileText } from '../../support/hostile-text.ts';
import {
  notificationView,
  projectPageView,
  projectRow,
  projectsPageView,
  resourceView,
  when,
} from '../../support/project-page-view.ts';
import { runListItem, runPageView } from '../../support/run-page-view.ts';

const text = (page: string): string => page.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
const notificationsPage = (some: Partial<NotificationsPageView> = {}) =>
  renderNotificationsPage({
    csrfToken: 'csrf-1',
    sandbox: 'bubblewrap',
    filters: [{ state: undefined, text: 'all', count: 1, url: '/notifications', current: true }],
    notifications: [notificationView()],
    hasReceivers: true,
    olderUrl: undefined,
    newestUrl: undefined,
    ...some,
  });

const SUSPENDED = { runUrl: undefined, suspendUrl: undefined, resumeUrl: '/projects/resume?project=x' };

const PAGES: readonly (readonly [string, string])[] = [
  ['projects', renderProjectsPage(projectsPageView())],
  ['project', renderProjectPage(projectPageView())],
  [
    'suspended project',
    renderProjectPage(projectPageView({ findings: undefined, drift: undefined, actions: SUSPENDED })),
  ],
  ['notifications', notificationsPage()],
];

describe.each(PAGES)('the %s page', (_, html) => {
  test('has a language, a title, one heading of the first rank and one main landmark', () => {
    expect(html).toContain('<html lang="en">');
    expect(html).toMatch(/<title>\S.* · Holdfast<\/title>/);
    expect(html.match(/<h1/g)).toHaveLength(1);
    expect(html.match(/<main id="main"/g)).toHaveLength(1);
    expect(html).toContain('<a href="/projects"');
  });

  test('needs no inline script or style and nothing from elsewhere', () => {
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script/);
    for (const [, address] of html.matchAll(/(?:src|href|action)="([^"]*)"/g)) {
      expect(address).toMatch(/^(?:\/(?!\/)|#main$|\?|https:\/\/github\.example\/)/);
    }
  });

  test('has a label on everything that is filled in, and ids that are there once', () => {
    const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of html.matchAll(/<(?:input|select) (?!type="hidden")[^>]*id="([^"]+)"/g))
      expect(html).toContain(`<label for="${id}">`);
    for (const [, id] of html.matchAll(/aria-labelledby="([^"]+)"/g)) expect(ids).toContain(id);
  });
});

describe('the list of projects', () => {
  test('has two badges that say what they are about, times, the report and the reason of a skip', () => {
    const row = projectRow({ health: 'overdue', notes: ['Not checked for 3 hours: It is locked by #7 (ann).'] });
    const [group] = projectsPageView().groups;
    if (group === undefined) throw new Error('no group');
    const html = renderProjectsPage(projectsPageView({ groups: [{ ...group, projects: [row] }] }));
    expect(html).toMatch(/<span class="badge bad" title="[^"]+"><span class="unseen">State: <\/span>drift<\/span>/);
    expect(html).toMatch(/<span class="badge bad" title="[^"]+"><span class="unseen">Checks: <\/span>overdue<\/span>/);
    expect(html).toContain('<time datetime="2026-11-21T13:52:00.000Z" title="2026-11-21 13:52 UTC">2 hours ago</time>');
    for (const part of ['checked 2 hours ago', 'next in 4 hours', 'drift first seen 3 days ago', 'report #12', 'by #7'])
      expect(text(html)).toContain(part);
    expect(html).toContain('href="/projects/github.com%2F42%2Fprod%2Fdefault"');
  });

  test('says of one that is at work where that is seen, and of a new one that nothing is known', () => {
    const some = { standing: 'never', health: 'never_checked', lastSuccess: undefined, driftSince: undefined } as const;
    const row = projectRow({ ...some, issue: undefined, runUrl: '/runs/r9' });
    const [group] = projectsPageView().groups;
    if (group === undefined) throw new Error('no group');
    const html = renderProjectsPage(projectsPageView({ groups: [{ ...group, projects: [row] }] }));
    expect(html).toContain('<a href="/runs/r9">at work</a>');
    expect(text(html)).toContain('not checked yet');
    expect(text(html)).toContain('State: not known');
  });

  test('marks the chosen filter, names branches that cannot be read, and says when there is nothing', () => {
    const problem = {
      repository: { label: 'acme/infrastructure', url: 'javascript:alert(1)' },
      branch: 'main',
      sentence: 'The config has an error.',
      since: when('2 hours ago'),
    };
    const html = renderProjectsPage(
      projectsPageView({ problems: [problem], groups: [], nextUrl: '/projects?after=x' }),
    );
    expect(html).toContain('<a class="chip" href="/projects" aria-current="true">all <b>3</b></a>');
    expect(html).toContain('<a class="chip bad" href="/projects?state&#x3D;drift">drift <b>1</b></a>');
    expect(text(html)).toContain('the branch main cannot be read, first 2 hours ago . The config has an error.');
    expect(html).not.toContain('javascript:');
    expect(text(html)).toContain('No projects.');
    expect(html).toContain('href="/projects?after&#x3D;x"');
  });
});

describe('the page of a project', () => {
  test('shows what differs, with its values, and folds what is no drift', () => {
    const resources = [
      resourceView({
        missing: true,
        effect: 'an apply makes it again',
        attributes: [
          { path: '', kind: 'drift', applied: undefined, live: undefined, wanted: undefined, unknown: true },
        ],
        attributesLeftOut: 2,
      }),
      resourceView({
        address: 'fake_disk.b',
        kind: 'conflict',
        destructive: true,
        attributes: [
          { path: 'id', kind: 'conflict', applied: undefined, live: '"x"', wanted: undefined, unknown: true },
        ],
      }),
      resourceView({ address: 'fake_disk.a["<i>"]', kind: 'state_only' }),
    ];
    const { findings } = projectPageView();
    if (findings === undefined) throw new Error('no findings');
    const html = renderProjectPage(
      projectPageView({
        findings: {
          ...findings,
          resources,
          resourcesLeftOut: 7,
          complete: false,
          outputs: [{ name: 'url', kind: 'external', applied: '"a"', wanted: '"b"', unknown: false }],
          failedChecks: ['check.size failed: too small'],
          ignored: ['fake_disk.c tags'],
          ignoredLeftOut: 1,
        },
      }),
    );
    expect(html.match(/<details class="resource" open>/g)).toHaveLength(2);
    expect(html).toContain('<code>fake_disk.a[&quot;&lt;i&gt;&quot;]</code>');
    const shown = text(html);
    for (const part of [
      'fake_bucket.logs missing',
      'all of it drift gone from what runs; an apply makes it again',
      '2 attributes more.',
      'fake_disk.b destructive',
      'id conflict not set &quot;x&quot; known after the apply',
      'tags.owner drift &quot;ann&quot; &quot;eve&quot; &quot;ann&quot;',
      '7 resources more, not shown.',
      'The plan leaves something out',
      'check.size failed: too small',
      'url external &quot;a&quot; &quot;b&quot;',
      'fake_disk.c tags',
      'and 1 attribute more',
      'changed by what the code reads',
    ])
      expect(shown).toContain(part);
  });

  test('tells of the drift, of what silences it, and of checks that fail', () => {
    const { drift } = projectPageView();
    if (drift === undefined) throw new Error('no drift');
    const shown = text(
      renderProjectPage(
        projectPageView({
          drift: { ...drift, confirmed: false, sightings: 1, quiet: 'Snoozed by @ann.', flapping: true },
          errors: { count: 3, since: when('5 hours ago'), last: when('1 hour ago') },
          branchProblem: 'The branch is gone.',
          rules: [
            {
              kind: 'ignore',
              subject: 'a.* tags',
              who: 'team',
              reason: 'why',
              ends: when('in 3 days'),
              expired: false,
            },
            { kind: 'snooze', subject: 'f00d', who: 'ann', reason: undefined, ends: when('1 day ago'), expired: true },
            { kind: 'acknowledge', subject: 'f00d', who: 'ann', reason: 'ours', ends: undefined, expired: false },
          ],
        }),
      ),
    );
    for (const part of [
      'Seen in a row 1 time, to be confirmed',
      'Fingerprint 0123456789abcdef',
      'Snoozed by @ann.',
      'It comes and goes',
      '3 checks failed in a row, the first 5 hours ago , the last 1 hour ago',
      'The branch is gone.',
      'ignored a.* tags team ends in 3 days why',
      'snoozed f00d ann ended 1 day ago',
      'acknowledged f00d ann until the drift changes ours',
      'drift check of envs/prod',
      'drift in 1 resource',
    ])
      expect(shown).toContain(part);
  });

  test('offers what can be done, each in a form of the session', () => {
    const html = renderProjectPage(projectPageView());
    const forms = [
      ...html.matchAll(/<form method="post" action="([^"]+)"[^>]*>\n<input type="hidden" name="csrf" value="csrf-1">/g),
    ];
    expect(forms.map(([, action]) => action)).toEqual([
      '/logout',
      '/projects/run?project&#x3D;x',
      '/projects/suspend?project&#x3D;x',
    ]);
    expect(html).toContain('name="reason" type="text" required maxlength="500"');
    expect(PAGES[2]?.[1]).toContain('Resume its checks');
    expect(PAGES[2]?.[1]).not.toContain('Check now');
    const gone = { runUrl: undefined, suspendUrl: undefined, resumeUrl: undefined };
    expect(renderProjectPage(projectPageView({ actions: gone }))).not.toContain('What can be done here');
  });

  test('says how the last drift ended, and what cannot be read any more', () => {
    const ended = { at: when('1 day ago'), sentence: 'The drift was put right by @ann.' };
    const some = { drift: undefined, ended, findings: undefined, unreadable: true, history: [] };
    const shown = text(renderProjectPage(projectPageView(some)));
    expect(shown).toContain('Its last drift came to an end 1 day ago . The drift was put right by @ann.');
    expect(shown).toContain('cannot be read any more');
    expect(shown).toContain('No check, remediation or apply is on record.');
  });

  test('no text makes an element or an attribute', () => {
    const tags = (html: string) => html.match(/<[a-z/][^>]*>/gi)?.length;
    const render = (hostile: string) => {
      const { findings, drift } = projectPageView();
      if (findings === undefined || drift === undefined) throw new Error('nothing to fill');
      const attribute = {
        path: hostile,
        kind: 'drift',
        applied: hostile,
        live: hostile,
        wanted: hostile,
        unknown: false,
      };
      return renderProjectPage(
        projectPageView({
          row: projectRow({ title: hostile, notes: [hostile] }),
          branch: hostile,
          drift: { ...drift, quiet: hostile },
          findings: {
            ...findings,
            resources: [resourceView({ address: hostile, attributes: [{ ...attribute, kind: 'drift' }] })],
            failedChecks: [hostile],
            ignored: [hostile],
          },
          rules: [{ kind: 'ignore', subject: hostile, who: hostile, reason: hostile, ends: undefined, expired: false }],
          facts: [{ name: 'x', text: hostile }],
        }),
      );
    };
    const expected = tags(render('x'));
    fc.assert(
      fc.property(hostileText(), (raw) => {
        const html = render(`x${raw}`);
        expect(tags(html)).toBe(expected);
        expect(html).not.toMatch(/[\u202A-\u202E\u2066-\u2069\u200B]/);
      }),
    );
  }, 30_000);
});

describe('the log of notifications', () => {
  test('says who was told what of which project, and what went wrong', () => {
    const waiting = notificationView({
      state: 'wanted',
      sent: undefined,
      next: when('in 5 minutes'),
      attempts: 2,
      error: 'It answered 500',
    });
    const html = notificationsPage({ notifications: [notificationView(), waiting] });
    expect(html).toContain('<span class="badge good">arrived</span>');
    expect(html).toContain('<span class="badge wait">waiting</span>');
    for (const part of [
      'to ops',
      'arrived 2 hours ago',
      'tried in 5 minutes',
      '2 attempts',
      'The last attempt: It answered 500',
    ])
      expect(text(html)).toContain(part);
  });

  test('tells apart that nothing was told yet and that nobody is to be told', () => {
    expect(text(notificationsPage({ notifications: [] }))).toContain('Nothing yet.');
    expect(text(notificationsPage({ notifications: [], hasReceivers: false }))).toContain('Nobody outside is told');
  });
});

describe('a run on the tracked branch', () => {
  test('is called what it is, leads to its project, and says what was to be put right', () => {
    const html = renderRunPage(
      runPageView({
        run: runListItem({ operation: 'remediation', state: 'interrupted', outcome: 'outcome unknown' }),
        projectUrl: '/projects/x',
        order: { fingerprint: 'f00d', destroys: ['a.b', 'c.d'] },
      }),
    );
    expect(html).toContain('<h1>remediation of envs/prod</h1>');
    expect(html).toContain('<a href="/projects/x">');
    expect(text(html)).toContain('Was to put right f00d');
    expect(text(html)).toContain('May delete for it a.b c.d');
    expect(text(html)).toContain('a drift check tells what is left to do.');
    expect(text(html)).not.toContain('the lock stays');
  });
});
