import { describe, expect, test } from 'vitest';
import type { DriftFindings } from '../../../../src/core/drift/drift.ts';
import {
  type Acknowledgement,
  type IgnoredAttributes,
  isInForce,
  LONGEST_SILENCE_DAYS,
  silence,
  silenceRuleProblems,
  type SilenceRule,
  type Snooze,
} from '../../../../src/core/drift/silence-rules.ts';
import { findingsOf, kindsOf } from '../../../support/drift-findings.ts';
import { sketchPlan } from '../../../support/drift-plan.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const at = (hours: number) => new Date(NOW.getTime() + hours * 3_600_000);
const LATER = at(1);

const ignore = (address: string, attribute: string, rest: Partial<IgnoredAttributes> = {}): IgnoredAttributes => ({
  kind: 'ignore',
  id: `${address} ${attribute}`,
  address,
  attribute,
  reason: 'the autoscaler does that',
  owner: 'platform',
  expires: LATER,
  ...rest,
});
const acknowledge = (fingerprint: string | undefined, id = 'ack'): Acknowledgement => ({
  kind: 'acknowledge',
  id,
  by: 'octocat',
  reason: undefined,
  fingerprint: fingerprint ?? 'none',
});
const snooze = (fingerprint: string | undefined, until: Date, id = 'snooze'): Snooze => ({
  kind: 'snooze',
  id,
  by: 'octocat',
  reason: undefined,
  fingerprint,
  until,
});

const before = { size: 1, tags: { team: 'x' }, rule: ['a'] };
const A = {
  address: 'x.a',
  applied: before,
  live: { size: 2, tags: { team: 'hand' }, rule: ['a', 'hand', 'hand2'] },
  wanted: before,
};
const B = { address: 'x.b[0]', applied: before, live: { ...before, size: 3 }, wanted: before };
const PENDING = { address: 'y.p', live: before, wanted: { ...before, size: 9 } };
const GONE = { address: 'x.gone', applied: before, live: null, wanted: before };
const OUTPUT = { actions: ['update'], before: 1, after: 2, after_unknown: false };

const found = (...sketches: Parameters<typeof sketchPlan>[0]) => findingsOf(sketchPlan(sketches), 'changed');
const silenced = (findings: DriftFindings, ...rules: SilenceRule[]) => silence(findings, rules, NOW);

describe('without a rule in force', () => {
  test('everything is told', () => {
    const findings = found(A, B, PENDING);
    expect(silenced(findings)).toEqual({ findings, ignored: [], quiet: undefined });
  });

  test.each([
    ['a rule that has expired', ignore('*', '*', { expires: NOW })],
    ['a rule that expired long ago', ignore('*', '*', { expires: at(-1_000) })],
    ['a snooze that is over', snooze(undefined, NOW)],
    ['a rule of another resource', ignore('z.*', '*')],
    ['a rule of another attribute', ignore('*', 'siz')],
    ['an acknowledgement of another drift', acknowledge('0123456789abcdef')],
    ['a snooze of another drift', snooze('0123456789abcdef', LATER)],
  ])('%s counts for nothing', (_what, rule) => {
    const findings = found(A, B, PENDING);
    expect(silenced(findings, rule)).toEqual({ findings, ignored: [], quiet: undefined });
  });

  test('times decide alone', () => {
    expect(isInForce(ignore('*', '*', { expires: at(0.001) }), NOW)).toBe(true);
    expect(isInForce(ignore('*', '*', { expires: NOW }), NOW)).toBe(false);
    expect(isInForce(snooze(undefined, LATER), NOW)).toBe(true);
    expect(isInForce(snooze(undefined, NOW), NOW)).toBe(false);
    expect(isInForce(acknowledge('x'), at(1_000_000))).toBe(true);
  });
});

