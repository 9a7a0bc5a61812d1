import { type PlanJson, parsePlanJson } from '../../src/core/plan-json.ts';

type Values = Readonly<Record<string, unknown>>;

/** One resource instance in its versions; null: it is not there. */
export interface ResourceSketch {
  readonly address: string;
  /** As it is there now when left out. */
  readonly applied?: Values | null;
  readonly live: Values | null;
  /** As it is there now when left out: nothing is planned. */
  readonly wanted?: Values | null;
  readonly unknown?: Values;
  readonly sensitive?: Values;
  /** What Terraform would do when left out: by what `live` and `wanted` say. */
  readonly actions?: readonly string[];
  readonly reason?: string;
  readonly previousAddress?: string;
  readonly deposed?: string;
  readonly importing?: Values;
  readonly mode?: string;
  readonly dependsOn?: readonly string[];
  /** What the code says of it, as in a plan's configuration. */
  readonly given?: Values;
}

/** `show -json` of a plan about these, as Terraform writes it. */
export function sketchPlan(sketches: readonly ResourceSketch[], rest: Values = {}): PlanJson {
  const configured = sketches.filter(({ given }) => given !== undefined);
  return parsePlanJson(
    JSON.stringify({
      format_version: '1.2',
      resource_drift: sketches.flatMap(driftEntry),
      resource_changes: sketches.flatMap(changeEntry),
      prior_state: {
        values: {
          root_module: {
            resources: sketches.map(({ address, dependsOn }) => ({ address, depends_on: dependsOn })),
          },
        },
      },
      configuration: {
        root_module: { resources: configured.map(({ address, given }) => ({ address, expressions: given })) },
      },
      ...rest,
    }),
  );
}

const literal = (value: unknown) => ({ constant_value: value });

/** A resource's block with nothing but literals in it. */
export function literals(values: Values): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, literal(value)]));
}

function driftEntry(sketch: ResourceSketch): readonly Values[] {
  const { applied, live } = sketch;
  if (applied === undefined) return [];
  const change = { actions: [live === null ? 'delete' : 'update'], before: applied, after: live };
  return [entry(sketch, { ...change, after_unknown: {}, ...marks(sketch) })];
}

function changeEntry(sketch: ResourceSketch): readonly Values[] {
  const { live, wanted = live, unknown = {}, importing } = sketch;
  if (live === null && wanted === null) return [];
  const change = { actions: sketch.actions ?? actionsFor(live, wanted), before: live, after: wanted };
  return [entry(sketch, { ...change, after_unknown: unknown, ...marks(sketch), ...(importing ? { importing } : {}) })];
}

function marks({ sensitive = {} }: ResourceSketch): Values {
  return { before_sensitive: sensitive, after_sensitive: sensitive };
}

function actionsFor(live: Values | null, wanted: Values | null): readonly string[] {
  if (live === null) return ['create'];
  if (wanted === null) return ['delete'];
  return JSON.stringify(live) === JSON.stringify(wanted) ? ['no-op'] : ['update'];
}

function entry(sketch: ResourceSketch, change: Values): Values {
  return {
    address: sketch.address,
    mode: sketch.mode ?? 'managed',
    type: /([^.]+)\.[^.]+$/.exec(sketch.address)?.[1] ?? 'thing',
    ...(sketch.previousAddress === undefined ? {} : { previous_address: sketch.previousAddress }),
    ...(sketch.deposed === undefined ? {} : { deposed: sketch.deposed }),
    ...(sketch.reason === undefined ? {} : { action_reason: sketch.reason }),
    change,
  };
}
