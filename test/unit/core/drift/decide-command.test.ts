import { describe, expect, test } from 'vitest';
import {
  type CommandFacts,
  type CommandOutcome,
  decideCommand,
  type RecordedCommand,
} from '../../../../src/core/drift/decide-command.ts';
import type { DriftProject } from '../../../../src/core/drift/drift-project.ts';
import { fingerprintDrift } from '../../../../src/core/drift/fingerprint.ts';
import { NO_DRIFT } from '../../../../src/core/drift/lifecycle.ts';
import type { SilenceRule } from '../../../../src/core/drift/silence-rules.ts';
import type { StoredFindings } from '../../../../src/core/drift/stored-findings.ts';
import { buildAccount } from '../../../support/builders.ts';
import {
  buildDifference,
  buildDriftProject,
  buildFindings,
  buildStoredFindings,
  drifting,
} from '../../../support/drift-builders.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const DAY_MS = 86_400_000;
const TOMORROW = new Date(NOW.getTime() + DAY_MS);
const FOR_A_DAY = { kind: 'for', ms: DAY_MS } as const;
const SUSPENSION = {
  reason: 'the cloud is down',
  by: 'bob',
  since: new Date('2026-11-20T12:00:00Z'),
  until: undefined,
};
const FINGERPRINT = fingerprintDrift([buildDifference()]) ?? '';
const STORED = buildStoredFindings({ findings: buildFindings({ fingerprint: FINGERPRINT }) });
const DRIFTING = { state: drifting({ fingerprint: FINGERPRINT }), sync: 'drift' } as const;

function decide(
  command: RecordedCommand,
  some: Partial<DriftProject> = {},
  facts: Partial<CommandFacts> = {},
): CommandOutcome {
  return decideCommand(buildDriftProject(some), command, {
    actor: buildAccount('ann'),
    now: NOW,
    ruleId: 'rule-1',
    stored: STORED,
    seal: (stored) => Buffer.from(JSON.stringify(stored)),
    ...facts,
  });
}

function done(outcome: CommandOutcome) {
  if (outcome.kind !== 'done') throw new Error(outcome.reason);
  return outcome;
}
const sealed = (outcome: CommandOutcome): StoredFindings =>
  JSON.parse(String(done(outcome).decision.changes.findings)) as StoredFindings;
const reasonOf = (outcome: CommandOutcome) => (outcome.kind === 'done' ? undefined : outcome.reason);

describe('run', () => {
  test('asks for a check in the name of whoever said it', () => {
    expect(done(decide({ name: 'run' })).decision).toEqual({
      changes: { request: { kind: 'command', actor: buildAccount('ann'), at: NOW } },
      report: false,
      audit: { actor: 'ann', event: 'check_asked_for' },
    });
  });

  test('does nothing where nothing would be checked', () => {
    const { settings } = buildDriftProject();
    expect(reasonOf(decide({ name: 'run' }, { settings: { ...settings, enabled: false } }))).toContain('turned off');
    expect(reasonOf(decide({ name: 'run' }, { suspension: SUSPENSION }))).toBe(
      'Suspended by @bob for 1 day, until it is resumed: the cloud is down.',
    );
    expect(reasonOf(decide({ name: 'run' }, { listed: false }))).toContain('does not have this project');
  });
});

describe('suspend and resume', () => {
  test('a suspension has a reason, perhaps an end, and takes back what was asked for', () => {
    const outcome = done(decide({ name: 'suspend', reason: 'maintenance', end: FOR_A_DAY }));
    expect(outcome.decision).toMatchObject({
      changes: { suspension: { reason: 'maintenance', by: 'ann', since: NOW, until: TOMORROW }, request: undefined },
      report: true,
      audit: { actor: 'ann', event: 'suspended', detail: { reason: 'maintenance', until: TOMORROW } },
    });
    expect(Object.keys(outcome.decision.changes)).toContain('request');
    expect(outcome.sentence).toBe('It is not checked until 2026-11-22 12:00 UTC.');
    const open = done(decide({ name: 'suspend', reason: 'r', end: undefined }));
    expect(open.decision.changes.suspension?.until).toBeUndefined();
    expect(open.sentence).toBe('It is not checked until it is resumed.');
  });

  test.each(['', ' ', 'x'.repeat(501)])('needs a reason that can be read', (reason) => {
    expect(reasonOf(decide({ name: 'suspend', reason, end: undefined }))).toContain('needs a reason');
  });

  test('an end that is past is none', () => {
    const end = { kind: 'until', at: NOW } as const;
    expect(reasonOf(decide({ name: 'suspend', reason: 'r', end }))).toContain('must lie in the future');
  });

  test('resuming takes the suspension away, and the skip that came of it', () => {
    const skip = { code: 'suspended', sentence: 's', since: NOW } as const;
    const outcome = done(decide({ name: 'resume' }, { suspension: SUSPENSION, skip }));
    expect(outcome.decision.changes).toEqual({ suspension: undefined, skip: undefined });
    const locked = done(decide({ name: 'resume' }, { suspension: SUSPENSION, skip: { ...skip, code: 'locked' } }));
    expect(Object.keys(locked.decision.changes)).toEqual(['suspension']);
  });

  test('what is not suspended, or not any more, is not resumed', () => {
    expect(reasonOf(decide({ name: 'resume' }))).toBe('It is not suspended.');
    expect(reasonOf(decide({ name: 'resume' }, { suspension: { ...SUSPENSION, until: NOW } }))).toBe(
      'It is not suspended.',
    );
  });
});

