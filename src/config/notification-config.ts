import { z } from 'zod';
import { DRIFT_EVENTS } from '../core/drift/notifications.ts';
import { Secret } from '../lib/secret.ts';
import { flag, globs, text } from './schema-parts.ts';
import type { NotificationConfig } from './server-config.ts';
import { absolutePath } from './server-values.ts';
import type { Resolver } from './to-server-config.ts';
import { resolveValue, valueSource } from './value-source.ts';
import type { Path } from './yaml-file.ts';

const receiver = z.strictObject({
  name: text
    .pipe(z.string().regex(/^[\w.-]{1,50}$/, 'must have 50 letters, digits, dots, dashes and underscores at most'))
    .describe('How it is called in the delivery log. Under another name it is another receiver.'),
  kind: z
    .enum(['webhook', 'slack'])
    .describe('`webhook`: signed JSON. `slack`: an incoming webhook of Slack, or of what takes the same.'),
  url: valueSource.describe('Where to: a text, `{from_env: NAME}` or `{from_file: PATH}`. It is kept secret.'),
  secret: valueSource
    .optional()
    .describe('Of a `webhook`: the key of its signatures, 16 characters or more; written as `url` is.'),
  events: z
    .array(z.enum(DRIFT_EVENTS))
    .prefault([])
    .describe(`What it is told: ${DRIFT_EVENTS.map((event) => `\`${event}\``).join(', ')}. Default: all.`),
  repositories: globs.prefault([]).describe('Of which repositories: globs of `host/owner/name`. Default: all.'),
  ca_path: absolutePath.optional().describe('A file with certificates to trust beside the system’s, PEM.'),
  allow_link_local: flag
    .prefault(false)
    .describe('Whether it may be at a link-local address, where clouds keep the credentials of machines.'),
});

export const notifications = z.array(receiver, { error: 'must be a list of receivers' });

type Raw = z.output<typeof receiver>;

export function toNotifications(raw: readonly Raw[], resolver: Resolver): readonly NotificationConfig[] {
  return raw.flatMap((one, index) => {
    const path = ['notifications', index];
    const earlier = raw.findIndex(({ name }) => name === one.name);
    if (earlier < index) resolver.problem([...path, 'name'], `${one.name} is the name of another receiver, too`);
    return toNotification(one, path, resolver) ?? [];
  });
}

function toNotification(raw: Raw, path: Path, resolver: Resolver): NotificationConfig | undefined {
  const { name, kind, events, repositories } = raw;
  const url = toUrl(raw, [...path, 'url'], resolver);
  const ca = raw.ca_path === undefined ? undefined : resolver.readFile([...path, 'ca_path'], raw.ca_path);
  const secret = toSecret(raw, [...path, 'secret'], resolver);
  if (url === undefined) return undefined;
  const common = { name, events, repositories, url, ca, allowLinkLocal: raw.allow_link_local };
  if (kind === 'slack') return { ...common, kind };
  return secret && { ...common, kind, secret };
}

/** Often the address is all that is needed to write there, so it is not repeated. */
function toUrl({ url: source }: Raw, path: Path, resolver: Resolver): Secret | undefined {
  const value = resolveValue(source, path, resolver)?.trim();
  if (value === undefined) return undefined;
  const url = URL.parse(value);
  const usable = url !== null && ['https:', 'http:'].includes(url.protocol) && url.username === '';
  if (usable) return new Secret(value);
  resolver.problem(path, 'must be a URL that begins with https:// or http://, without a user');
  return undefined;
}

function toSecret({ kind, secret: source }: Raw, path: Path, resolver: Resolver): Secret | undefined {
  if (kind === 'slack') {
    if (source !== undefined) resolver.problem(path, 'is for a `webhook`; Slack knows us by the address');
    return undefined;
  }
  if (source === undefined) {
    resolver.problem(path, 'is required: without it anybody could send what looks like this');
    return undefined;
  }
  const value = resolveValue(source, path, resolver);
  if (value === undefined || value.length >= 16) return value === undefined ? undefined : new Secret(value);
  resolver.problem(path, 'must have 16 characters or more');
  return undefined;
}
