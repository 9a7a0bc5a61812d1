import fc from 'fast-check';
import { marked, type Token, type Tokens } from 'marked';
import { describe, expect, test } from 'vitest';
import { planMarker, renderPlanComment } from '../../../src/comments/plan-comment.ts';
import type { PlanCommentView, ProjectRowView, ProjectStateView } from '../../../src/comments/view.ts';
import { hostileText } from '../../support/hostile-text.ts';
import { counts, planCommentView, projectRow } from '../../support/plan-comment-view.ts';

const render = (some: Partial<PlanCommentView>, limit = 60_000) => renderPlanComment(planCommentView(some), { limit });
const lock = {
  pullNumber: 12,
  url: 'https://h.example/o/r/pull/12',
  who: 'alice',
  since: new Date('2026-11-20T10:00:00Z'),
};

describe('the summary', () => {
  test('starts with the hidden marker', () => {
    expect(render({}).startsWith('<!-- holdfast:plan:p-1 -->\n')).toBe(true);
    expect(() => planMarker('x --> <script>')).toThrow('not an id');
  });

  test('tells each project its result, changes, replaces, time and page', () => {
    const plan = {
      counts: counts({ add: 2, change: 1, destroy: 3, replace: 1, import: 1 }),
      changes: [],
      drifted: [],
      checks: [],
    };
    expect(render({ projects: [projectRow({ plan, durationMs: 65_000 })] })).toContain(
      '| `envs/staging` | ✅ planned | +2 ~1 -3, 1 import | 1 | 1 min 5 s | [details](https://holdfast.example/runs/r1) |',
    );
  });

  const states: [ProjectStateView, string][] = [
    [{ kind: 'queued', operation: 'plan', position: 3 }, 'queued, number 3 in line'],
    [{ kind: 'queued', operation: 'plan', position: undefined }, 'queued'],
    [
      { kind: 'running', operation: 'plan', progress: { phase: 'plan', done: 12, total: 40 } },
      'refreshed 12 of 40 ▰▰▰▱▱▱▱▱▱▱',
    ],
    [
      { kind: 'running', operation: 'apply', progress: { phase: 'apply', done: 9, total: 9 } },
      'applied 9 of 9 ▰▰▰▰▰▰▰▰▰▰',
    ],
    [{ kind: 'running', operation: 'plan', progress: { phase: 'init', done: 0, total: undefined } }, 'initialising'],
    [{ kind: 'running', operation: 'plan', progress: { phase: 'plan', done: 4, total: undefined } }, 'refreshed 4'],
    [{ kind: 'planned' }, 'planned'],
    [{ kind: 'plan_only' }, 'planned, never applied here'],
    [{ kind: 'no_changes' }, 'no changes'],
    [{ kind: 'applied' }, 'applied'],
    [{ kind: 'failed', operation: 'plan' }, 'plan failed'],
    [{ kind: 'failed', operation: 'apply' }, 'apply failed'],
    [{ kind: 'cancelled', operation: 'apply' }, 'apply cancelled'],
    [{ kind: 'interrupted' }, 'apply interrupted, outcome unknown'],
    [{ kind: 'outdated', reason: 'x' }, 'plan outdated'],
    [{ kind: 'discarded' }, 'plan given up'],
  ];
  test.each(states)('shows %j', (state, words) => {
    const row = render({ projects: [projectRow({ state })] })
      .split('\n')
      .find((line) => line.startsWith('| `envs/staging`'));
    expect(row?.split('|')[2]?.trim().replace(/^\S+ /u, '')).toBe(words);
  });

  test('spells out by address what would be destroyed, replaced or forgotten, unfolded and before the plans', () => {
    const changes = (['delete', 'replace', 'forget', 'update'] as const).map((action) => ({
      address: `fake_db.${action}`,
      previousAddress: undefined,
      type: 'fake_db',
      action,
      reason: action === 'replace' ? 'replace_because_tainted' : undefined,
    }));
    const body = render({
      projects: [projectRow({ plan: { counts: counts({ destroy: 2 }), changes, drifted: [], checks: [] } })],
    });
    expect(body).toContain('> **Applying this would destroy 1 resource, replace 1 resource, forget 1 resource.**');
    expect(body).toContain(
      '> - **destroy** `fake_db.delete`\n> - **replace** `fake_db.replace`: it is tainted\n> - **forget** `fake_db.forget`',
    );
    expect(body).not.toContain('fake_db.update');
    expect(body.indexOf('**destroy**')).toBeLessThan(body.indexOf('<details'));
  });

  test('does not warn of destroys that have been applied already', () => {
    const changes = [
      { address: 'a.b', previousAddress: undefined, type: 'a', action: 'delete', reason: undefined },
    ] as const;
    const plan = { counts: counts({ destroy: 1 }), changes, drifted: [], checks: [] };
    expect(render({ projects: [projectRow({ plan, state: { kind: 'applied' } })] })).not.toContain('CAUTION');
  });

  test('says at the top which projects drifted before', () => {
    const since = new Date('2026-11-20T08:00:00Z');
    const drifting = [
      { title: 'prod', since, issue: { pullNumber: 5, url: 'https://h.example/5' } },
      { title: 'dev', since, issue: undefined },
    ];
    const body = render({ drifting });
    expect(body).toContain(
      '> - `prod` since 2026-11-20 08:00 UTC: [#5](https://h.example/5)\n> - `dev` since 2026-11-20 08:00 UTC\n',
    );
    expect(body.indexOf('2 projects drifted before this pull request')).toBeLessThan(body.indexOf('| Project |'));
    expect(render({})).not.toContain('drifted before');
  });

  test('says who holds the lock and what would be undone', () => {
    const body = render({
      projects: [projectRow({ lock, wouldUndo: { pullNumber: 11, url: 'https://h.example/11' } })],
    });
    expect(body).toContain(
      '**cannot be applied yet**: locked by [#12](https://h.example/o/r/pull/12) (alice, since 2026-11-20 10:00 UTC)',
    );
    expect(body).toContain('**would undo** [#11](https://h.example/11)');
    expect(body).not.toContain('`holdfast apply`');
  });

  test('tells of warnings, problems, deleted folders, requirements and the missing sandbox', () => {
    const body = render({
      projects: [
        projectRow({
          diagnostics: [
            { severity: 'warning', summary: 'Old argument', detail: '', address: undefined, location: 'main.tf:12' },
          ],
        }),
      ],
      configProblems: [{ file: 'holdfast.yaml', line: 4, message: 'unknown key `projcts`', suggestion: 'projects' }],
      removedRoots: [{ dir: 'old', steps: [{ text: 'Destroy:', command: 'terraform -chdir=old destroy' }] }],
      requirements: [{ project: 'envs/prod', what: 'not approved', next: 'ask for a review' }],
      explanations: ['`live` is a Terragrunt folder.'],
      sandbox: 'none',
      mergeNote: 'Merged with main at 1a2b3c4.',
    });
    for (const part of [
      '⚠️ `envs/staging`: Old argument (`main.tf:12`)',
      '`holdfast.yaml`, line 4: unknown key `projcts`; did you mean `projects`?',
      'deletes `old`. **Deleting the code destroys nothing**',
      '> 1. Destroy: `terraform -chdir=old destroy`',
      '`envs/prod`: not approved → ask for a review',
      '`live` is a Terragrunt folder.',
      '**not sandboxed**',
      'Merged with main at 1a2b3c4.',
    ])
      expect(body).toContain(part);
  });
});

