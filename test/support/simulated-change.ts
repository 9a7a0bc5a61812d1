import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { DifferenceKind, InputsComparison } from '../../src/core/drift/drift.ts';
import { literals, type ResourceSketch } from './drift-plan.ts';

/** What befell one value: nobody, somebody in the console, the code (or what it reads), both, or the console and then the code. */
export type Event = 'none' | 'hand' | 'code' | 'both' | 'merged';
/** An element of a set; who put it there or took it away. */
export type ElementEvent = 'none' | 'hand added' | 'hand removed' | 'code added' | 'code removed' | 'merged';
/** An object as a whole. */
export type ObjectEvent = 'kept' | 'removed by hand' | 'removed by code' | 'removed by both' | 'new' | 'tainted';

export interface SimulatedResource {
  readonly address: string;
  readonly object: ObjectEvent;
  /** Changing it means a replacement. */
  readonly name: Event;
  readonly size: Event;
  /** Edited by hand and under `ignore_changes`, or computed by the provider. */
  readonly ignored: boolean;
  readonly computed: boolean;
  readonly tags: readonly Event[];
  readonly rules: readonly Event[];
  readonly groups: readonly ElementEvent[];
}

const event = fc.constantFrom<Event>('none', 'none', 'none', 'hand', 'code', 'both', 'merged');
const element = fc.constantFrom<ElementEvent>(
  'none',
  'hand added',
  'hand removed',
  'code added',
  'code removed',
  'merged',
);
const object = fc.constantFrom<ObjectEvent>(
  'kept',
  'kept',
  'kept',
  'kept',
  'removed by hand',
  'removed by code',
  'removed by both',
  'new',
  'tainted',
);

export const simulatedResources: fc.Arbitrary<readonly SimulatedResource[]> = fc
  .array(
    fc.record({
      object,
      name: event,
      size: event,
      ignored: fc.boolean(),
      computed: fc.boolean(),
      tags: fc.array(event, { maxLength: 3 }),
      rules: fc.array(event, { maxLength: 3 }),
      groups: fc.array(element, { maxLength: 5 }),
    }),
    { maxLength: 6 },
  )
  .map((list) => list.map((one, index) => ({ ...one, address: `x_thing.a${index}` })));

type Version = 'applied' | 'live' | 'wanted';

const CHANGED_IN: Readonly<Record<Event, Readonly<Record<Version, string>>>> = {
  none: { applied: 'old', live: 'old', wanted: 'old' },
  hand: { applied: 'old', live: 'hand', wanted: 'old' },
  code: { applied: 'old', live: 'old', wanted: 'code' },
  both: { applied: 'old', live: 'hand', wanted: 'code' },
  merged: { applied: 'old', live: 'hand', wanted: 'hand' },
};

const THERE_IN: Readonly<Record<ElementEvent, readonly Version[]>> = {
  none: ['applied', 'live', 'wanted'],
  'hand added': ['live'],
  'hand removed': ['applied', 'wanted'],
  'code added': ['wanted'],
  'code removed': ['applied', 'live'],
  merged: ['live', 'wanted'],
};

/** The object in one version; what the provider computes is left out of what is wanted when an apply does anything. */
function objectIn(resource: SimulatedResource, version: Version, effect: boolean): Readonly<Record<string, unknown>> {
  const { name, size, tags, rules, groups } = resource;
  const byHand = version === 'applied' ? 'old' : 'hand';
  const computed = resource.computed ? byHand : 'old';
  return {
    name: CHANGED_IN[name][version],
    size: CHANGED_IN[size][version],
    ignored: resource.ignored ? byHand : 'old',
    ...(version === 'wanted' && effect ? {} : { etag: computed }),
    tags: Object.fromEntries(tags.map((one, index) => [`k${index}`, CHANGED_IN[one][version]])),
    rule: rules.map((one, index) => ({ port: 8_000 + index, cidr: CHANGED_IN[one][version] })),
    groups: inSetOrder(groups.flatMap((one, index) => (THERE_IN[one].includes(version) ? [{ id: index }] : []))),
  };
}

/** As Terraform orders sets of objects: by a hash, so that any other element may stand anywhere. */
function inSetOrder(elements: readonly unknown[]): readonly unknown[] {
  const hash = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex');
  return elements.toSorted((left, right) => (hash(left) < hash(right) ? -1 : 1));
}

