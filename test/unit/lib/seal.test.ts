import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSeal, UnsealError } from '../../../src/lib/seal.ts';
import { Secret } from '../../../src/lib/secret.ts';

const key = (byte: number) => new Secret<Uint8Array>(new Uint8Array(32).fill(byte));
const seal = createSeal([key(1)]);

describe('a seal', () => {
  test('gives back what it took, whatever it was', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (plain, context) => {
        expect([...seal.open(seal.seal(plain, context), context)]).toEqual([...plain]);
      }),
    );
    expect(seal.open(seal.seal('tëxt', 'plan:1'), 'plan:1').toString()).toBe('tëxt');
  });

  test('shows nothing of it, and never the same twice', () => {
    const [a, b] = [seal.seal('the secret text', 'x'), seal.seal('the secret text', 'x')];
    expect(a.includes('secret')).toBe(false);
    expect(a.equals(b)).toBe(false);
  });

  test("does not open in another row's place", () => {
    const sealed = seal.seal('text', 'plan:1');
    expect(() => seal.open(sealed, 'plan:2')).toThrow(
      new UnsealError('the sealed bytes were changed, or belong elsewhere'),
    );
  });

  test('does not open when a single bit was changed', () => {
    const sealed = seal.seal('text', 'x');
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(() => seal.open(changed, 'x'), `byte ${at}`).toThrow(UnsealError);
    }
  });

  test('does not open when anything is cut off', () => {
    const sealed = seal.seal('', 'x');
    for (let length = 0; length < sealed.length; length++) {
      expect(() => seal.open(sealed.subarray(0, length), 'x')).toThrow(UnsealError);
    }
    expect(() => seal.open(Buffer.from('not sealed at all, but long enough to be so'), 'x')).toThrow(
      new UnsealError('not sealed by Holdfast'),
    );
  });
});

describe('keys', () => {
  test('previous ones still open, and the first one seals', () => {
    const old = seal.seal('text', 'x');
    const changed = createSeal([key(2), key(1)]);
    expect(changed.open(old, 'x').toString()).toBe('text');
    expect(() => seal.open(changed.seal('new', 'x'), 'x')).toThrow(UnsealError);
    expect(
      createSeal([key(2)])
        .open(changed.seal('new', 'x'), 'x')
        .toString(),
    ).toBe('new');
  });

  test('one that is missing is named, so that it can be found', () => {
    expect(() => createSeal([key(2)]).open(seal.seal('text', 'x'), 'x')).toThrow(
      new UnsealError(
        `sealed with the encryption key ${seal.keyId}, which is not configured; add it to the previous keys`,
      ),
    );
  });

  test('have names that tell nothing of them', () => {
    expect(seal.keyId).toMatch(/^[0-9a-f]{16}$/);
    expect(seal.keyId).not.toContain('0101');
    expect(createSeal([key(1)]).keyId).toBe(seal.keyId);
    expect(createSeal([key(2)]).keyId).not.toBe(seal.keyId);
  });
});