describe('what an apply needs', () => {
  test('is told once for all, or with the projects that ask for it', () => {
    const row = (title: string, ...applyRequirements: ProjectRowView['applyRequirements']) =>
      projectRow({ title, applyRequirements });
    const all = render({ projects: [row('a', 'approved'), row('b', 'approved', 'undiverged')] });
    expect(all).toContain('**`apply` asks for**');
    expect(all).toContain(
      '\n- an approval by somebody with write permission who is neither the author nor the last to push\n',
    );
    expect(all).toContain('since the plan (only `b`)\n');
    expect(all).toContain('- Apply all 2 plans, when nothing is missing any more: `holdfast apply`');
    expect(all).not.toContain('merge it now');
    const five = ['c', 'd', 'e', 'f', 'g'].map((title) => row(title, 'mergeable'));
    expect(render({ projects: [row('a'), ...five] })).toContain('(only `c`, `d`, `e` and 2 more projects)');
  });

  test('is not told of what is not to be applied', () => {
    const states = [{ kind: 'plan_only' }, { kind: 'applied' }, { kind: 'no_changes' }] as const;
    const projects = states.map((state) => projectRow({ state, applyRequirements: ['approved'] }));
    expect(render({ projects })).not.toContain('asks for');
    expect(render({})).not.toContain('asks for');
  });

  test('does not matter where a plan can never be applied: nobody is told to apply it', () => {
    const changes = [
      { address: 'a.b', previousAddress: undefined, type: 'a', action: 'delete', reason: undefined },
    ] as const;
    const plan = { counts: counts({ destroy: 1 }), changes, drifted: [], checks: [] };
    const only = projectRow({ title: 'look', state: { kind: 'plan_only' }, plan });
    const body = render({ projects: [only] });
    expect(body).toContain('1 project: 1 only planned');
    expect(body).not.toMatch(/`holdfast apply`|Applying this would/);
    expect(render({ projects: [only, projectRow()] })).toContain('- Apply the plan: `holdfast apply`');
  });
});

