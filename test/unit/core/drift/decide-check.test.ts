import { describe, expect, test } from 'vitest';
import {
  allRules,
  decideError,
  decideFindings,
  decideRemediated,
  decideStopped,
  decideUnknown,
} from '../../../../src/core/drift/decide-check.ts';
import type { DriftFindings } from '../../../../src/core/drift/drift.ts';
import type { DriftProject } from '../../../../src/core/drift/drift-project.ts';
import { NO_DRIFT } from '../../../../src/core/drift/lifecycle.ts';
import type { StoredFindings } from '../../../../src/core/drift/stored-findings.ts';
import { commitSha } from '../../../../src/core/repository.ts';
import { buildAccount, HEAD } from '../../../support/builders.ts';
import {
  buildBranchProject,
  buildDifference,
  buildDriftSettings,
  buildFindings,
  drifting,
} from '../../../support/drift-builders.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const LATER = new Date('2026-11-21T16:00:00Z');

function project(some: Partial<DriftProject> = {}): DriftProject {
  return {
    ...buildBranchProject('prod'),
    repositoryId: 'github.com/42',
    tip: commitSha(HEAD),
    listed: true,
    due: { schedule: 'every 6 hours', dueAt: LATER },
    request: undefined,
    runId: 'r1',
    lastCheckAt: NOW,
    lastSuccessAt: undefined,
    baselineDigest: undefined,
    sync: 'unknown',
    skip: undefined,
    suspension: undefined,
    silences: [],
    approvals: [],
    state: NO_DRIFT,
    findings: undefined,
    ...some,
  } as DriftProject;
}

const DRIFT = buildFindings({ sync: 'drift', fingerprint: 'f', resources: [buildDifference()] });
const CLEAN = buildFindings({ sync: 'in_sync', fingerprint: undefined, resources: [] });

function check(findings: DriftFindings, of = project(), putRightBy?: string) {
  const stored: StoredFindings[] = [];
  const decision = decideFindings(of, {
    findings,
    sha: commitSha(HEAD),
    inputsDigest: 'now',
    runId: 'r1',
    putRightBy,
    now: NOW,
    seal: (what) => {
      stored.push(what);
      return Buffer.from('sealed');
    },
  });
  return { ...decision, stored: stored[0] };
}

describe('a check that came to a finding', () => {
  test('is kept sealed, with what the rules left of it', () => {
    const silences = [
      { kind: 'ignore', id: '1', address: '*', attribute: '*', reason: 'r', owner: 'ann', expires: LATER },
    ] as const;
    const { stored, changes } = check(DRIFT, project({ silences }));
    expect(changes).toMatchObject({ sync: 'in_sync', lastSuccessAt: NOW, findings: Buffer.from('sealed') });
    expect(stored).toMatchObject({ found: DRIFT, findings: { resources: [] }, sha: HEAD, runId: 'r1' });
    expect(stored?.ignored).toHaveLength(1);
  });

  test('is looked at again soon when it saw drift for the first time, and not later than it was due', () => {
    const { changes, report } = check(DRIFT);
    expect(changes.due?.dueAt).toEqual(new Date('2026-11-21T12:10:00Z'));
    expect(report).toBe(false);
    const soon = { schedule: 's', dueAt: new Date('2026-11-21T12:01:00Z') };
    expect(check(DRIFT, project({ due: soon })).changes.due).toBeUndefined();
    expect(check(DRIFT, project({ settings: buildDriftSettings({ enabled: false }) })).changes.due).toBeUndefined();
  });

  test('has it reported and told when it is confirmed, and when it ends', () => {
    const once = check(DRIFT).changes.state ?? NO_DRIFT;
    const confirmed = check(DRIFT, project({ state: once }));
    expect(confirmed.report).toBe(true);
    expect(confirmed.notifications?.map(({ event }) => event)).toEqual(['drift_opened']);
    const gone = check(CLEAN, project({ state: confirmed.changes.state ?? NO_DRIFT }), 'ann');
    expect(gone.report).toBe(true);
    expect(gone.notifications).toMatchObject([
      { event: 'drift_resolved', sentence: 'The drift was put right by @ann.' },
    ]);
  });

  test('without anything to tell touches no issue, but a dashboard', () => {
    expect(check(CLEAN)).toMatchObject({ report: false, notifications: [] });
    expect(check(CLEAN, project({ settings: buildDriftSettings({ report: 'dashboard' }) })).report).toBe(true);
  });

  test('is the baseline when it is the first that found nothing to do, and no other', () => {
    for (const sync of ['in_sync', 'state_only', 'absorbed'] as const)
      expect(check({ ...CLEAN, sync }).changes.baselineDigest).toBe('now');
    expect(check(CLEAN, project({ baselineDigest: 'old' })).changes.baselineDigest).toBeUndefined();
    expect(check(DRIFT).changes.baselineDigest).toBeUndefined();
    expect(check({ ...CLEAN, sync: 'baseline_unknown' }).changes.baselineDigest).toBeUndefined();
  });

  test('is no success when it proves nothing', () => {
    const { changes } = check(
      buildFindings({ sync: 'in_sync', complete: false, fingerprint: undefined, resources: [] }),
    );
    expect(changes.sync).toBe('unknown');
    expect(changes.lastSuccessAt).toBeUndefined();
  });
});

