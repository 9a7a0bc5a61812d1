import fc from 'fast-check';
import { marked } from 'marked';
import { describe, expect, test } from 'vitest';
import { renderApplyReply, renderCommandReply, replyMarker } from '../../../src/comments/reply-comment.ts';
import type { ApplyReplyView, ApplyRowView } from '../../../src/comments/view.ts';
import type { CommandReply } from '../../../src/core/reply.ts';
import { hostileText } from '../../support/hostile-text.ts';
import { counts } from '../../support/plan-comment-view.ts';

const render = (reply: CommandReply, limit = 60_000) =>
  renderCommandReply({ ...reply, triggers: ['holdfast', 'atlantis'] }, { limit, id: 'r-1' });

function applied(some: Partial<ApplyRowView> = {}): ApplyRowView {
  return {
    title: 'envs/staging',
    dir: 'envs/staging',
    workspace: 'default',
    name: undefined,
    result: { kind: 'applied', counts: counts({ add: 2 }) },
    outputText: 'Apply complete!',
    errorText: undefined,
    explanation: undefined,
    erroredStateUrl: undefined,
    durationMs: 9_000,
    url: 'https://h.example/runs/1',
    ...some,
  };
}

const renderApply = (some: Partial<ApplyReplyView>, limit = 60_000) =>
  renderApplyReply(
    {
      id: 'r-1',
      actor: 'alice',
      headSha: '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d',
      triggers: ['holdfast'],
      projects: [applied()],
      leftOut: { unmet: [], applied: [], unchanged: [] },
      stillPlanned: [],
      merge: undefined,
      pageUrl: 'https://h.example/runs',
      ...some,
    },
    { limit, id: 'r-1' },
  );

