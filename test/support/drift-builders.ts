import type { BranchProject, DriftProject } from '../../src/core/drift/drift-project.ts';
import type { DriftFindings, ResourceDifference } from '../../src/core/drift/drift.ts';
import { fingerprintDrift, fingerprintResource } from '../../src/core/drift/fingerprint.ts';
import { type DriftState, type KnownDrift, NO_DRIFT } from '../../src/core/drift/lifecycle.ts';
import { type DriftSettings, resolveDriftSettings } from '../../src/core/drift/settings.ts';
import type { StoredFindings } from '../../src/core/drift/stored-findings.ts';
import type { Project } from '../../src/core/project.ts';
import { buildProject, HEAD, keyOf } from './builders.ts';

/** Valid values of drift; a test says only what it is about. */
export const FIRST_SEEN = '2026-11-21T08:00:00.000Z';
export const LAST_SEEN = '2026-11-21T11:00:00.000Z';
/** Of `buildFindings`. */
export const FINGERPRINT = fingerprintDrift([buildDifference()]) ?? '';

export function buildDriftSettings(some: Partial<DriftSettings> = {}): DriftSettings {
  return { ...resolveDriftSettings({ server: [], repository: undefined, project: undefined }), ...some };
}

export function buildBranchProject(
  dir = 'prod',
  { project = {}, settings = {} }: { project?: Partial<Project>; settings?: Partial<DriftSettings> } = {},
): BranchProject {
  return {
    key: keyOf(dir),
    project: buildProject({ dir, ...project }),
    settings: buildDriftSettings(settings),
    inputsDigest: 'inputs',
  };
}

/** Everything that is recorded of a project that was never checked. */
export function buildDriftProject(some: Partial<DriftProject> = {}): DriftProject {
  return {
    ...buildBranchProject(),
    repositoryId: 'github.com/42',
    tip: HEAD,
    listed: true,
    due: { schedule: 'every 6 hours', dueAt: new Date('2026-11-21T16:00:00Z') },
    request: undefined,
    runId: undefined,
    lastCheckAt: undefined,
    lastSuccessAt: undefined,
    baselineDigest: undefined,
    sync: 'unknown',
    failedChecks: 0,
    skip: undefined,
    suspension: undefined,
    silences: [],
    approvals: [],
    state: NO_DRIFT,
    findings: undefined,
    ...some,
  };
}

/** Drift that people are told of. */
export function drifting(some: Partial<KnownDrift> = {}, state: Partial<DriftState> = {}): DriftState {
  return {
    ...NO_DRIFT,
    episode: 1,
    turns: [FIRST_SEEN],
    drift: {
      fingerprint: FINGERPRINT,
      firstSeenAt: FIRST_SEEN,
      lastSeenAt: LAST_SEEN,
      sightings: 2,
      confirmed: true,
      changes: 0,
      deletion: false,
      absent: 0,
      quiet: undefined,
      ...some,
    },
    ...state,
  };
}

/** Somebody changed an attribute, and an apply would change it back. */
export function buildDifference(some: Partial<ResourceDifference> = {}): ResourceDifference {
  const difference = {
    address: 'fake_bucket.logs',
    type: 'fake_bucket',
    kind: 'drift' as const,
    action: 'update' as const,
    reason: undefined,
    missing: false,
    destructive: false,
    attributes: [
      {
        path: 'tags.owner',
        kind: 'drift' as const,
        applied: '"ann"',
        live: '"eve"',
        wanted: '"ann"',
        unknown: false,
        sensitive: false,
        digest: 'd',
      },
    ],
    attributesLeftOut: 0,
    ...some,
  };
  const { address, action, attributes } = difference;
  return { fingerprint: fingerprintResource(address, action, attributes), ...difference };
}

export function buildFindings(some: Partial<DriftFindings> = {}): DriftFindings {
  const resources = some.resources ?? [buildDifference()];
  return {
    sync: 'drift',
    inputs: 'unchanged',
    complete: true,
    resources,
    outputs: [],
    failedChecks: [],
    fingerprint: fingerprintDrift(resources),
    canonicalDigest: 'canonical',
    ...some,
  };
}

export function buildStoredFindings(some: Partial<StoredFindings> = {}): StoredFindings {
  const findings = some.findings ?? buildFindings();
  return { found: findings, findings, ignored: [], sha: HEAD, checkedAt: LAST_SEEN, runId: 'run-1', ...some };
}

/** What the record holds after checks that saw these resources drift. */
export function driftOf(...resources: readonly ResourceDifference[]): [DriftState, StoredFindings] {
  const findings = buildFindings({ resources });
  return [drifting({ fingerprint: findings.fingerprint ?? '' }), buildStoredFindings({ findings })];
}
