import { asList, memberOf } from '../json-value.ts';
import { hasEffect, type PlanJson } from '../plan-json.ts';
import { withoutKeys } from './given-values.ts';

/**
 * Tells of a resource whether it depended, when it was applied last, on another one that this plan changes. Terraform writes all of a
 * resource's dependencies into the state, those through other resources, data sources and locals included, by their addresses without
 * instance keys. What is not as documented depends on nothing.
 */
export function readDependencies(plan: PlanJson): (address: string) => boolean {
  const changes = (plan.resource_changes ?? []).filter((entry) => entry.mode !== 'data' && hasEffect(entry));
  const changing = new Set(changes.map(({ address }) => withoutKeys(address)));
  let dependencies: ReadonlyMap<string, readonly string[]> | undefined;
  return (address) => {
    dependencies ??= stateDependencies(plan);
    const own = withoutKeys(address);
    return (dependencies.get(address) ?? []).some((other) => other !== own && changing.has(other));
  };
}

function stateDependencies({ prior_state }: PlanJson): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  readModule(memberOf(memberOf(prior_state, 'values'), 'root_module'), found);
  return found;
}

function readModule(module: unknown, found: Map<string, readonly string[]>): void {
  for (const resource of asList(memberOf(module, 'resources'))) {
    found.set(String(memberOf(resource, 'address')), asList(memberOf(resource, 'depends_on')).map(String));
  }
  for (const child of asList(memberOf(module, 'child_modules'))) readModule(child, found);
}