describe('ignored attributes', () => {
  test('do not count, and what is left does', () => {
    const findings = found(A);
    const { findings: left, ignored } = silenced(findings, ignore('x.*', 'tags'), ignore('x.a', 'rule'));
    expect(kindsOf(left)).toEqual({ 'x.a size': 'drift' });
    expect(left.sync).toBe('drift');
    expect(ignored).toEqual([
      { rule: 'x.a rule', address: 'x.a', path: 'rule[*]' },
      { rule: 'x.a rule', address: 'x.a', path: 'rule[*]' },
      { rule: 'x.* tags', address: 'x.a', path: 'tags.team' },
    ]);
    const smaller = found({ ...A, live: { ...before, size: 2 } });
    expect(left.fingerprint).toBe(smaller.fingerprint);
    expect(left.fingerprint).not.toBe(findings.fingerprint);
  });

  test('that are the only changes leave nothing to report nor to put right', () => {
    const { findings, ignored } = silenced(
      found(A, B),
      ignore('x.*', 'size'),
      ignore('x.*', 'tags.*'),
      ignore('*', 'rule'),
    );
    expect(findings).toMatchObject({ sync: 'in_sync', resources: [], fingerprint: undefined });
    expect(ignored.length).toBe(5);
  });

  test('leave what is pending elsewhere pending, and what is less than that', () => {
    expect(silenced(found(A, PENDING), ignore('x.*', '*')).findings.sync).toBe('pending');
    const both = { address: 'x.c', applied: before, live: { ...before, size: 2 }, wanted: { ...before, rule: ['b'] } };
    const mixed = found({ ...both, wanted: { size: 1, tags: before.tags, rule: ['b'] } });
    expect(mixed.resources[0]?.kind).toBe('drift');
    expect(silenced(mixed, ignore('*', 'size')).findings.resources).toMatchObject([
      { kind: 'pending', fingerprint: undefined, attributes: [{ path: 'rule[0]' }] },
    ]);
  });

  test('are no missing object', () => {
    const { findings, ignored } = silenced(found(GONE), ignore('*', '*'));
    expect(findings).toEqual(found(GONE));
    expect(ignored).toEqual([]);
  });

  test('include outputs, under the names that they have in a plan', () => {
    const findings = findingsOf(sketchPlan([], { output_changes: { one: OUTPUT, two: OUTPUT } }), 'unchanged');
    const some = silenced(findings, ignore('output.o*', '*'), ignore('output.two', 'other'));
    expect(some.findings.outputs.map(({ name }) => name)).toEqual(['two']);
    expect(some.findings.sync).toBe('external');
    expect(some.ignored).toEqual([{ rule: 'output.o* *', address: 'output.one', path: 'value' }]);
    expect(silenced(findings, ignore('output.*', 'value')).findings).toMatchObject({ sync: 'in_sync', outputs: [] });
  });

  test('of a plan that leaves something out prove nothing', () => {
    const findings = findingsOf(sketchPlan([A], { complete: false }));
    expect(findings.sync).toBe('drift');
    expect(silenced(findings, ignore('*', '*')).findings.sync).toBe('unknown');
  });

  test('leave a resource as grave as it was when not all of it was looked at', () => {
    const many = (value: number) => Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`a${i}`, value]));
    const findings = found({ address: 'x.many', applied: many(1), live: many(2), wanted: many(1) });
    const { findings: left, ignored } = silenced(findings, ignore('*', '*'));
    expect(left.resources).toMatchObject([{ kind: 'drift', attributes: [], attributesLeftOut: 108 }]);
    expect(left).toMatchObject({ sync: 'drift', fingerprint: findings.fingerprint });
    expect(ignored.length).toBe(192);
  });
});

