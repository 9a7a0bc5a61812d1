import { DIFFERENCE_KINDS, type ResourceDifference } from '../core/drift/drift.ts';
import type { DriftProject } from '../core/drift/drift-project.ts';
import type { StoredFindings } from '../core/drift/stored-findings.ts';
import type { PlanAction } from '../core/plan.ts';
import { driftContext } from '../core/sealed-contexts.ts';
import type { FindingsView, ResourceView } from '../pages/project-view.ts';
import type { PageSources } from './page-sources.ts';
import { when } from './when.ts';

/** A page with more would be of no use to people, and slow. */
const RESOURCES = 200;
const IGNORED = 200;

/** What the last check with a finding found; `unreadable`: it is sealed with a key that is lost. */
export function readStoredFindings(
  { seal }: Pick<PageSources, 'seal'>,
  { key, findings }: Pick<DriftProject, 'key' | 'findings'>,
): StoredFindings | 'unreadable' | undefined {
  if (findings === undefined) return undefined;
  try {
    return JSON.parse(seal.open(findings, driftContext(key)).toString('utf8')) as StoredFindings;
  } catch {
    return 'unreadable';
  }
}

export function presentFindings({ findings, ignored, sha, checkedAt, runId }: StoredFindings, now: Date): FindingsView {
  const gravity = ({ kind }: ResourceDifference) => DIFFERENCE_KINDS.indexOf(kind);
  // Sorted by address already, and sorting keeps the order of what is alike.
  const resources = findings.resources.toSorted((a, b) => gravity(a) - gravity(b));
  return {
    commit: sha,
    checked: when(now, new Date(checkedAt)),
    runUrl: `/runs/${encodeURIComponent(runId)}`,
    complete: findings.complete,
    resources: resources.slice(0, RESOURCES).map(presentResource),
    resourcesLeftOut: Math.max(0, resources.length - RESOURCES),
    outputs: findings.outputs,
    failedChecks: findings.failedChecks,
    ignored: ignored.slice(0, IGNORED).map(({ address, path }) => `${address} ${path}`),
    ignoredLeftOut: Math.max(0, ignored.length - IGNORED),
  };
}

const EFFECTS: Readonly<Record<PlanAction, string>> = {
  create: 'an apply makes it',
  read: 'an apply reads it',
  update: 'an apply changes it',
  replace: 'an apply deletes it and makes it anew',
  delete: 'an apply deletes it',
  forget: 'an apply forgets it',
  import: 'an apply imports it',
  move: 'an apply moves it',
};

function presentResource(resource: ResourceDifference): ResourceView {
  const { address, kind, action, missing, destructive, attributes, attributesLeftOut } = resource;
  const effect = action === undefined ? 'an apply leaves it alone' : EFFECTS[action];
  return {
    address,
    kind,
    missing,
    destructive,
    effect: missing && action === 'create' ? 'an apply makes it again' : effect,
    attributes,
    attributesLeftOut,
  };
}
