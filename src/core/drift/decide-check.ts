import type { Account } from '../pull-request.ts';
import type { CommitSha } from '../repository.ts';
import type { CheckRequest, DriftDecision, DriftProject } from './drift-project.ts';
import type { DriftFindings } from './drift.ts';
import { isReportable } from './issue-action.ts';
import { type DriftState, isFailing, type Observed, observe } from './lifecycle.ts';
import { notifyOfRemediation, notifyOfState } from './notifications.ts';
import type { DriftSettings } from './settings.ts';
import { type SilenceRule, silence } from './silence-rules.ts';
import type { StoredFindings } from './stored-findings.ts';

/** A check that came to a finding. */
export interface EndedCheck {
  readonly findings: DriftFindings;
  readonly sha: CommitSha;
  /** Of the inputs that were compared with reality. */
  readonly inputsDigest: string;
  readonly runId: string;
  /** Login of whoever had the drift put right just before. */
  readonly putRightBy: string | undefined;
  readonly now: Date;
  readonly seal: (findings: StoredFindings) => Buffer;
}

const IN_SYNC: readonly DriftFindings['sync'][] = ['in_sync', 'state_only', 'absorbed'];

export function decideFindings(project: DriftProject, check: EndedCheck): DriftDecision {
  const { findings, sha, inputsDigest, runId, putRightBy, now } = check;
  const silenced = silence(findings, allRules(project), now);
  const observed = observe(
    project.state,
    { kind: 'findings', findings, silenced, fresh: true, putRightBy },
    project.settings,
    now,
  );
  const stored: StoredFindings = {
    found: findings,
    findings: silenced.findings,
    ignored: silenced.ignored,
    sha,
    checkedAt: now.toISOString(),
    runId,
  };
  const isBaseline = project.baselineDigest === undefined && IN_SYNC.includes(findings.sync);
  const { sync } = silenced.findings;
  return {
    ...consequences(project, observed),
    changes: {
      ...changesOf(project, observed),
      sync,
      failedChecks: findings.failedChecks.length,
      findings: check.seal(stored),
      ...(sync === 'unknown' ? {} : { lastSuccessAt: now }),
      ...(isBaseline ? { baselineDigest: inputsDigest } : {}),
    },
  };
}

/** The check came to an end and proves nothing. */
export function decideUnknown(project: DriftProject, now: Date): DriftDecision {
  const observed = observe(project.state, { kind: 'unknown' }, project.settings, now);
  return { ...consequences(project, observed), changes: { ...changesOf(project, observed), sync: 'unknown' } };
}

/** The check failed; what is known of drift stays as it is. */
export function decideError(project: DriftProject, now: Date): DriftDecision {
  const observed = observe(project.state, { kind: 'error' }, project.settings, now);
  return { ...consequences(project, observed), changes: { ...changesOf(project, observed), sync: 'error' } };
}

/** It gave way to something else, and is due at once: what speaks against it now is seen when it is its turn. */
export function decideStopped(project: DriftProject, now: Date): DriftDecision {
  const isDue = project.listed && project.settings.enabled;
  return { changes: isDue ? { due: { ...project.due, dueAt: now } } : {}, report: false };
}

export interface EndedRemediation {
  readonly runId: string;
  readonly by: Account;
  readonly fingerprint: string;
  /** Why it is not done; undefined: it is. */
  readonly failure: string | undefined;
  /** Terraform had begun to apply, so reality may be another one. */
  readonly begun: boolean;
  readonly now: Date;
}

/** Reality is looked at again at once when it may be another one. */
export function decideRemediated(project: DriftProject, ended: EndedRemediation): DriftDecision {
  const { runId, by, fingerprint, failure, begun, now } = ended;
  const request: CheckRequest = { kind: failure === undefined ? 'put_right' : 'recheck', actor: by, at: now };
  return {
    changes: begun || failure === undefined ? { request } : {},
    report: true,
    notifications: [notifyOfRemediation({ project: project.key, runId, fingerprint, by: by.login, failure })],
    audit: {
      actor: by.login,
      event: failure === undefined ? 'put_right' : 'not_put_right',
      detail: { runId, fingerprint, ...(failure === undefined ? {} : { failure }) },
    },
  };
}

/** The same findings under other rules; drift that is gone does not come back by that. */
export function decideRules(
  project: DriftProject,
  silences: readonly SilenceRule[],
  known: {
    readonly stored: StoredFindings;
    readonly now: Date;
    readonly seal: (findings: StoredFindings) => Buffer;
  },
): DriftDecision {
  const { stored, now } = known;
  const silenced = silence(stored.found, allRules({ ...project, silences }), now);
  const findings = known.seal({ ...stored, findings: silenced.findings, ignored: silenced.ignored });
  if (project.state.drift === undefined) return { changes: { silences, findings }, report: false };
  const observation = {
    kind: 'findings',
    findings: stored.found,
    silenced,
    fresh: false,
    putRightBy: undefined,
  } as const;
  const observed = observe(project.state, observation, project.settings, now);
  const proven = project.sync === 'error' || project.sync === 'unknown' ? {} : { sync: silenced.findings.sync };
  return {
    ...consequences(project, observed),
    changes: { ...changesOf(project, observed), ...proven, silences, findings },
  };
}

/** The rules that people made, and those of the config files. */
export function allRules({ silences, settings }: Pick<DriftProject, 'silences' | 'settings'>): readonly SilenceRule[] {
  return [...silences, ...configuredRules(settings)];
}

function configuredRules({ ignore }: DriftSettings): readonly SilenceRule[] {
  return ignore.map((rule, index) => ({ kind: 'ignore', id: `config-${index + 1}`, ...rule }));
}

function changesOf(project: DriftProject, { state, recheckAt }: Observed): DriftDecision['changes'] {
  const { dueAt } = project.due;
  const isSooner = recheckAt !== undefined && project.settings.enabled && (dueAt === undefined || recheckAt < dueAt);
  return { state, ...(isSooner ? { due: { ...project.due, dueAt: recheckAt } } : {}) };
}

function consequences(project: DriftProject, { state }: Observed): Pick<DriftDecision, 'report' | 'notifications'> {
  const before = project.state;
  return {
    report: isTold(before, project.settings) || isTold(state, project.settings),
    notifications: notifyOfState(project.key, before, state),
  };
}

/** Whether the repository's issues say something of the project in this state. */
function isTold(state: DriftState, settings: DriftSettings): boolean {
  return isReportable(state) || isFailing(state, settings) || settings.report === 'dashboard';
}
