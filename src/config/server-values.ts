import { isIP } from 'node:net';
import { z } from 'zod';
import { parseDuration, parseScaled } from '../lib/duration.ts';
import { compileRegex } from '../lib/linear-regex.ts';
import { text } from './schema-parts.ts';

/** The written forms of the server's values: durations, sizes, addresses, URLs. */
const SIZES: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** Milliseconds. */
export const duration = scaled(parseDuration, 'a duration such as 30s, 10m, 12h or 7d');
/** Bytes. */
export const size = scaled((written) => parseScaled(written, SIZES), 'a size such as 512MiB or 2GiB');

function scaled(parse: (written: string) => number | undefined, what: string) {
  return text.transform((written, context) => {
    const value = parse(written);
    if (value !== undefined) return value;
    context.addIssue(`must be ${what}, not ${JSON.stringify(written)}`);
    return z.NEVER;
  });
}

export const count = z.coerce
  .number()
  .int('must be a whole number')
  .min(1, 'must be 1 or more')
  .max(100_000, 'must be 100000 at most');

export const listenAddress = text.transform((written, context) => {
  const match = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]|(?<four>[^\s:/]+)):(?<port>\d{1,5})$/.exec(written);
  const port = Number(match?.groups?.port ?? Number.NaN);
  if (match && port <= 65_535) return { host: match.groups?.six ?? match.groups?.four ?? '', port };
  context.addIssue(`must be host:port such as 127.0.0.1:4141 or [::1]:4141, not ${JSON.stringify(written)}`);
  return z.NEVER;
});

/** An IP address, or a network in CIDR form. */
export const addressOrNetwork = text.superRefine((written, context) => {
  const [address = '', prefix = '', ...rest] = written.split('/');
  const longest = isIP(address) === 6 ? 128 : 32;
  const isNetwork = /^\d{1,3}$/.test(prefix) && Number(prefix) <= longest;
  if (isIP(address) === 0 || rest.length > 0 || (written.includes('/') && !isNetwork))
    context.addIssue(`must be an IP address, or a network such as 10.0.0.0/8, not ${JSON.stringify(written)}`);
});

/** A URL of one of these protocols, without a slash at its end. The value may hold a password, so it is not repeated. */
export function url(protocols: readonly string[]) {
  return text.transform((written, context) => {
    const parsed = URL.parse(written);
    if (parsed && protocols.includes(parsed.protocol)) return written.replace(/\/+$/, '');
    context.addIssue(`must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`);
    return z.NEVER;
  });
}

export const repositoryId = text.superRefine((written, context) => {
  if (!written.startsWith('/')) {
    if (!/^[^\s/]+(?:\/[^\s/]+){2,}$/.test(written))
      context.addIssue('must be host/owner/name, or a /regular expression/');
    return;
  }
  const regex =
    written.length > 1 && written.endsWith('/')
      ? compileRegex(written.slice(1, -1))
      : { problem: 'it does not end with a slash' };
  if ('problem' in regex) context.addIssue(`parsing ${written}: ${regex.problem}`);
});

/** 32 bytes as base64 or as 64 hexadecimal digits. */
export const encryptionKey = text.transform((written, context): Uint8Array => {
  const bytes = Buffer.from(written.trim(), /^[0-9a-fA-F]{64}$/.test(written.trim()) ? 'hex' : 'base64');
  if (bytes.length === 32) return new Uint8Array(bytes);
  context.addIssue('must be 32 bytes as base64 or as 64 hexadecimal digits; `openssl rand -base64 32` makes one');
  return z.NEVER;
});

export const absolutePath = text.superRefine((written, context) => {
  if (!written.startsWith('/')) context.addIssue(`must be an absolute path, not ${JSON.stringify(written)}`);
});
