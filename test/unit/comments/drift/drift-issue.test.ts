import fc from 'fast-check';
import { marked, type Token, type Tokens } from 'marked';
import { describe, expect, test } from 'vitest';
import { driftMarker, renderDriftIssue } from '../../../../src/comments/drift/drift-issue.ts';
import type { DriftIssueView } from '../../../../src/comments/drift/drift-view.ts';
import type { AttributeDifference, DifferenceKind, ResourceDifference } from '../../../../src/core/drift/drift.ts';
import { buildDifference } from '../../../support/drift-builders.ts';
import { driftIssueView } from '../../../support/drift-views.ts';
import { hostileText } from '../../../support/hostile-text.ts';

const LIMITS = { title: 256, body: 60_000 };
const body = (some: Partial<DriftIssueView>) => renderDriftIssue(driftIssueView(some), LIMITS).body;
const attribute = (some: Partial<AttributeDifference> = {}): AttributeDifference => {
  const [first] = buildDifference().attributes;
  if (first === undefined) throw new Error('it has one');
  return { ...first, ...some };
};
const found = (...resources: readonly Partial<ResourceDifference>[]) => ({
  findings: { resources: resources.map((some) => buildDifference(some)), outputs: [] },
});
const GONE = attribute({ path: '', applied: undefined, live: undefined, wanted: undefined });
const MISSING = { address: 'fake_disk.a', missing: true, action: 'create', attributes: [GONE] } as const;