describe('acknowledge and snooze', () => {
  test('an acknowledged drift is silenced at once, in words', () => {
    const outcome = done(decide({ name: 'ack', reason: 'ours' }, DRIFTING));
    const { changes, report, audit } = outcome.decision;
    expect(changes.silences).toEqual([
      { kind: 'acknowledge', id: 'rule-1', by: 'ann', reason: 'ours', fingerprint: FINGERPRINT },
    ]);
    expect(changes.state?.drift?.quiet).toBe('Acknowledged by @ann: ours. It is reported again when it changes.');
    expect(changes.state?.drift?.sightings).toBe(2);
    expect(report).toBe(true);
    expect(audit).toMatchObject({ event: 'acknowledged', detail: { fingerprint: FINGERPRINT, reason: 'ours' } });
    expect(sealed(outcome).findings.fingerprint).toBe(FINGERPRINT);
  });

  test('said twice it stands once, with what was said last', () => {
    const first = done(decide({ name: 'ack', reason: 'a' }, DRIFTING)).decision.changes.silences ?? [];
    const { changes } = done(decide({ name: 'ack', reason: 'b' }, { ...DRIFTING, silences: first })).decision;
    expect(changes.silences?.map((rule) => rule.reason)).toEqual(['b']);
  });

  test('a snooze has an end', () => {
    const outcome = done(decide({ name: 'snooze', end: FOR_A_DAY, reason: undefined }, DRIFTING));
    expect(outcome.decision.changes.silences).toMatchObject([{ kind: 'snooze', until: TOMORROW }]);
    expect(outcome.sentence).toBe('This drift is not reported until 2026-11-22 12:00 UTC.');
    expect(outcome.decision.changes.state?.drift?.quiet).toContain('Snoozed by @ann.');
    const long = { kind: 'for', ms: 400 * DAY_MS } as const;
    expect(reasonOf(decide({ name: 'snooze', end: long, reason: undefined }, DRIFTING))).toContain('366 days at most');
  });

  test('without drift there is nothing to live with', () => {
    expect(reasonOf(decide({ name: 'ack', reason: undefined }))).toBe('No drift of it is known.');
    expect(reasonOf(decide({ name: 'snooze', end: FOR_A_DAY, reason: undefined }))).toBe('No drift of it is known.');
  });

  test('drift of a project that is gone from the branch can still be silenced', () => {
    expect(decide({ name: 'ack', reason: undefined }, { ...DRIFTING, listed: false }).kind).toBe('done');
  });

  test('without readable findings the rule is kept, and counts from the next check on', () => {
    const { changes } = done(decide({ name: 'ack', reason: 'a' }, DRIFTING, { stored: undefined })).decision;
    expect(changes.silences).toHaveLength(1);
    expect(changes.state).toBeUndefined();
  });
});

describe('ignore', () => {
  const IGNORE = {
    name: 'ignore',
    address: 'fake_bucket.*',
    attribute: 'tags',
    reason: 'autoscaled',
    owner: undefined,
    end: FOR_A_DAY,
  } as const;

  test('takes the differences away that it matches, and ends the drift when nothing is left', () => {
    const outcome = done(decide(IGNORE, DRIFTING));
    const { changes } = outcome.decision;
    expect(changes.silences).toMatchObject([{ kind: 'ignore', owner: 'ann', expires: TOMORROW, attribute: 'tags' }]);
    expect(changes.state?.drift).toBeUndefined();
    expect(changes.state?.ended).toMatchObject({ ignored: true });
    expect(changes.sync).toBe('in_sync');
    expect(sealed(outcome)).toMatchObject({ findings: { resources: [] }, ignored: [{ rule: 'rule-1' }] });
    expect(sealed(outcome).found.resources).toHaveLength(1);
    expect(outcome.sentence).toContain('It matches 1 of the differences');
  });

  test('that matches nothing is kept, and says so', () => {
    const outcome = done(decide({ ...IGNORE, address: 'fake_bukket.*' }, DRIFTING));
    expect(outcome.sentence).toContain('It matches nothing of what the last check found.');
    expect(outcome.decision.changes.state?.drift?.fingerprint).toBe(FINGERPRINT);
    expect(done(decide(IGNORE, {}, { stored: undefined })).sentence).toContain('shows with the next check');
  });

  test('brings no drift back that is gone', () => {
    const outcome = done(decide(IGNORE, { state: NO_DRIFT, sync: 'in_sync' }));
    expect(outcome.decision.changes.state).toBeUndefined();
    expect(outcome.decision.changes.sync).toBeUndefined();
  });

  test('leaves alone what a check that failed has not answered', () => {
    expect(done(decide(IGNORE, { ...DRIFTING, sync: 'error' })).decision.changes.sync).toBeUndefined();
  });

  test('forgets rules that have ended, and takes no more than a hundred', () => {
    const rule = (n: number, expires: Date): SilenceRule => ({
      kind: 'ignore',
      id: `r${n}`,
      address: `a${n}`,
      attribute: '*',
      reason: 'r',
      owner: 'o',
      expires,
    });
    const hundred = (expires: Date) => Array.from({ length: 100 }, (_, n) => rule(n, expires));
    expect(done(decide(IGNORE, { silences: hundred(NOW) })).decision.changes.silences).toHaveLength(1);
    expect(reasonOf(decide(IGNORE, { silences: hundred(TOMORROW) }))).toBe('It has 100 rules already.');
  });
});
