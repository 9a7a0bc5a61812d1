import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { selfSignedCertificate } from '../../fakecloud/certificate.ts';
import { bool, bytes, decode, encode, int, map, message, repeated, string } from '../../fakecloud/protobuf.ts';
import { fromDynamic, isUnknown, toDynamic, UNKNOWN } from '../../fakecloud/values.ts';

const inner = { name: string(1), size: int(2) };
const shape = {
  text: string(1),
  number: int(2),
  flag: bool(3),
  raw: bytes(4),
  one: message(5, inner),
  many: repeated(message(6, inner)),
  byName: map(message(7, inner)),
};

describe('the protobuf codec', () => {
  test('what is encoded is decoded', () => {
    const part = fc.record({ name: fc.string({ minLength: 1 }), size: fc.maxSafeInteger() });
    const value = fc.record({
      text: fc.string({ minLength: 1, unit: 'grapheme' }),
      number: fc.maxSafeInteger(),
      flag: fc.boolean(),
      one: part,
      many: fc.array(part, { minLength: 1, maxLength: 4 }),
      byName: fc.dictionary(
        fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
        part,
        { minKeys: 1, maxKeys: 4, noNullPrototype: true },
      ),
    });
    fc.assert(
      fc.property(value, (given) => {
        expect(decode(shape, encode(shape, given))).toEqual(given);
      }),
    );
  });

  test('is what the wire format says', () => {
    // From "Encoding" in the Protocol Buffers documentation.
    expect(encode({ a: int(1) }, { a: 150 }).toString('hex')).toBe('089601');
    expect(encode({ b: string(2) }, { b: 'testing' }).toString('hex')).toBe('120774657374696e67');
    expect(decode({ a: int(1) }, Buffer.from('089601', 'hex'))).toEqual({ a: 150 });
  });

  test('skips fields it does not know and refuses what is cut off', () => {
    const whole = encode(shape, { text: 'hello', number: 5 });
    expect(decode({ number: int(2) }, whole)).toEqual({ number: 5 });
    expect(() => decode(shape, whole.subarray(0, 4))).toThrow('truncated');
  });
});

test('unknown values travel as an extension', () => {
  expect(Buffer.from(toDynamic({ a: UNKNOWN }).msgpack ?? []).toString('hex')).toBe('81a161d40000');
  const refined = Buffer.from('81a161c7090c8201c202a47072652d', 'hex');
  expect(isUnknown(fromDynamic({ msgpack: refined })?.['a'])).toBe(true);
  expect(fromDynamic({ msgpack: Buffer.from('c0', 'hex') })).toBeNull();
});

test('certificates are accepted by OpenSSL, whatever serial is drawn', () => {
  for (let round = 0; round < 50; round++) {
    const { pem, der } = selfSignedCertificate(new Date());
    const certificate = new X509Certificate(pem);
    expect(certificate.subjectAltName).toBe('DNS:localhost');
    expect(certificate.raw.equals(der)).toBe(true);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  }
});
