import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Secret } from './secret.ts';

const VERSION = 1;
const ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + ID_BYTES + NONCE_BYTES;

/** The sealed bytes were made with a key that is not at hand, or were changed. */
export class UnsealError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnsealError';
  }
}

/** Encrypts what is stored: plan files, plan texts, logs. */
export interface Seal {
  /** Names the key without telling anything of it; hex. */
  readonly keyId: string;
  /** AES-256-GCM; `context` (such as `plan:<id>`) is authenticated, so that one row's bytes do not open in another's place. */
  seal(plain: Uint8Array | string, context: string): Buffer;
  open(sealed: Uint8Array, context: string): Buffer;
}

/** The first key seals, all of them open. Each has 32 bytes. */
export function createSeal(keys: readonly [Secret<Uint8Array>, ...Secret<Uint8Array>[]]): Seal {
  const byId = new Map(keys.map((key) => [keyId(key), key]));
  const [current] = keys;
  const id = keyId(current);
  return {
    keyId: id,
    seal: (plain, context) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', current.reveal(), nonce);
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([Buffer.from([VERSION]), Buffer.from(id, 'hex'), nonce, body, cipher.getAuthTag()]);
    },
    open: (sealed, context) => {
      const bytes = Buffer.from(sealed);
      if (bytes.length < HEADER_BYTES + TAG_BYTES || bytes[0] !== VERSION)
        throw new UnsealError('not sealed by Holdfast');
      const sealedBy = bytes.subarray(1, 1 + ID_BYTES).toString('hex');
      const key = byId.get(sealedBy);
      if (key === undefined) {
        throw new UnsealError(
          `sealed with the encryption key ${sealedBy}, which is not configured; add it to the previous keys`,
        );
      }
      return decrypt(bytes, key, context);
    },
  };
}

function decrypt(bytes: Buffer, key: Secret<Uint8Array>, context: string): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key.reveal(), bytes.subarray(1 + ID_BYTES, HEADER_BYTES));
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new UnsealError('the sealed bytes were changed, or belong elsewhere');
  }
}

function keyId(key: Secret<Uint8Array>): string {
  return createHash('sha256')
    .update('holdfast key id')
    .update(key.reveal())
    .digest('hex')
    .slice(0, ID_BYTES * 2);
}
