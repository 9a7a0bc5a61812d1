import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import sanitizeHtml from 'sanitize-html';
import { describe, expect, test } from 'vitest';
import { diffLines } from '../../../src/pages/diff-lines.ts';
import {
  renderErrorPage,
  renderLocksPage,
  renderLoginPage,
  renderRunPage,
  renderRunsPage,
} from '../../../src/pages/pages.ts';
import type { LockRowView } from '../../../src/pages/view.ts';
import { hostileText } from '../../support/hostile-text.ts';
import { runListItem, runPageView } from '../../support/run-page-view.ts';

const FRAME = { csrfToken: 'csrf-1', sandbox: 'bubblewrap' } as const;
const LOCK: LockRowView = {
  pull: { repository: 'acme/infrastructure', number: 42, url: runListItem().origin.url },
  project: 'envs/prod',
  who: 'alice',
  since: new Date('2026-11-20T10:00:00Z'),
  waiting: [43, 45],
  risk: undefined,
  releaseUrl: '/locks/1/release',
};
const runsPage = (runs = [runListItem()]) =>
  renderRunsPage({ ...FRAME, runs, filters: [], pull: undefined, olderUrl: undefined, newestUrl: undefined });
const locksPage = (lock: Partial<LockRowView> = {}) =>
  renderLocksPage({ ...FRAME, locks: [{ ...LOCK, ...lock }], notice: undefined });

const PAGES: readonly (readonly [string, string])[] = [
  ['runs', runsPage()],
  ['run', renderRunPage(runPageView({ planText: '  + a\n' }))],
  [
    'live run',
    renderRunPage(runPageView({ log: { text: '', cut: true, fullUrl: '/x', eventsUrl: '/runs/r1/events' } })),
  ],
  ['locks', locksPage()],
  ['login', renderLoginPage({ next: '/runs', problem: 'No.' })],
  ['error', renderErrorPage({ status: 404, title: 'Not found', message: 'Nothing is here.' })],
];

