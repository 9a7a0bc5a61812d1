import { expect, test } from 'vitest';
import type { DriftProject } from '../../../../src/core/drift/drift-project.ts';
import { NO_DRIFT } from '../../../../src/core/drift/lifecycle.ts';
import { type DriftStanding, standingOf } from '../../../../src/core/drift/standing.ts';
import { drifting } from '../../../support/drift-builders.ts';

const CHECKED = new Date('2026-11-21T12:00:00Z');

test.each<readonly [DriftStanding, DriftProject['sync'], DriftProject['state'], Date | undefined]>([
  ['never', 'unknown', NO_DRIFT, undefined],
  ['unknown', 'unknown', NO_DRIFT, CHECKED],
  ['error', 'error', NO_DRIFT, undefined],
  ['in_sync', 'in_sync', NO_DRIFT, CHECKED],
  ['in_sync', 'absorbed', NO_DRIFT, CHECKED],
  ['in_sync', 'state_only', NO_DRIFT, CHECKED],
  ['pending', 'pending', NO_DRIFT, CHECKED],
  ['external', 'external', NO_DRIFT, CHECKED],
  ['unconfirmed', 'drift', drifting({ confirmed: false }), CHECKED],
  ['drift', 'drift', drifting(), CHECKED],
  ['drift', 'error', drifting(), CHECKED],
  ['drift', 'unknown', drifting(), CHECKED],
  ['silenced', 'drift', drifting({ quiet: 'Acknowledged by @ann.' }), CHECKED],
])('a project is %s with %s', (standing, sync, state, lastSuccessAt) => {
  expect(standingOf({ sync, state, lastSuccessAt })).toBe(standing);
});