describe('the report of a drift', () => {
  test('starts with the hidden marker', () => {
    expect(body({}).startsWith('<!-- holdfast:drift:i-1 -->\n')).toBe(true);
    expect(() => driftMarker('x --> <script>')).toThrow('not an id');
  });

  test('is named after the project and how much drifts', () => {
    const title = (some: Partial<DriftIssueView>) => renderDriftIssue(driftIssueView(some), LIMITS).title;
    expect(title({})).toBe('Drift in prod: 1 changed resource');
    expect(title(found(MISSING))).toBe('Drift in prod: 1 missing');
    expect(title(found({}, { address: 'b.c' }, MISSING))).toBe('Drift in prod: 2 changed resources, 1 missing');
    const hostile = renderDriftIssue(driftIssueView({ title: '@octocat\n#12 x'.repeat(30) }), LIMITS).title;
    expect(hostile).toHaveLength(256);
    expect(hostile).not.toMatch(/\n|@octocat|#12/);
  });

  test('shows each attribute as it was applied, is now, and should be', () => {
    expect(body({})).toContain('| `fake_bucket.logs` | `tags.owner` | drift | `"ann"` | `"eve"` | `"ann"` |');
  });

  test('shows what is not there, not known or gone in words', () => {
    const attributes = [attribute({ applied: undefined, wanted: undefined, unknown: true, kind: 'conflict' })];
    const text = body(found({ kind: 'conflict', attributes }, MISSING));
    expect(text).toContain(
      '| `fake_bucket.logs` | `tags.owner` | conflict | not set | `"eve"` | known after the apply |',
    );
    expect(text).toContain('| `fake_disk.a` | *all of it* | missing | there | **gone** | there |');
    expect(text).toContain('A *conflict* is more than drift');
    expect(body({})).not.toContain('*conflict*');
  });

  test('never shows what is sensitive', () => {
    const sensitive = '(sensitive value)';
    const text = body(
      found({ attributes: [attribute({ sensitive: true, applied: sensitive, live: sensitive, wanted: sensitive })] }),
    );
    expect(text).toContain('| drift | `(sensitive value)` | `(sensitive value)` | `(sensitive value)` |');
  });

  test('warns by address of what would be lost', () => {
    const text = body(
      found({ action: 'replace', destructive: true, reason: 'replace_because_cannot_update' }, { address: 'b.c' }),
    );
    expect(text).toContain('> **Putting it right would delete and make anew 1 resource.**');
    expect(text).toContain('> - **delete and make anew** `fake_bucket.logs`: it cannot be updated in place');
    expect(body({})).not.toContain('CAUTION');
  });

  test('tells what stands beside the drift without its values, which may be others each time', () => {
    const pending = attribute({ path: 'size', kind: 'pending', wanted: '"big"' });
    const text = body({
      findings: {
        resources: [
          buildDifference({ attributes: [attribute(), pending] }),
          buildDifference({ address: 'a.external', kind: 'external', attributes: [attribute({ kind: 'external' })] }),
          buildDifference({ address: 'a.noise', kind: 'state_only', attributes: [attribute({ kind: 'state_only' })] }),
        ],
        outputs: [
          {
            name: 'url',
            kind: 'pending',
            applied: '"a"',
            live: undefined,
            wanted: '"b"',
            unknown: false,
            sensitive: false,
          },
        ],
      },
    });
    expect(text).toContain('<summary>Beside the drift: 3 other differences</summary>');
    expect(text).toContain('- `fake_bucket.logs size`: merged and not applied yet');
    expect(text).toContain('- `a.external`: changed by what the code reads');
    expect(text).toContain('- `output.url`: merged and not applied yet');
    expect(text).not.toMatch(/a\.noise|"big"/);
    expect(text).toContain('it is refused while it would bring along what stands beside the drift');
    expect(body({})).not.toContain('Beside');
  });

  test('tells who owns it, when it was applied last, and what it is known by', () => {
    const text = body({
      owners: ['@acme/platform', '@bob'],
      lastApply: {
        at: new Date('2026-11-20T07:00:00Z'),
        sha: 'abcdef0123456789',
        pull: { pullNumber: 12, url: 'https://h.example/12' },
      },
    });
    expect(text).toContain('| First seen | 2026-11-21 08:00 UTC |');
    expect(text).toContain('| Last apply | 2026-11-20 07:00 UTC at commit `abcdef0` by [#12](https://h.example/12) |');
    expect(text.replaceAll('\u200B', '')).toContain('| Owners | `@acme/platform`, `@bob` |');
    expect(text).toContain('| Fingerprint | `0123456789abcdef` |');
    expect(text).not.toContain('Last seen');
    expect(body({})).toContain('| Last apply | not on record |');
    const remedied = body({
      lastApply: { at: new Date('2026-11-20T07:00:00Z'), sha: 'abcdef0123456789', pull: undefined },
    });
    expect(remedied).toContain('at commit `abcdef0`, by a command on a drift report |');
  });

  test('only when it was last seen changes by itself, and that can be left out', () => {
    const lastSeen = (time: string) => ({ at: new Date(time), sha: 'abcdef0123' });
    const first = body({ lastSeen: lastSeen('2026-11-21T09:00:00Z') });
    expect(first).toContain('| Last seen | 2026-11-21 09:00 UTC at commit `abcdef0`');
    const lines = (text: string) => text.split('\n').filter((line) => !line.startsWith('| Last seen'));
    expect(lines(first)).toEqual(lines(body({})));
  });

  test('says when what it says may be old, or is waited for', () => {
    const text = body({
      failingSince: new Date('2026-11-21T09:30:00Z'),
      isFlapping: true,
      suspension: { by: 'ann', reason: 'moving @house', since: new Date('2026-11-21T09:00:00Z'), until: undefined },
      ignored: 3,
    });
    expect(text).toContain('Checks have failed since 2026-11-21 09:30 UTC');
    expect(text).toContain('It comes and goes');
    expect(text.replaceAll('\u200B', '')).toContain('suspended by `ann` since 2026-11-21 09:00 UTC: moving @house');
    expect(text).toContain('Not shown: 3 differences that rules ignore');
    expect(body({})).not.toMatch(/failed since|comes and goes|suspended by|Not shown/);
  });

  test('is cut when there is too much, and says how much is missing', () => {
    const many = Array.from({ length: 3_000 }, (_, at) => buildDifference({ address: `fake_bucket.number_${at}` }));
    const text = body({ findings: { resources: many, outputs: [] } });
    expect(text.length).toBeLessThanOrEqual(LIMITS.body);
    const rows = text.split('\n').filter((line) => line.startsWith('| `fake_bucket.')).length;
    expect(rows).toBeGreaterThan(20);
    expect(text).toContain(`${(3_000 - rows).toLocaleString('en-US')} more attributes not listed here`);
    expect(text).toContain('**3,000 changed resources**');
    const cut = body(found({ attributesLeftOut: 7 }));
    expect(cut).toContain('7 more attributes not listed here');
  });
});

describe('what each command would do', () => {
  const commands = (some: Partial<DriftIssueView>) =>
    [...body(some).matchAll(/^- `(holdfast [^`]+)`: (.*)$/gm)].map(
      ([, command, purpose]) => [command, purpose] as const,
    );
  const applied = (some: Partial<DriftIssueView>) =>
    commands(some).find(([command]) => command?.startsWith('holdfast apply'));

  test('apply: by what it changes, makes and deletes', () => {
    expect(applied({})?.[1]).toContain(': changes 1 resource back');
    expect(applied({})?.[1]).not.toContain('refused');
    const all = found({}, { address: 'b.c' }, MISSING, { address: 'd.e', action: 'replace', destructive: true });
    const [command, purpose] = applied(all) ?? [];
    expect(purpose).toContain('changes 2 resources back, makes 1 resource again, deletes 1 resource and makes it anew');
    expect(command).toBe('holdfast apply --allow-destroy d.e');
  });

  test('an address that cannot be typed as it is shown is left to be looked up', () => {
    const hostile = found({ address: 'a.b["@octocat"]', action: 'delete', destructive: true });
    expect(applied(hostile)?.[0]).toBe('holdfast apply --allow-destroy ADDRESS ...');
  });

  test('the second person is asked for where one is needed', () => {
    expect(commands({ remediation: 'approved' }).map(([command]) => command)).toContain(
      'holdfast approve 0123456789abcdef',
    );
    expect(commands({}).map(([command]) => command)).toEqual([
      'holdfast apply',
      'holdfast drift run',
      'holdfast drift ack REASON',
      'holdfast drift snooze 7d',
      'holdfast drift ignore ADDRESS REASON --for 30d',
      'holdfast drift suspend REASON --for 7d',
      'holdfast drift help',
    ]);
  });

  test('nothing is put right where the mode is off', () => {
    expect(applied({ remediation: 'off' })).toBeUndefined();
    expect(body({ remediation: 'off' })).toContain('`drift.mode` is `off`');
  });

  test('what is suspended can be resumed', () => {
    const suspension = { by: 'ann', reason: 'x', since: new Date(0), until: undefined };
    const names = commands({ suspension }).map(([command]) => command);
    expect(names).toContain('holdfast drift resume');
    expect(names.join()).not.toContain('suspend');
  });
});

/** Every token of the text, nested ones included. */
function allTokens(markdown: string): Token[] {
  const tokens: Token[] = [];
  void marked.walkTokens(marked.lexer(markdown), (token) => void tokens.push(token));
  return tokens;
}

describe('whatever is put in', () => {
  const kind = fc.constantFrom<DifferenceKind>('drift', 'conflict', 'pending', 'external', 'state_only');
  const value = fc.option(hostileText(8), { nil: undefined });
  const hostileAttribute = fc
    .record({ path: hostileText(4), kind, applied: value, live: value, wanted: value, unknown: fc.boolean() })
    .map((some) => attribute(some));
  const hostileResource = fc
    .record({
      address: hostileText(6),
      kind,
      missing: fc.boolean(),
      destructive: fc.boolean(),
      reason: fc.option(hostileText(3), { nil: undefined }),
      action: fc.constantFrom('update', 'create', 'replace', 'delete'),
      attributes: fc.array(hostileAttribute, { maxLength: 6 }),
    })
    .map((some) => buildDifference(some));
  const hostileView = fc.record({
    title: hostileText(5),
    branch: hostileText(3),
    findings: fc.record({ resources: fc.array(hostileResource, { maxLength: 30 }), outputs: fc.constant([]) }),
    owners: fc.array(hostileText(2), { maxLength: 5 }),
    suspension: fc.option(
      hostileText(5).map((text) => ({ by: text, reason: text, since: new Date(0), until: undefined })),
      { nil: undefined },
    ),
    remediation: fc.constantFrom('off', 'alone', 'approved'),
  });

  test('the report is sound and within its limit', () => {
    fc.assert(
      fc.property(hostileView, fc.integer({ min: 2_000, max: 30_000 }), (view, limit) => {
        const issue = renderDriftIssue(driftIssueView(view), { title: 256, body: limit });
        expect(issue.body.length).toBeLessThanOrEqual(limit);
        expect(issue.title.length).toBeLessThanOrEqual(256);
        const tokens = allTokens(issue.body);
        for (const token of tokens) {
          if (token.type === 'html')
            expect(token.raw).toMatch(/^<!-- holdfast:drift:i-1 -->\n?$|^<\/?(?:details|summary)>/);
          expect(['image', 'code']).not.toContain(token.type);
          if (token.type === 'link') expect((token as Tokens.Link).href).toMatch(/^https:\/\/holdfast\.example\//);
        }
        expect(issue.body).not.toMatch(/@[\p{L}\p{N}_-]|(?<!\[|&)#\d|(?<![A-Z0-9])gh-\d/iu);
        for (const table of tokens.filter(({ type }) => type === 'table') as Tokens.Table[])
          for (const row of table.rows) expect(row).toHaveLength(table.header.length);
      }),
      { numRuns: 200 },
    );
  });
});