describe('the answer to a command', () => {
  test('starts with its marker', () => {
    expect(
      render({ kind: 'closed', merged: false, unlocked: [], unapplied: [] }).startsWith(`${replyMarker('r-1')}\n`),
    ).toBe(true);
  });

  test.each<[string, CommandReply, readonly string[]]>([
    [
      'names every unmet requirement with what to do',
      {
        kind: 'refused',
        command: 'holdfast apply',
        actor: 'bob',
        unmet: [
          { project: 'prod', what: 'not approved', next: 'ask for a review' },
          { project: undefined, what: 'new commits', next: 'comment `holdfast plan`' },
        ],
      },
      [
        '- `prod`: **not approved** → ask for a review',
        '- **new commits** → comment `holdfast plan`',
        '`holdfast apply` of `bob`',
      ],
    ],
    [
      'tells where nothing was left to do',
      {
        kind: 'refused',
        command: 'holdfast apply',
        actor: 'bob',
        unmet: [{ project: 'prod', what: 'not approved', next: 'ask for a review' }],
        settled: { applied: ['a', 'b'], unchanged: Array.from({ length: 11 }, (_, at) => `c${at}`) },
      },
      [
        '- `prod`: **not approved** → ask for a review',
        '2 projects applied before: `a`, `b`.\n11 projects without changes.',
      ],
    ],
    [
      'asks whether another word was meant',
      {
        kind: 'unreadable',
        command: 'holdfast paln',
        problem: 'there is no command `paln`.',
        didYouMean: 'holdfast plan',
        usage: undefined,
      },
      [
        '`holdfast paln`: there is no command `paln`. Did you mean `holdfast plan`?',
        '`holdfast help` lists the commands.',
      ],
    ],
    [
      'shows the usage of a misused command',
      { kind: 'unreadable', command: 'holdfast apply -x', problem: 'no flag', didYouMean: undefined, usage: 'apply' },
      ['Usage of `holdfast apply`:', '- `-d, --dir VALUE`:', '- `--auto-merge-disabled`:'],
    ],
    [
      'lists the allowed commands',
      { kind: 'help', allowed: ['plan', 'help'], docsUrl: 'https://h.example/docs' },
      [
        '- `holdfast plan`:',
        '  - `-- ARGUMENTS`: handed on to Terraform',
        '- `holdfast help`:',
        '[Documentation](https://h.example/docs)',
      ],
    ],
    [
      'helps with one command',
      { kind: 'help', allowed: ['plan', 'apply'], docsUrl: undefined, command: 'apply' },
      ['- `holdfast apply`:'],
    ],
    [
      'says why nothing was done',
      { kind: 'nothing_done', command: 'holdfast apply', reason: 'there is no plan', next: 'Plan first.' },
      ['`holdfast apply`: there is no plan. Plan first.'],
    ],
    [
      'tells versions and what stands in the way of one',
      {
        kind: 'version',
        holdfast: '0.1.0',
        projects: [
          { title: 'a', version: 'terraform 1.9.1', problem: undefined },
          { title: 'b', version: '', problem: '1.2.3 is not installed' },
        ],
      },
      ['Holdfast `0.1.0`', '- `a`: `terraform 1.9.1`', '- `b`: ❌ 1.2.3 is not installed'],
    ],
    [
      'tells what unlock gave up, who is next and what stays unknown',
      { kind: 'unlocked', actor: 'bob', projects: [{ title: 'a', planDiscarded: true, next: 12 }], interrupted: ['a'] },
      ['- `a`, with its plan: the lock goes to #12', '> An apply was interrupted in `a`.'],
    ],
    [
      'says when there was nothing to unlock',
      { kind: 'unlocked', actor: 'bob', projects: [], interrupted: [] },
      ['held no lock'],
    ],
    [
      'tells what is stopping and what never started',
      { kind: 'cancelled', actor: 'bob', stopping: ['a'], dropped: ['b', 'c'] },
      ['asked to stop `a`.', 'before they started: `b`, `c`.'],
    ],
    [
      'tells that the lock came here',
      { kind: 'lock_received', projects: ['a'], from: { pullNumber: 3, url: 'https://h.example/3' }, planning: true },
      ['[#3](https://h.example/3) gave up the lock of `a`', 'is being planned again'],
    ],
    [
      'lists all problems of the configuration',
      {
        kind: 'config_problems',
        problems: [{ file: 'holdfast.yaml', line: 4, message: 'unknown key', suggestion: 'projects' }],
      },
      ['- `holdfast.yaml`, line 4: unknown key; did you mean `projects`?'],
    ],
    [
      'warns of an interrupted apply',
      {
        kind: 'interrupted_apply',
        projects: [
          {
            title: 'a',
            dir: 'a',
            workspace: 'default',
            name: undefined,
            startedAt: '2026-11-21T10:00:00Z',
            erroredStateUrl: 'https://h.example/s',
            url: undefined,
          },
        ],
      },
      [
        'outcome is unknown',
        '- `a`, started 2026-11-21 10:00 UTC',
        '[The state file is kept here](https://h.example/s)',
        'The locks stay.',
      ],
    ],
    [
      'tells of a merge that was never applied',
      { kind: 'closed', merged: true, unlocked: ['a'], unapplied: ['b'] },
      ['The pull request is merged; its plans and locks are gone: `a`.', 'Merged, but **not applied**: `b`.'],
    ],
  ])('%s', (_, reply, parts) => {
    const body = render(reply);
    for (const part of parts) expect(body).toContain(part);
    expect(body).not.toContain('undefined');
  });

  test('stays within the limit and counts what it leaves out', () => {
    const unmet = Array.from({ length: 500 }, (_, at) => ({
      project: `p${at}`,
      what: 'x'.repeat(300),
      next: 'y'.repeat(300),
    }));
    const body = render({ kind: 'refused', command: 'holdfast apply', actor: 'bob', unmet }, 2_000);
    expect(body.length).toBeLessThanOrEqual(2_000);
    const listed = body.match(/^- `p/gm)?.length ?? 0;
    expect(body).toContain(`… and ${500 - listed} more requirements.`);
  });

  test('cannot be broken by what people type', () => {
    fc.assert(
      fc.property(hostileText(), hostileText(), (command, problem) => {
        const body = render({ kind: 'unreadable', command, problem, didYouMean: undefined, usage: undefined }, 2_000);
        const html = marked.parse(body, { async: false }).replace(/<!--.*?-->|<\/?(?:p|code)>/g, '');
        expect(html).not.toMatch(/[<>]/);
        expect(body).not.toMatch(/@[\p{L}\p{N}_-]|#\d/u);
      }),
    );
  });
});

describe('the answer to apply', () => {
  test('tells each project its result and folds its output', () => {
    const body = renderApply({ stillPlanned: [applied({ title: 'prod' })] });
    expect(body).toContain('| `envs/staging` | ✅ applied | +2 ~0 -0 | 9.0 s | [details](https://h.example/runs/1) |');
    expect(body).toContain('<details>\n<summary>envs/staging</summary>\n\n```text\nApply complete!\n```');
    expect(body).toContain('Still to be applied: `prod`. Comment `holdfast apply`.');
  });

  test.each<[ApplyRowView['result'], string]>([
    [{ kind: 'no_changes' }, '✅ nothing to apply'],
    [{ kind: 'failed' }, '❌ apply failed'],
    [{ kind: 'cancelled' }, '⏹️ cancelled'],
    [{ kind: 'interrupted' }, 'What it did is **unknown**'],
    [{ kind: 'skipped', reason: 'network failed' }, 'was not started: network failed'],
  ])('%j', (result, words) => {
    expect(renderApply({ projects: [applied({ result })] })).toContain(words);
  });

  test('names what it left out, with what to do', () => {
    const unmet = [{ project: 'prod', what: 'its plan failed', next: 'Comment `holdfast plan -d prod`.' }];
    const body = renderApply({ leftOut: { unmet, applied: ['done'], unchanged: ['same'] } });
    expect(body).toContain('### Holdfast apply · 2 projects: 1 applied, 1 left out');
    expect(body).toContain('- `prod`: **its plan failed** → Comment `holdfast plan -d prod`.');
    expect(body).toContain('1 project applied before: `done`.\n1 project without changes: `same`.');
    expect(renderApply({})).not.toMatch(/left out|Not part|before|without/);
  });

  test('counts what it has no room to name', () => {
    const unmet = Array.from({ length: 300 }, (_, at) => ({ project: `p${at}`, what: 'x'.repeat(200), next: 'y' }));
    const applied300 = unmet.map(({ project }) => project);
    const body = renderApply({ leftOut: { unmet, applied: applied300, unchanged: applied300 } }, 2_000);
    expect(body.length).toBeLessThanOrEqual(2_000);
    const listed = body.match(/^- `p/gm)?.length ?? 0;
    expect(body).toContain(`… and ${300 - listed} more projects left out.`);
    expect(body).toContain('300 projects applied before.');
  });

  test('shows what differs from the approved plan', () => {
    const differences = [
      { address: 'a.b', approved: 'update', now: 'replace' },
      { address: 'c.d', approved: undefined, now: 'delete' },
    ];
    const body = renderApply({ projects: [applied({ result: { kind: 'difference', differences } })] });
    expect(body).toContain('> - `a.b` in `envs/staging`: approved **update**, now **replace**');
    expect(body).toContain('> - `c.d` in `envs/staging`: approved **nothing**, now **delete**');
    expect(body).toContain('have it approved, and comment `holdfast apply` again');
  });

  test('shows a failure unfolded and names the state that was kept', () => {
    const body = renderApply({
      projects: [
        applied({
          result: { kind: 'failed' },
          errorText: 'Error: 500',
          explanation: 'Refused.',
          erroredStateUrl: 'https://h.example/s',
        }),
      ],
    });
    expect(body).toContain(
      '<details open>\n<summary>envs/staging · failed</summary>\n\nRefused.\n\n```text\nError: 500\n```',
    );
    expect(body).toContain('[The state file is kept here](https://h.example/s)');
  });

  test('tells of the merge, and why there was none', () => {
    expect(renderApply({ merge: { kind: 'merged' } })).toContain('the pull request is merged');
    expect(renderApply({ merge: { kind: 'not_merged', reason: 'the head moved' } })).toContain(
      '**Not merged**: the head moved',
    );
  });

  test('fits whatever is printed', () => {
    const projects = Array.from({ length: 50 }, () => applied({ outputText: '```\n</details>@octocat\n'.repeat(500) }));
    for (const limit of [2_000, 20_000]) {
      const body = renderApply({ projects }, limit);
      expect(body.length).toBeLessThanOrEqual(limit);
      expect(body).toContain('50 projects: 50 applied');
      expect(body).not.toContain('@octocat');
    }
  });
});
