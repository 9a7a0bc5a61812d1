/**
 * How the checks of a project are, whatever they find. The first that is true:
 *
 * - `paused`: it is not to be checked: suspended, switched off, archived, or gone from the branch.
 * - `failing`: its checks have failed for longer than the grace.
 * - `overdue`: a check with a finding should have been there.
 * - `never_checked`: none was there yet, and it is not overdue.
 * - `checks_failed`: what it declares with `check` blocks and conditions is not so.
 */
export const HEALTH_STATES = ['paused', 'failing', 'overdue', 'never_checked', 'checks_failed', 'ok'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];
