import type { DriftProject } from './drift-project.ts';

/**
 * Where a project stands, for people.
 *
 * - `drift`: there is drift, and people are told of it.
 * - `unconfirmed`: drift was seen, too seldom to be told of. `silenced`: somebody lives with it.
 * - `pending`, `baseline_unknown`, `external`: see `DifferenceKind`.
 * - `error`: the last check failed, and no drift was known before. `unknown`: it came to an end and proved nothing.
 * - `never`: no check has come to an end yet.
 * - `in_sync`: an apply would change nothing.
 */
export const STANDINGS = [
  'drift',
  'unconfirmed',
  'silenced',
  'pending',
  'baseline_unknown',
  'external',
  'error',
  'unknown',
  'never',
  'in_sync',
] as const;
export type DriftStanding = (typeof STANDINGS)[number];

/** Drift that is known stays so until a check says otherwise, which one that fails does not. */
export function standingOf({
  sync,
  state,
  lastSuccessAt,
}: Pick<DriftProject, 'sync' | 'state' | 'lastSuccessAt'>): DriftStanding {
  if (state.drift !== undefined) {
    if (!state.drift.confirmed) return 'unconfirmed';
    return state.drift.quiet === undefined ? 'drift' : 'silenced';
  }
  if (sync === 'unknown' && lastSuccessAt === undefined) return 'never';
  return sync === 'state_only' || sync === 'absorbed' ? 'in_sync' : sync;
}