describe('acknowledged and snoozed', () => {
  const findings = found(A, B);
  const [a, b] = findings.resources.map(({ fingerprint }) => fingerprint);

  test('a drift stays what it is, and nobody is told', () => {
    const rule = acknowledge(findings.fingerprint);
    expect(silenced(findings, rule)).toEqual({ findings, ignored: [], quiet: { rules: [rule], until: undefined } });
    const until = snooze(findings.fingerprint, LATER);
    expect(silenced(findings, until).quiet).toEqual({ rules: [until], until: LATER });
  });

  test('it is another drift when it changes', () => {
    const other = found(A, { ...B, live: { ...before, size: 4 } });
    expect(silenced(other, acknowledge(findings.fingerprint)).quiet).toBeUndefined();
    expect(silenced(found(A), acknowledge(findings.fingerprint)).quiet).toBeUndefined();
  });

  test('each resource may be known by its own', () => {
    const rules = [acknowledge(a, 'a'), snooze(b, LATER, 'b')] as const;
    expect(silenced(findings, ...rules).quiet).toEqual({ rules, until: LATER });
    expect(silenced(findings, rules[0]).quiet).toBeUndefined();
    expect(silenced(findings, snooze(a, at(2)), snooze(b, at(1))).quiet?.until).toEqual(at(1));
    expect(silenced(findings, snooze(a, at(1)), snooze(b, at(2))).quiet?.until).toEqual(at(1));
    expect(silenced(findings, acknowledge(a), acknowledge(b)).quiet?.until).toBeUndefined();
  });

  test('what is ignored besides does not make it another', () => {
    const shown = silenced(findings, ignore('x.b*', '*'));
    expect(shown.findings.fingerprint).toBe(found(A).fingerprint);
    expect(silenced(findings, ignore('x.b*', '*'), acknowledge(found(A).fingerprint)).quiet?.rules.length).toBe(1);
  });

  test('a snoozed project is quiet whatever drifts, and when nothing does', () => {
    const rule = snooze(undefined, LATER);
    expect(silenced(findings, rule).quiet).toEqual({ rules: [rule], until: LATER });
    expect(silenced(found(PENDING), rule).quiet).toEqual({ rules: [rule], until: LATER });
    expect(silenced(found(PENDING), acknowledge(findings.fingerprint)).quiet).toBeUndefined();
    expect(silenced(found(PENDING)).quiet).toBeUndefined();
  });

  test('the rule that lasts longest is told', () => {
    const rules = [
      snooze(findings.fingerprint, at(1), '1'),
      snooze(undefined, at(3), '3'),
      snooze(undefined, at(2), '2'),
    ];
    expect(silenced(findings, ...rules).quiet?.rules.map(({ id }) => id)).toEqual(['3']);
    const forever = [...rules, acknowledge(findings.fingerprint)];
    expect(silenced(findings, ...forever).quiet).toMatchObject({ rules: [{ id: 'ack' }], until: undefined });
  });
});

describe('a rule may not be made', () => {
  const days = (count: number) => at(24 * count);

  test.each([
    ['a good one', ignore('x.*', 'tags'), []],
    ['a good acknowledgement', acknowledge('0123456789abcdef'), []],
    ['a good snooze', snooze(undefined, days(LONGEST_SILENCE_DAYS)), []],
    ['no reason', ignore('x', 'y', { reason: ' ' }), ['The reason is missing.']],
    ['no owner', ignore('x', 'y', { owner: '' }), ['The owner is missing.']],
    ['no globs', ignore('', ' '), ['The address glob is missing.', 'The attribute glob is missing.']],
    ['an empty fingerprint', acknowledge(''), ['The fingerprint is missing.']],
    ['an empty reason', { ...snooze('x', LATER), reason: '' }, ['The reason is missing.']],
    ['a long reason', ignore('x', 'y', { reason: 'x'.repeat(501) }), ['The reason may have 500 characters at most.']],
    ['a reason as long as may be', ignore('x', 'y', { reason: 'x'.repeat(500) }), []],
    ['the past', ignore('x', 'y', { expires: NOW }), ['The time at which it ends must lie in the future.']],
    ['no time', snooze('x', new Date('soon')), ['The time at which it ends must lie in the future.']],
    [
      'for ever',
      snooze('x', days(LONGEST_SILENCE_DAYS + 0.1)),
      ['It may last for 366 days at most; make it anew when it has ended.'],
    ],
  ] as const)('with %s', (_what, rule, problems) => expect(silenceRuleProblems(rule, NOW)).toEqual(problems));
});