describe.each(PAGES)('the %s page', (_, html) => {
  test('has a language, a title, one heading of the first rank and one main landmark', () => {
    expect(html).toContain('<html lang="en">');
    expect(html).toMatch(/<title>\S.* · Holdfast<\/title>/);
    expect(html.match(/<h1/g)).toHaveLength(1);
    expect(html.match(/<main id="main"/g)).toHaveLength(1);
    expect(html).toContain('<a class="skip" href="#main">');
    expect(html).toContain('width=device-width');
  });

  test('needs no inline script or style and nothing from elsewhere', () => {
    expect(html).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?! src="\/static\/)/);
    for (const [, address] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect(address).toMatch(/^(?:\/(?!\/)|#main$|https:\/\/github\.example\/)/);
    }
  });
});

describe('the run page', () => {
  test('tells state, who, why, commit, phases, changes and the log', () => {
    const changes = [
      { address: 'a.b', previousAddress: undefined, type: 'a', action: 'replace', reason: 'replace_because_tainted' },
    ] as const;
    const html = renderRunPage(runPageView({ changes, planText: '  + x\n', reason: 'holdfast plan -d x' }));
    for (const part of [
      '<span class="badge good">succeeded</span>',
      '<dd>alice</dd>',
      '<dd>holdfast plan -d x</dd>',
      '<code title="1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d">1a2b3c4</code>',
      '<th scope="row">init</th><td class="number">1.9 s</td>',
      '<b>replace</b> <code>a.b</code>: it is tainted',
      '<span class="add">  + x</span>',
      'Initializing the backend...\n</code></pre>',
    ])
      expect(html).toContain(part);
  });

  test('follows the log only while the run goes on', () => {
    expect(PAGES[2]?.[1]).toContain('data-events="/runs/r1/events"');
    expect(PAGES[2]?.[1]).toContain('<script src="/static/live-log.js" defer></script>');
    expect(PAGES[1]?.[1]).not.toContain('<script');
  });

  test('names an unknown outcome and a missing sandbox', () => {
    const html = renderRunPage(
      runPageView({ sandbox: 'none', run: runListItem({ operation: 'apply', state: 'interrupted' }) }),
    );
    expect(html).toContain('What it did is <strong>unknown</strong>');
    expect(html).toContain('<strong>not sandboxed</strong>');
  });

  test('no text makes an element or an attribute', () => {
    const tags = (html: string) => html.match(/<[a-z/][^>]*>/gi)?.length;
    const bare = runPageView({ errorText: 'x', explanation: 'x', remarks: ['x'] });
    const expected = tags(renderRunPage(bare));
    fc.assert(
      fc.property(hostileText(), (raw) => {
        const text = `x${raw}`;
        const log = { ...bare.log, text };
        const html = renderRunPage({ ...bare, reason: text, errorText: text, explanation: text, remarks: [text], log });
        expect(tags(html)).toBe(expected);
        expect(html).not.toMatch(/[\u202A-\u202E\u2066-\u2069\u200B]/);
        expect(html).not.toContain('\u001B');
      }),
    );
  }, 30_000);

  test.each(['javascript:alert(1)', '//evil.example', '/\\evil.example', 'data:text/html,x'])(
    '%s is no link',
    (url) => {
      const origin = { ...runListItem().origin, url };
      const pages = [
        runsPage([runListItem({ origin })]),
        renderRunPage(runPageView({ run: runListItem({ origin }) })),
        locksPage({ pull: { ...LOCK.pull, url } }),
      ];
      for (const html of pages) {
        const dirty = sanitizeHtml(html, {
          allowedTags: ['a'],
          allowedAttributes: { a: ['href'] },
          allowedSchemes: false,
          allowProtocolRelative: true,
        });
        expect(dirty).not.toContain('evil');
        expect(html).not.toContain(`href="${url}"`);
      }
      expect(renderLoginPage({ next: url, problem: undefined })).toContain('name="next" value=""');
    },
  );
});

describe('the other pages', () => {
  test('the list tells each run its project, state, changes, who and when', () => {
    const html = runsPage([
      runListItem({ state: 'running', progress: { phase: 'plan', done: 1, total: 4 } }),
      runListItem({ id: 'a/b' }),
    ]);
    expect(html).toContain('<a class="main-link" href="/runs/r1">plan of <b>envs/prod</b></a>');
    expect(html).toContain('href="/runs/a%2Fb"');
    expect(html).toContain('refreshed 1 of 4');
    expect(html).toContain('<time datetime="2026-11-21T13:52:00.000Z">2026-11-21 13:52 UTC</time>');
    expect(runsPage([])).toContain('No runs yet');
  });

  test('a lock is released by a form that is bound to the session and named for those who do not see it', () => {
    const html = locksPage({ risk: 'An apply is running.' });
    expect(html).toContain(
      '<form method="post" action="/locks/1/release">\n<input type="hidden" name="csrf" value="csrf-1">',
    );
    expect(html).toContain('aria-label="Release the lock of envs/prod held by acme/infrastructure#42"');
    expect(html).toContain('waiting: #43, #45');
    expect(html).toContain('An apply is running.');
  });

  test('the login says what is wrong and keeps where it leads', () => {
    const html = renderLoginPage({ next: '/runs/r1', problem: 'That is not the token.' });
    expect(html).toContain('<p class="band bad" role="alert" id="problem">That is not the token.</p>');
    expect(html).toContain('name="next" value="/runs/r1"');
    expect(html).toContain('<label for="token">');
    expect(html).not.toContain('action="/logout"');
  });
});

test('lines of a plan get their tone from the marker', () => {
  const tones = diffLines('# a\n  + b\n  - c\n  ~ d\n-/+ e\n+/- f\n  <= g\n\n').map(({ tone }) => tone);
  expect(tones).toEqual(['note', 'add', 'remove', 'change', 'replace', 'replace', undefined]);
});

/** WCAG 2.2, relative luminance and contrast ratio. */
function contrast(a: string, b: string): number {
  const luminance = (hex: string) => {
    const wide = hex.length === 4 ? hex.replace(/[\da-f]/gi, '$&$&') : hex;
    const parts = [1, 3, 5].map((at) => Number.parseInt(wide.slice(at, at + 2), 16) / 255);
    const [r = 0, g = 0, blue = 0] = parts.map((part) =>
      part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * r + 0.7152 * g + 0.0722 * blue;
  };
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

describe('colours', () => {
  const css = readFileSync(new URL('../../../src/pages/static/style.css', import.meta.url), 'utf8');
  const modes = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, body = '']) =>
    Object.fromEntries([...body.matchAll(/--([\w-]+): (#[\da-f]+)/g)].map(([, name, value]) => [name, value])),
  );
  const pairs = [
    'text/page',
    'text/raised',
    'faint/page',
    'link/page',
    'link/raised',
    'good/page',
    'good/raised',
    'good/good-back',
    'bad/page',
    'bad/raised',
    'bad/bad-back',
    'text/bad-back',
    'text/good-back',
    'wait/wait-back',
    'change/raised',
    'text/calm-back',
    'link/calm-back',
    'change/page',
    'good/calm-back',
    'bad/calm-back',
    'change/calm-back',
    'faint/bad-back',
    'link/bad-back',
    'faint/raised',
  ];

  test.each(pairs)('%s can be read in light and dark', (pair) => {
    const [front = '', back = ''] = pair.split('/');
    expect(modes).toHaveLength(2);
    for (const mode of modes) expect(contrast(mode[front] ?? '', mode[back] ?? '')).toBeGreaterThanOrEqual(4.5);
  });
});
