import { decode, ExtData, encode } from '@msgpack/msgpack';
import type { Message } from './protobuf.ts';
import type { dynamicValue } from './tfplugin6.ts';

/** Not known before the apply. Terraform sends it as a msgpack extension of any type and takes type 0. */
export const UNKNOWN = new ExtData(0, new Uint8Array(1));
export type Attributes = Readonly<Record<string, unknown>>;

export function isUnknown(value: unknown): boolean {
  return value instanceof ExtData;
}

export function toDynamic(value: Attributes | null): Message<typeof dynamicValue> {
  return { msgpack: encode(value) };
}

export function fromDynamic(value: Message<typeof dynamicValue> | undefined): Attributes | null {
  if (value?.msgpack?.length) return decode(value.msgpack) as Attributes | null;
  if (value?.json?.length) return JSON.parse(Buffer.from(value.json).toString('utf8')) as Attributes | null;
  return null;
}
