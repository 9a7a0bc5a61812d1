import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderDriftReply } from '../../../../src/comments/drift/drift-reply-comment.ts';
import { renderRemediationReply } from '../../../../src/comments/drift/remediation-reply.ts';
import type { DriftReplyView, RemediationView } from '../../../../src/comments/drift/drift-view.ts';
import { counts } from '../../../support/plan-comment-view.ts';
import { hostileText } from '../../../support/hostile-text.ts';

type Reply = DriftReplyView extends infer View ? (View extends unknown ? Omit<View, 'triggers'> : never) : never;

const OPTIONS = { limit: 60_000, id: 'r-1' };
const plain = (text: string) => text.replaceAll('\u200B', '');
const reply = (view: Reply) =>
  plain(renderDriftReply({ ...view, triggers: ['holdfast', 'atlantis'] } as DriftReplyView, OPTIONS));

describe('an answer', () => {
  test('starts with the hidden marker', () => {
    expect(reply({ kind: 'notice', sentence: 'The drift is gone.' })).toBe(
      '<!-- holdfast:reply:r-1 -->\nThe drift is gone.',
    );
  });

  test('help lists the commands, and the flags of one', () => {
    const all = reply({ kind: 'help', command: undefined });
    expect(all).toContain('- `holdfast drift snooze DURATION [REASON]`: does not report this drift for a while');
    expect(all).not.toContain('--for');
    const one = reply({ kind: 'help', command: 'snooze' });
    expect(one).toContain('  - `--for VALUE`: how long, such as 30m, 12h or 7d');
    expect(one).not.toContain('`holdfast apply`');
  });

  test('what could not be read is told with what was meant', () => {
    const near = {
      kind: 'unreadable',
      command: 'holdfst drift run',
      problem: 'Nothing was run.',
      usage: undefined,
    } as const;
    const text = reply({ ...near, didYouMean: 'holdfast drift run' });
    expect(text).toContain('🤔 `holdfst drift run`: Nothing was run. Did you mean `holdfast drift run`?');
    expect(text).toContain('`holdfast drift help` lists the commands.');
    const usage = reply({ ...near, didYouMean: undefined, usage: 'ack' });
    expect(usage).toContain('Usage of `holdfast drift ack [REASON]`:');
    expect(usage).toContain('- `--reason VALUE`');
  });

  test('a refusal names everything that is missing', () => {
    const unmet = ['one', 'two'].map((what) => ({ project: 'prod', what, next: 'Do it.' }));
    const text = reply({ kind: 'refused', command: 'holdfast apply', actor: 'eve', unmet });
    expect(text).toContain('✋ `holdfast apply` of `eve` was not carried out.');
    expect(text).toContain('- `prod`: **one** → Do it.\n- `prod`: **two** → Do it.');
  });

  test('what was done is said in a sentence', () => {
    const text = reply({ kind: 'done', command: 'holdfast drift ack', sentence: 'It is not reported again.' });
    expect(text).toContain('✅ `holdfast drift ack`: It is not reported again.');
  });

  test('whatever people wrote mentions nobody and stays within the limit', () => {
    fc.assert(
      fc.property(hostileText(60), fc.integer({ min: 2_000, max: 9_000 }), (text, limit) => {
        const view: DriftReplyView = { kind: 'done', command: text, sentence: text, triggers: ['holdfast'] };
        const rendered = renderDriftReply(view, { limit, id: 'r' });
        expect(rendered.length).toBeLessThanOrEqual(limit);
        expect(rendered).not.toMatch(/@[\p{L}\p{N}_-]|(?<!\[|&)#\d/iu);
      }),
      { numRuns: 100 },
    );
  });
});

describe('what came of putting drift right', () => {
  const rendered = (some: Partial<RemediationView>) =>
    plain(
      renderRemediationReply(
        {
          triggers: ['holdfast'],
          actor: 'ann',
          title: 'prod',
          begun: true,
          result: { kind: 'applied', counts: counts({ change: 2 }) },
          outputText: undefined,
          errorText: undefined,
          explanation: undefined,
          erroredStateUrl: undefined,
          url: 'https://holdfast.example/runs/1',
          unmet: [],
          ...some,
        },
        OPTIONS,
      ),
    );

  test('it was applied, and is looked at again', () => {
    const text = rendered({ outputText: 'Apply complete!' });
    expect(text).toContain(
      '✅ `ann` wanted the drift of `prod` put right: **applied** (+0 ~2 -0). [Details](https://holdfast.example/runs/1)',
    );
    expect(text).toContain('this is closed when the drift is gone');
    expect(text).toContain('```text\nApply complete!\n```');
  });

  test('it was refused: everything that is missing, and nothing is looked at again', () => {
    const unmet = [{ project: 'prod', what: 'it is not approved', next: 'Ask somebody.' }];
    const text = rendered({ result: { kind: 'skipped', reason: '' }, begun: false, unmet });
    expect(text).toContain('✋ `ann` wanted the drift of `prod` put right: **not done**.');
    expect(text).toContain('- `prod`: **it is not approved** → Ask somebody.');
    expect(text).not.toContain('checked again');
  });

  test('it failed: what was printed, and a state that could not be saved', () => {
    const text = rendered({
      result: { kind: 'failed' },
      errorText: 'Error: no',
      explanation: 'The cloud said no.',
      erroredStateUrl: 'https://holdfast.example/runs/1/errored.tfstate',
    });
    expect(text).toContain('**it failed**');
    expect(text).toContain('The cloud said no.\n\n```text\nError: no\n```');
    expect(text).toContain('[The state file is kept here](https://holdfast.example/runs/1/errored.tfstate)');
    expect(text).toContain('checked again at once');
    expect(rendered({ result: { kind: 'failed' }, begun: false })).not.toContain('checked again');
  });

  test('nobody knows what it did when its worker died', () => {
    expect(rendered({ result: { kind: 'interrupted' } })).toContain('what it did is unknown');
  });
});
