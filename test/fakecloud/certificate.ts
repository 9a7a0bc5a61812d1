import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A throw-away self-signed certificate for `localhost`. */
export interface Certificate {
  readonly der: Buffer;
  readonly pem: string;
  readonly keyPem: string;
}

const HOUR = 3_600_000;

/**
 * ECDSA P-256 with a `localhost` DNS name, which is what Terraform's plugin client demands. The DER is written here because Node
 * can read X.509 but not make it, and a library would cost each provider process more time than the handshake itself.
 */
export function selfSignedCertificate(now: Date): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
  const name = sequence(tlv(0x31, sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from('localhost')))));
  const subjectAltName = sequence(oid('2.5.29.17'), tlv(4, sequence(tlv(0x82, Buffer.from('localhost')))));
  const body = sequence(
    tlv(0xa0, tlv(2, Buffer.from([2]))),
    // A serial that starts with a zero byte is refused by OpenSSL as illegal padding.
    tlv(2, Buffer.concat([Buffer.from([1]), randomBytes(14)])),
    ecdsaWithSha256,
    name,
    sequence(utcTime(now.getTime() - HOUR), utcTime(now.getTime() + 24 * 365 * HOUR)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(subjectAltName)),
  );
  const signature = sign('sha256', body, { key: privateKey, dsaEncoding: 'der' });
  const der = sequence(body, ecdsaWithSha256, tlv(3, Buffer.concat([Buffer.from([0]), signature])));
  return { der, pem: toPem(der), keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
}

/** Lines of 64 without an empty last one, at which OpenSSL stumbles. */
function toPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function tlv(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: Uint8Array[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return tlv(6, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const out = [value & 127];
  for (let rest = value >> 7; rest > 0; rest >>= 7) out.unshift((rest & 127) | 128);
  return out;
}

function utcTime(time: number): Buffer {
  const digits = new Date(time).toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return tlv(0x17, Buffer.from(`${digits}Z`));
}