describe('a check without a finding', () => {
  test('leaves what is known of drift, and is tried again', () => {
    const of = project({ state: drifting() });
    for (const [decision, sync] of [
      [decideError(of, NOW), 'error'],
      [decideUnknown(of, NOW), 'unknown'],
    ] as const) {
      expect(decision.changes).toMatchObject({ sync, state: { drift: of.state.drift } });
      expect(decision.changes.due?.dueAt).toEqual(new Date('2026-11-21T12:10:00Z'));
      expect(decision.changes.lastSuccessAt).toBeUndefined();
      expect(decision.notifications).toEqual([]);
    }
  });

  test('that gave way is due at once, if it is ever due', () => {
    expect(decideStopped(project(), NOW)).toEqual({
      changes: { due: { schedule: 'every 6 hours', dueAt: NOW } },
      report: false,
    });
    expect(decideStopped(project({ listed: false }), NOW).changes).toEqual({});
    expect(decideStopped(project({ settings: buildDriftSettings({ enabled: false }) }), NOW).changes).toEqual({});
  });
});

describe('a remediation', () => {
  const ann = buildAccount('ann');
  const ended = {
    runId: 'r1',
    by: ann,
    fingerprint: 'f',
    failure: undefined,
    begun: true,
    now: NOW,
  };

  test('that is done is looked at at once, in the name of whoever did it', () => {
    expect(decideRemediated(project(), ended)).toMatchObject({
      changes: { request: { kind: 'put_right', actor: ann, at: NOW } },
      report: true,
      notifications: [{ event: 'remediation_done' }],
      audit: { actor: 'ann', event: 'put_right', detail: { runId: 'r1', fingerprint: 'f' } },
    });
  });

  test('that failed is looked at when it may have changed something', () => {
    const failure = 'It failed.';
    const begun = decideRemediated(project(), { ...ended, failure });
    expect(begun.changes).toEqual({ request: { kind: 'recheck', actor: ann, at: NOW } });
    expect(begun.notifications).toMatchObject([{ event: 'remediation_failed' }]);
    expect(begun.audit).toMatchObject({ event: 'not_put_right', detail: { failure } });
    const refused = decideRemediated(project(), { ...ended, failure, begun: false });
    expect(refused.changes).toEqual({});
  });
});

test('rules of the config files count beside those that people made', () => {
  const ignore = [{ address: 'a.*', attribute: 'tags', reason: 'r', owner: 'ann', expires: LATER }];
  const rules = allRules(project({ settings: buildDriftSettings({ ignore }) }));
  expect(rules).toMatchObject([{ kind: 'ignore', id: 'config-1', address: 'a.*', owner: 'ann' }]);
});