describe('the texts', () => {
  test('a plan is folded in a diff fence with its markers in the first column', () => {
    const planText =
      '  # x\n  + resource "a" {\n      ~ b = 1\n      - c\n-/+ d\n +/- e\n  <= f\n      - "  + not a marker"\n';
    const body = render({ projects: [projectRow({ planText })] });
    expect(body).toContain(
      '\n```diff\n  # x\n+   resource "a" {\n!       b = 1\n-       c\n-/+ d\n+/-  e\n  <= f\n-       "  + not a marker"\n```\n',
    );
    expect(body).toContain('<details>\n<summary>envs/staging · +1 ~0 -0</summary>\n\n');
  });

  test('a failure is unfolded with our words above it', () => {
    const row = projectRow({
      state: { kind: 'failed', operation: 'plan' },
      plan: undefined,
      errorText: 'Error: no',
      explanation: 'Mend `main.tf`.',
    });
    expect(render({ projects: [row] })).toContain(
      '<details open>\n<summary>envs/staging · plan failed</summary>\n\nMend `main.tf`.\n\n```text\nError: no\n```',
    );
  });

  test('a failure without output shows its diagnostics', () => {
    const diagnostics = [
      { severity: 'error', summary: 'Bad', detail: 'Because.', address: undefined, location: 'main.tf:3' },
    ] as const;
    const row = projectRow({ state: { kind: 'failed', operation: 'plan' }, errorText: undefined, diagnostics });
    expect(render({ projects: [row] })).toContain('```text\nError: Bad\nmain.tf:3\nBecause.\n```');
  });

  test.each(['no_changes', 'discarded'] as const)('a project that is %s shows no plan', (kind) => {
    expect(render({ projects: [projectRow({ state: { kind } })] })).not.toContain('<details');
  });
});

