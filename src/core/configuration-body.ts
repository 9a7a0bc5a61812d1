import type { JsonObject, JsonValue } from './configuration-file.ts';

/**
 * Readers of one parsed body. HCL and the JSON form differ in nesting: a block is an object or a list of objects, with one
 * level of objects per label. Anything of another shape is passed over; Terraform itself will say what is wrong with it.
 */
export function listBlocks(body: JsonObject, name: string): readonly JsonObject[] {
  return toObjects(ownValue(body, name));
}

/** Blocks with one label, as pairs: `provider "aws" {}` is `['aws', {...}]`. */
export function listLabelled(body: JsonObject, name: string): readonly (readonly [string, JsonObject])[] {
  return listBlocks(body, name).flatMap((labels) =>
    Object.entries(labels).flatMap(([label, inner]) => toObjects(inner).map((block) => [label, block] as const)),
  );
}

/** The attribute when it is a text without expressions in it. */
export function literalText(body: JsonObject, name: string): string | undefined {
  const value = ownValue(body, name);
  return typeof value === 'string' && !/[$%]\{/.test(value) ? value : undefined;
}

/** The attribute's text, expressions and all. */
export function plainText(body: JsonObject, name: string): string | undefined {
  const value = ownValue(body, name);
  return typeof value === 'string' ? value : undefined;
}

/** Own properties only: a file may well call something `constructor`. */
export function ownValue(body: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(body, name) ? body[name] : undefined;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toObjects(value: JsonValue | undefined): readonly JsonObject[] {
  if (Array.isArray(value)) return value.filter(isObject);
  return isObject(value) ? [value] : [];
}
