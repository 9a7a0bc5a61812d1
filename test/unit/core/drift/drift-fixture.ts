import type { DriftFindings, ResourceDifference } from '../../../../src/core/drift/drift.ts';
import type { Quiet } from '../../../../src/core/drift/silence-rules.ts';
import {
  NO_DRIFT,
  observe,
  type DriftObservation,
  type DriftState,
  type Observed,
} from '../../../../src/core/drift/lifecycle.ts';

export const START = Date.parse('2026-11-21T12:00:00Z');
/** So many minutes after the start. */
export const at = (minutes: number): Date => new Date(START + minutes * 60_000);

function findings(some: Partial<DriftFindings> = {}): DriftFindings {
  return {
    sync: 'in_sync',
    inputs: 'unchanged',
    complete: true,
    resources: [],
    outputs: [],
    failedChecks: [],
    fingerprint: undefined,
    canonicalDigest: 'd',
    ...some,
  };
}

function resource(missing: boolean): ResourceDifference {
  return {
    address: 'a.b',
    type: 'a',
    kind: 'drift',
    action: missing ? 'create' : 'update',
    reason: undefined,
    missing,
    destructive: false,
    attributes: [],
    attributesLeftOut: 0,
    fingerprint: 'r',
  };
}

interface Seen {
  /** Whether the one resource is gone, or each of several. */
  readonly missing?: boolean | readonly boolean[];
  readonly quiet?: Quiet;
  readonly fresh?: boolean;
}

/** A check that saw drift. */
export function drifting(fingerprint = 'f1', { missing = false, quiet, fresh = true }: Seen = {}): DriftObservation {
  const found = findings({ sync: 'drift', fingerprint, resources: [missing].flat().map(resource) });
  return { kind: 'findings', findings: found, silenced: { findings: found, quiet }, fresh, putRightBy: undefined };
}

/** A check that saw none. */
export function clean(sync: DriftFindings['sync'] = 'in_sync', putRightBy?: string): DriftObservation {
  const found = findings({ sync });
  return {
    kind: 'findings',
    findings: found,
    silenced: { findings: found, quiet: undefined },
    fresh: true,
    putRightBy,
  };
}

/** Drift of which the rules leave nothing. */
export function ignored(fresh = true): DriftObservation {
  const silenced = { findings: findings(), quiet: undefined };
  return {
    kind: 'findings',
    findings: findings({ sync: 'drift', fingerprint: 'f1' }),
    silenced,
    fresh,
    putRightBy: undefined,
  };
}

export const FAILED: DriftObservation = { kind: 'error' };
export const UNKNOWN: DriftObservation = { kind: 'unknown' };

export type Step = readonly [minutes: number, observation: DriftObservation];

/** What is known after all steps, and what the last one asked for. */
export function play(steps: readonly Step[], confirmations = 2, from: DriftState = NO_DRIFT): Observed {
  return steps.reduce<Observed>(
    ({ state }, [minutes, observation]) => observe(state, observation, { confirmations }, at(minutes)),
    { state: from, recheckAt: undefined },
  );
}

/** Drift that was confirmed after ten minutes. */
export const CONFIRMED: DriftState = play([
  [0, drifting()],
  [10, drifting()],
]).state;
