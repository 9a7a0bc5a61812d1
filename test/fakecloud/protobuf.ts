/**
 * A table-driven protobuf codec: varint, string, bytes, message, map and repeated, which is all that Terraform's plugin protocol uses.
 * Written here because a provider process is started several times per plan and loading a protobuf library doubles its start time.
 */
type Kind = 'int' | 'bool' | 'string' | 'bytes' | 'message';

export interface Field<T> {
  readonly number: number;
  readonly kind: Kind;
  readonly shape: Shape | undefined;
  readonly many: 'one' | 'repeated' | 'map';
  /** Never set: carries the type of the value. */
  readonly value?: T;
}

export type Shape = { readonly [name: string]: Field<unknown> };
export type Message<S extends Shape> = {
  readonly [K in keyof S]?: S[K] extends Field<infer T> ? T | undefined : never;
};

const field = <T>(number: number, kind: Kind, shape?: Shape): Field<T> => ({ number, kind, shape, many: 'one' });
export const int = (number: number): Field<number> => field(number, 'int');
export const bool = (number: number): Field<boolean> => field(number, 'bool');
export const string = (number: number): Field<string> => field(number, 'string');
export const bytes = (number: number): Field<Uint8Array> => field(number, 'bytes');
export const message = <S extends Shape>(number: number, shape: S): Field<Message<S>> =>
  field(number, 'message', shape);
export const repeated = <T>(one: Field<T>): Field<readonly T[]> =>
  ({ ...one, many: 'repeated' }) as Field<readonly T[]>;
export const map = <T>(one: Field<T>): Field<Readonly<Record<string, T>>> =>
  ({ ...one, many: 'map' }) as Field<Readonly<Record<string, T>>>;

export function encode(shape: Shape, value: { readonly [name: string]: unknown }): Buffer {
  const parts: Buffer[] = [];
  for (const [name, field] of Object.entries(shape)) {
    const given = value[name];
    if (given === undefined || given === null) continue;
    if (field.many === 'one') parts.push(encodeField(field, given));
    else if (field.many === 'repeated') for (const item of given as unknown[]) parts.push(encodeField(field, item));
    else for (const entry of Object.entries(given)) parts.push(encodeEntry(field, entry));
  }
  return Buffer.concat(parts);
}

function encodeEntry(field: Field<unknown>, [key, value]: [string, unknown]): Buffer {
  const entry = [encodeField(string(1), key), encodeField({ ...field, number: 2 }, value)];
  return delimited(field.number, Buffer.concat(entry));
}

function encodeField(field: Field<unknown>, value: unknown): Buffer {
  if (field.kind === 'int' || field.kind === 'bool') {
    return Buffer.concat([varint(field.number << 3), varint(Number(value))]);
  }
  if (field.kind === 'string') return delimited(field.number, Buffer.from(value as string));
  if (field.kind === 'bytes') return delimited(field.number, Buffer.from(value as Uint8Array));
  return delimited(field.number, encode(field.shape ?? {}, value as { readonly [name: string]: unknown }));
}

function delimited(number: number, content: Buffer): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Buffer.from(out);
}

/** Unknown fields are skipped, as protobuf asks for; a truncated message throws. */
export function decode<S extends Shape>(shape: S, input: Uint8Array): Message<S> {
  const byNumber = new Map(Object.entries(shape).map(([name, field]) => [field.number, { name, field }]));
  const out: Record<string, unknown> = {};
  const reader = new Reader(input);
  while (!reader.done) {
    const tag = reader.varint();
    const raw = reader.value(Number(tag & 7n));
    const known = byNumber.get(Number(tag >> 3n));
    if (known && raw !== undefined) assign(out, known.name, known.field, raw);
  }
  return out as Message<S>;
}

function assign(out: Record<string, unknown>, name: string, field: Field<unknown>, raw: bigint | Buffer): void {
  if (field.many === 'one') {
    out[name] = decodeField(field, raw);
  } else if (field.many === 'repeated') {
    out[name] = [...((out[name] as unknown[] | undefined) ?? []), decodeField(field, raw)];
  } else {
    const entry = decode({ key: string(1), value: { ...field, number: 2, many: 'one' } }, raw as Buffer);
    out[name] = { ...(out[name] as object | undefined), [entry.key ?? '']: entry.value };
  }
}

function decodeField(field: Field<unknown>, raw: bigint | Buffer): unknown {
  if (typeof raw === 'bigint') return field.kind === 'bool' ? raw !== 0n : Number(BigInt.asIntN(64, raw));
  if (field.kind === 'string') return raw.toString('utf8');
  if (field.kind === 'bytes') return raw;
  return decode(field.shape ?? {}, raw);
}

class Reader {
  readonly #input: Buffer;
  #at = 0;

  constructor(input: Uint8Array) {
    this.#input = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#input.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#input[this.#at++];
      if (byte === undefined || shift > 63n) throw new Error('truncated protobuf message');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  /** undefined for the fixed-size wire types, which this protocol does not use. */
  value(wireType: number): bigint | Buffer | undefined {
    if (wireType === 0) return this.varint();
    if (wireType === 2) return this.#take(Number(this.varint()));
    if (wireType !== 1 && wireType !== 5) throw new Error(`protobuf wire type ${wireType}`);
    this.#take(wireType === 1 ? 8 : 4);
    return undefined;
  }

  #take(length: number): Buffer {
    if (this.#at + length > this.#input.length) throw new Error('truncated protobuf message');
    this.#at += length;
    return this.#input.subarray(this.#at - length, this.#at);
  }
}
