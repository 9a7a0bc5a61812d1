import type { ConfigProblem } from '../core/reply.ts';
import { suggest } from '../lib/suggestion.ts';
import { toJsonSchema, type JsonSchema } from './schema-problems.ts';
import { serverConfig } from './server-schema.ts';
import type { Path } from './yaml-file.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** One key that the environment can set. */
export interface Variable {
  readonly name: string;
  readonly path: readonly string[];
  readonly list: boolean;
}

/** The variable that names the file; it is no key of it. */
export const CONFIG_VARIABLE = 'HOLDFAST_CONFIG';

export function listVariables(
  schema: JsonSchema = toJsonSchema(serverConfig),
  path: readonly string[] = [],
): readonly Variable[] {
  const own = schema.env === undefined ? [] : [{ name: schema.env, path, list: schema.type === 'array' }];
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => listVariables(value, [...path, key]));
  return [...own, ...inner];
}

export interface FromEnvironment {
  /** The file's data with the environment's values laid over it. */
  readonly data: unknown;
  readonly problems: readonly ConfigProblem[];
  variableOf(path: Path): string | undefined;
}

/** Lays `HOLDFAST_*` over the file's data. An empty variable is taken as not set: compose files cannot unset one. */
export function overlayEnvironment(data: unknown, environment: Environment): FromEnvironment {
  const variables = listVariables();
  const set = variables.filter((variable) => Boolean(environment[variable.name]));
  let merged: unknown = data ?? {};
  for (const variable of set)
    merged = withValue(merged, variable.path, readValue(variable, environment[variable.name] ?? ''));
  const names = [...variables.map((variable) => variable.name), CONFIG_VARIABLE];
  const strange = Object.keys(environment).filter((name) => name.startsWith('HOLDFAST_') && !names.includes(name));
  return {
    data: merged,
    problems: strange.sort().map((name) => ({
      file: 'environment',
      line: undefined,
      message: `${name}: unknown variable`,
      suggestion: suggest(name, names),
    })),
    variableOf: (path) => set.find((variable) => variable.path.every((step, index) => path[index] === step))?.name,
  };
}

function readValue(variable: Variable, written: string): unknown {
  if (!variable.list) return written;
  const items = written
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  return variable.path.join('.') === 'sandbox.mounts' ? items.map(readMount) : items;
}

/** `path`, `path:ro` or `path:rw` */
function readMount(written: string): { readonly path: string; readonly mode?: string } {
  const colon = written.lastIndexOf(':');
  return colon < 0 ? { path: written } : { path: written.slice(0, colon), mode: written.slice(colon + 1) };
}

function withValue(data: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (data !== undefined && data !== null && (typeof data !== 'object' || Array.isArray(data))) return data;
  const fields = (data ?? {}) as Readonly<Record<string, unknown>>;
  return { ...fields, [key]: withValue(Object.hasOwn(fields, key) ? fields[key] : undefined, rest, value) };
}