describe('the commands that make sense now', () => {
  const commands = (some: Partial<PlanCommentView>) =>
    [...render(some).matchAll(/^- [^`\n]+: `([^`]+)`$/gm)].map(([, command]) => command);
  const other = projectRow({ dir: 'b' });
  test.each([
    ['one plan', [projectRow()], ['holdfast apply', 'holdfast plan', 'holdfast unlock']],
    ['several plans', [projectRow(), other], ['holdfast apply', 'holdfast apply -d envs/staging', 'holdfast plan']],
    ['named', [projectRow({ name: 'web' }), other], ['holdfast apply', 'holdfast apply -p web', 'holdfast plan']],
    [
      'running',
      [projectRow(), projectRow({ dir: 'b', state: { kind: 'queued', operation: 'plan', position: 1 } })],
      ['holdfast cancel'],
    ],
    [
      'one failed',
      [
        projectRow({ state: { kind: 'no_changes' } }),
        projectRow({ dir: 'b', state: { kind: 'failed', operation: 'plan' } }),
      ],
      ['holdfast plan -d b', 'holdfast unlock'],
    ],
    [
      'interrupted',
      [projectRow({ state: { kind: 'interrupted' }, workspace: 'eu' })],
      ['holdfast plan -d envs/staging -w eu', 'holdfast plan', 'holdfast unlock'],
    ],
    [
      'hostile directory',
      [projectRow({ dir: '@octocat/`x`' }), other],
      ['holdfast apply', 'holdfast plan', 'holdfast unlock'],
    ],
    ['locked', [projectRow({ lock })], ['holdfast plan']],
    ['no project', [], []],
  ] as [string, ProjectRowView[], string[]][])('%s', (_, projects, expected) => {
    expect(commands({ projects })).toEqual(expected);
  });

  test('none when the pull request is closed', () => {
    expect(commands({ pullState: 'merged' })).toEqual([]);
  });
});

/** Every token of the comment, nested ones included. */
function allTokens(markdown: string): Token[] {
  const found: Token[] = [];
  void marked.walkTokens(marked.lexer(markdown), (token) => void found.push(token));
  return found;
}

const OWN_HTML = /^<!-- holdfast:plan:p-1 -->\n?$|^<\/?details(?: open)?>|^<\/?code>$/;

function expectSound(body: string, limit: number, projects: number): void {
  expect(body.length).toBeLessThanOrEqual(limit);
  expect(body.startsWith('<!-- holdfast:plan:p-1 -->\n### Holdfast · ')).toBe(true);
  const tokens = allTokens(body);
  for (const token of tokens) {
    if (token.type === 'html') expect(token.raw).toMatch(OWN_HTML);
    if (token.type === 'code') expect(['diff', 'text']).toContain((token as Tokens.Code).lang);
    expect(token.type).not.toBe('image');
    if (token.type === 'link') expect((token as Tokens.Link).href).toMatch(/^https:\/\/(?:holdfast|h)\.example\//);
  }
  const html = tokens.filter(({ type }) => type === 'html').map(({ raw }) => raw);
  expect(html.filter((raw) => raw.startsWith('</details>')).length).toBe(
    html.filter((raw) => raw.startsWith('<details')).length,
  );
  expect(body).not.toMatch(/@[\p{L}\p{N}_-]|(?<!\[|&)#\d|(?<![A-Z0-9])gh-\d/iu);
  if (projects === 0) return;
  const rows = (tokens.find(({ type }) => type === 'table') as Tokens.Table | undefined)?.rows ?? [];
  const missing = /\*\*The table is shortened\*\*: ([\d,]+) more project/.exec(body)?.[1]?.replaceAll(',', '');
  expect(rows.length + Number(missing ?? 0)).toBe(projects);
  expect(body).toContain(`### Holdfast · ${projects.toLocaleString('en-US')} project`);
}

describe('whatever is put in', () => {
  const hostileRow = fc.record({
    title: hostileText(8),
    dir: hostileText(4),
    planText: hostileText(200),
    errorText: hostileText(60),
    explanation: fc.option(hostileText(10), { nil: undefined }),
    applyRequirements: fc.subarray(['approved', 'mergeable', 'undiverged'] as const),
    state: fc.constantFrom<ProjectStateView>(
      { kind: 'planned' },
      { kind: 'failed', operation: 'plan' },
      { kind: 'interrupted' },
      { kind: 'outdated', reason: 'older' },
    ),
    plan: hostileText(6).map((address) => ({
      counts: counts({ destroy: 1 }),
      changes: [{ address, previousAddress: undefined, type: 't', action: 'delete' as const, reason: address }],
      drifted: [],
      checks: [address],
    })),
    lock: fc.option(
      hostileText(4).map((who) => ({ ...lock, who })),
      { nil: undefined },
    ),
  });
  const hostileView = fc.record({
    projects: fc.array(
      hostileRow.map((row) => projectRow(row)),
      { maxLength: 12 },
    ),
    drifting: fc.array(
      hostileText(4).map((title) => ({ title, since: new Date(0), issue: undefined })),
      { maxLength: 5 },
    ),
    baseRef: hostileText(4),
    mergeNote: fc.option(hostileText(6), { nil: undefined }),
    explanations: fc.array(hostileText(8), { maxLength: 4 }),
    configProblems: fc.array(
      fc.record({ file: hostileText(3), line: fc.constant(3), message: hostileText(6), suggestion: hostileText(2) }),
      { maxLength: 4 },
    ),
    requirements: fc.array(fc.record({ project: hostileText(3), what: hostileText(5), next: hostileText(5) }), {
      maxLength: 4,
    }),
    removedRoots: fc.array(
      fc.record({
        dir: hostileText(3),
        steps: fc.array(fc.record({ text: hostileText(4), command: hostileText(4) }), { maxLength: 3 }),
      }),
      { maxLength: 2 },
    ),
  });

  test('the comment is sound, within its limit, and its summary whole', () => {
    fc.assert(
      fc.property(hostileView, fc.integer({ min: 2_000, max: 30_000 }), (view, limit) => {
        expectSound(render(view, limit), limit, view.projects.length);
      }),
      { numRuns: 60 },
    );
  });

  test.each([1, 40, 300, 2_000])('%i projects fit into every limit', (count) => {
    const changes = [
      {
        address: `fake_db.x${'y'.repeat(80)}`,
        previousAddress: undefined,
        type: 't',
        action: 'delete' as const,
        reason: undefined,
      },
    ];
    const plan = { counts: counts({ destroy: 1 }), changes, drifted: [], checks: [] };
    const planText = '  - line of a plan\n'.repeat(50);
    const projects = Array.from({ length: count }, (_, at) =>
      projectRow({ title: `live/region-${at}/service`, plan, planText }),
    );
    for (const limit of [2_000, 8_000, 60_000]) {
      const body = render({ projects }, limit);
      expectSound(body, limit, count);
      expect(body).toContain(`Applying this would destroy ${count.toLocaleString('en-US')} resource`);
      expect(body).toContain('`holdfast apply`');
    }
  });

  test('of texts that do not fit the longest are cut first, at a line end, with a link to all of it', () => {
    const short = projectRow({ title: 'short', planText: '+ short\n'.repeat(20) });
    const long = projectRow({ title: 'long', planText: '+ a longer line\n'.repeat(4_000) });
    const body = render({ projects: [long, short] }, 10_000);
    expect(body.length).toBeGreaterThan(9_500);
    expect(body.match(/^\+ short$/gm)).toHaveLength(20);
    expect(body.match(/^\+ a longer line$/gm)?.length).toBeGreaterThan(300);
    expect(body).toMatch(
      /Cut to fit: \d+ of 4,000 lines shown\. \[Full text\]\(https:\/\/holdfast\.example\/runs\/r1\)/,
    );
  });

  test('when not even their titles fit, failures stay and the rest is counted', () => {
    const failed = projectRow({
      title: 'failed',
      state: { kind: 'failed', operation: 'plan' },
      errorText: 'Error: no',
    });
    const projects = [...Array.from({ length: 60 }, () => projectRow()), failed];
    const body = render({ projects }, 8_000);
    expect(body).toContain('<summary>failed · plan failed</summary>');
    expect(body).toMatch(/✂️ \d+ more texts did not fit here\. \[All of them\]/);
    expectSound(body, 8_000, 61);
  });

  test('a megabyte of plan takes no long time', () => {
    const started = performance.now();
    render({ projects: [projectRow({ planText: '  + some line of a plan with @mention #12\n'.repeat(50_000) })] });
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});
