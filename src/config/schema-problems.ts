import { z } from 'zod';
import type { ConfigProblem } from '../core/reply.ts';
import { suggest } from '../lib/suggestion.ts';
import type { Path, YamlFile } from './yaml-file.ts';

/** The published form of a schema; the keys that are known at a place are read from it, too. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly env?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
}

const published = new WeakMap<z.ZodType, JsonSchema>();

export function toJsonSchema(schema: z.ZodType): JsonSchema {
  const known =
    published.get(schema) ?? (z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
  published.set(schema, known);
  return known;
}

/** Where data comes from, so that a problem can be told with its place. */
export interface Origin extends Pick<YamlFile, 'file' | 'lineOf' | 'lineOfKey'> {
  /** The environment's name of a value that came from there. */
  variableOf?(path: Path): string | undefined;
}

export type Checked<T> = { readonly value: T } | { readonly problems: readonly ConfigProblem[] };

/** Checks data against a schema; every problem with its line, and with what was probably meant. */
export function checkData<T>(schema: z.ZodType<T>, origin: Origin, data: unknown): Checked<T> {
  const result = schema.safeParse(data);
  if (result.success) return { value: result.data };
  const json = toJsonSchema(schema);
  return { problems: result.error.issues.flatMap((issue) => toProblems(issue, origin, data, json)).sort(byLine) };
}

export function byLine(a: ConfigProblem, b: ConfigProblem): number {
  return (a.line ?? 0) - (b.line ?? 0);
}

/** `projects[0].dir` */
export function formatPath(path: Path): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
}

function toProblems(
  issue: z.core.$ZodIssue,
  origin: Origin,
  data: unknown,
  json: JsonSchema,
): readonly ConfigProblem[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  if (issue.code !== 'unrecognized_keys') {
    const { message, suggestion } = describe(issue, valueAt(data, path));
    const variable = origin.variableOf?.(path);
    if (variable !== undefined) {
      return [{ file: 'environment', line: undefined, message: `${variable}: ${message}`, suggestion }];
    }
    const place = formatPath(path);
    return [
      { file: origin.file, line: origin.lineOf(path), message: place ? `${place}: ${message}` : message, suggestion },
    ];
  }
  const known = Object.keys(schemaAt(json, path)?.properties ?? {});
  return issue.keys.map((key) => ({
    file: origin.file,
    line: origin.lineOfKey(path, key),
    message: `${formatPath([...path, key])}: unknown key`,
    suggestion: suggest(key, known),
  }));
}

function describe(issue: z.core.$ZodIssue, value: unknown): Pick<ConfigProblem, 'message' | 'suggestion'> {
  const plain = (message: string) => ({ message, suggestion: undefined });
  if (value === undefined && issue.code !== 'custom') return plain('is required');
  if (issue.code === 'invalid_value') {
    const allowed = issue.values.map(String);
    const written = typeof value === 'string' ? value : JSON.stringify(value);
    const message = `${JSON.stringify(written.slice(0, 100))} is not a valid value, only ${allowed.map((one) => `"${one}"`).join(', ')} are supported`;
    return { message, suggestion: suggest(written, allowed) };
  }
  if (issue.code === 'invalid_key') return plain(issue.issues[0]?.message ?? issue.message);
  if (issue.code !== 'invalid_type' || !issue.message.startsWith('Invalid input')) return plain(issue.message);
  const names: Readonly<Record<string, string>> = {
    object: 'a mapping of keys',
    record: 'a mapping of keys',
    array: 'a list',
    string: 'text',
    number: 'a whole number',
    int: 'a whole number',
  };
  return plain(`must be ${names[issue.expected] ?? issue.expected}`);
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[step] : undefined,
    data,
  );
}

function schemaAt(json: JsonSchema, path: Path): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>((schema, step) => {
    if (typeof step === 'number') return schema?.items;
    const inner =
      schema?.properties && Object.hasOwn(schema.properties, step)
        ? schema.properties[step]
        : schema?.additionalProperties;
    return typeof inner === 'object' ? inner : undefined;
  }, json);
}