/** What Terraform would write of it. */
export function sketchOf(resource: SimulatedResource): ResourceSketch {
  const { address } = resource;
  const [applied, live, kept] = (['applied', 'live', 'wanted'] as const).map((one) => objectIn(resource, one, false));
  if (!applied || !live || !kept) throw new Error('unreachable');
  const effect = JSON.stringify(live) !== JSON.stringify(kept);
  const replaced = live['name'] !== kept['name'];
  const given = {
    ...literals({ ignored: 'old' }),
    ...Object.fromEntries(['name', 'size', 'tags', 'rule', 'groups'].map((key) => [key, { references: ['var.x'] }])),
  };
  const made = { wanted: objectIn(resource, 'wanted', true), unknown: { etag: true } };
  const drifted = JSON.stringify(applied) === JSON.stringify(live) ? {} : { applied };
  switch (resource.object) {
    case 'removed by hand':
      // Made again, it has what the code says, and not what was kept in spite of it.
      return { address, given, applied, live: null, ...made, wanted: { ...made.wanted, ignored: 'old' } };
    case 'removed by both':
      return { address, applied, live: null, wanted: null };
    case 'removed by code':
      return { address, ...drifted, live, wanted: null };
    case 'new':
      return { address, given, live: null, ...made };
    case 'tainted':
      return {
        address,
        given,
        ...drifted,
        live,
        ...made,
        actions: ['delete', 'create'],
        reason: 'replace_because_tainted',
      };
    case 'kept': {
      const wanted = effect ? made : { wanted: kept };
      return { address, given, ...drifted, live, ...wanted, ...(replaced ? { actions: ['delete', 'create'] } : {}) };
    }
  }
}

const CAUSE = { changed: 'pending', unchanged: 'external', unknown: 'baseline_unknown' } as const;

function kindOf(befallen: Event, inputs: InputsComparison): DifferenceKind | undefined {
  if (befallen === 'none') return undefined;
  if (befallen === 'hand') return 'drift';
  if (befallen === 'both') return 'conflict';
  if (befallen === 'code') return CAUSE[inputs];
  return inputs === 'changed' ? 'absorbed' : 'state_only';
}

/** What is to be found, by `PATH` (`(all)` for the whole object), the set `groups` left out. */
export function truthOf(
  resource: SimulatedResource,
  inputs: InputsComparison,
): Readonly<Record<string, DifferenceKind>> {
  const events: readonly (readonly [string, Event])[] = [
    ['name', resource.name],
    ['size', resource.size],
    ...resource.tags.map((one, index) => [`tags.k${index}`, one] as const),
    ...resource.rules.map((one, index) => [`rule[${index}].cidr`, one] as const),
  ];
  const edited = [...(resource.ignored ? ['ignored'] : []), ...(resource.computed ? ['etag'] : [])];
  const each = (kind: (one: Event) => DifferenceKind | undefined) =>
    events.flatMap(([path, one]) => {
      const found = kind(one);
      return found === undefined ? [] : [[path, found] as const];
    });
  const byHand = (kind: DifferenceKind) => edited.map((path) => [path, kind] as const);
  const isEdited = (one: Event) => one === 'hand' || one === 'both' || one === 'merged';
  switch (resource.object) {
    case 'removed by hand': {
      const changed = each((one) => (CHANGED_IN[one].applied === CHANGED_IN[one].wanted ? undefined : CAUSE[inputs]));
      return Object.fromEntries([['(all)', 'drift'], ...changed]);
    }
    case 'removed by both':
      return { '(all)': inputs === 'changed' ? 'absorbed' : 'state_only' };
    case 'removed by code':
      return Object.fromEntries([
        ['(all)', CAUSE[inputs]],
        ...each((one) => (isEdited(one) ? 'state_only' : undefined)),
        ...byHand('state_only'),
      ]);
    case 'new':
      return { '(all)': CAUSE[inputs] };
    case 'tainted':
      return Object.fromEntries([['(all)', 'pending'], ...each((one) => kindOf(one, inputs)), ...byHand('state_only')]);
    case 'kept':
      return Object.fromEntries([...each((one) => kindOf(one, inputs)), ...byHand('state_only')]);
  }
}
