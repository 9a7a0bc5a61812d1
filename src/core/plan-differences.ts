import type { CanonicalChange, CanonicalPlan } from './canonical-plan.ts';
import type { PlanDifference } from './reply.ts';

/** What two plans would do differently, one entry per address; no values, for they may be secret. Empty when both do the same. */
export function listPlanDifferences(approved: CanonicalPlan, now: CanonicalPlan): readonly PlanDifference[] {
  if (approved.digest === now.digest) return [];
  const found = [...compare(approved.changes, now.changes, ''), ...compare(approved.outputs, now.outputs, 'output.')];
  return found.length > 0 ? found : [{ address: 'the plan', approved: 'one plan', now: 'another plan' }];
}

type Changes = Readonly<Record<string, CanonicalChange>>;

function compare(approved: Changes, now: Changes, prefix: string): readonly PlanDifference[] {
  const addresses = [...new Set([...Object.keys(approved), ...Object.keys(now)])].toSorted();
  return addresses.flatMap((address) => {
    const before = Object.hasOwn(approved, address) ? approved[address] : undefined;
    const after = Object.hasOwn(now, address) ? now[address] : undefined;
    const difference = describe(before, after);
    return difference === undefined ? [] : [{ address: `${prefix}${address}`, ...difference }];
  });
}

function describe(
  before: CanonicalChange | undefined,
  after: CanonicalChange | undefined,
): Pick<PlanDifference, 'approved' | 'now'> | undefined {
  if (before === undefined || after === undefined || before.action !== after.action) {
    return { approved: before?.action, now: after?.action };
  }
  const names = [...new Set([...Object.keys(before.attributes), ...Object.keys(after.attributes)])].toSorted();
  const different = names.filter((name) => before.attributes[name] !== after.attributes[name]);
  if (different.length === 0) return undefined;
  const listed = different.map((name) => (name === '' ? 'its value' : name)).join(', ');
  return { approved: before.action, now: `${after.action}, with other values of ${listed}` };
}
