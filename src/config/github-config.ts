import { Secret } from '../lib/secret.ts';
import type { GithubConfig } from './server-config.ts';
import type { RawServerConfig } from './server-schema.ts';
import type { Resolver } from './to-server-config.ts';

type Raw = RawServerConfig['github'];

/** undefined when GitHub is not used, or after a problem. */
export function toGithub(raw: Raw, resolver: Resolver): GithubConfig | undefined {
  const token = readEither(raw, 'token', resolver);
  const privateKey = readEither(raw, 'private_key', resolver);
  const auth = toAuth(token, raw.app_id, privateKey, resolver);
  const ca = raw.ca_path === undefined ? undefined : resolver.readFile(['github', 'ca_path'], raw.ca_path);
  const [first, ...others] = raw.webhook_secret.map((secret) => new Secret(secret));
  if (auth === undefined) return undefined;
  if (first === undefined) {
    resolver.problem(
      ['github', 'webhook_secret'],
      'is required (HOLDFAST_GITHUB_WEBHOOK_SECRET): without it anyone could send webhooks',
    );
    return undefined;
  }
  const clone = splitCloneUrl(raw.clone_url ?? `${webOrigin(raw.api_url)}/{owner}/{repo}.git`);
  return {
    apiUrl: raw.api_url,
    host: hostOf(raw.api_url),
    ...clone,
    auth,
    webhookSecrets: [first, ...others],
    ca,
    writesPerMinute: raw.writes_per_minute,
    writesPerHour: raw.writes_per_hour,
  };
}

/** A credential in a URL would be seen in the arguments of git, in its messages and in the mirror's files. */
function splitCloneUrl(url: string): Pick<GithubConfig, 'cloneUrl' | 'cloneCredential'> {
  const match = /^(?<scheme>https?:\/\/)(?<username>[^/@:]*)(?::(?<password>[^/@]*))?@(?<rest>.*)$/.exec(url);
  const { scheme, username = '', password = '', rest } = match?.groups ?? {};
  if (scheme === undefined) return { cloneUrl: url, cloneCredential: undefined };
  const credential = { username: decode(username), password: new Secret(decode(password)) };
  return { cloneUrl: `${scheme}${rest}`, cloneCredential: credential };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function toAuth(
  token: string | undefined,
  appId: string | undefined,
  privateKey: string | undefined,
  resolver: Resolver,
): GithubConfig['auth'] | undefined {
  if (token !== undefined && (appId !== undefined || privateKey !== undefined)) {
    resolver.problem(
      ['github', 'token'],
      'cannot be set together with app_id and private_key: choose a token or an App',
    );
    return undefined;
  }
  if (token !== undefined) return { kind: 'token', token: new Secret(token) };
  if (appId !== undefined && privateKey !== undefined)
    return { kind: 'app', appId, privateKey: new Secret(privateKey) };
  if (appId !== undefined) resolver.problem(['github', 'private_key'], 'is required with app_id');
  if (privateKey !== undefined) resolver.problem(['github', 'app_id'], 'is required with private_key');
  return undefined;
}

function readEither(raw: Raw, name: 'token' | 'private_key', resolver: Resolver): string | undefined {
  const path = raw[`${name}_path`];
  // One line is how environments often carry a PEM text.
  if (path === undefined) return raw[name]?.replaceAll('\\n', '\n');
  if (raw[name] !== undefined) resolver.problem(['github', `${name}_path`], `cannot be set together with ${name}`);
  return resolver.readFile(['github', `${name}_path`], path)?.trim();
}

/** The name a repository is allowed and recorded under. */
function hostOf(apiUrl: string): string {
  const { hostname } = new URL(apiUrl);
  return hostname === 'api.github.com' ? 'github.com' : hostname;
}

/** GitHub Enterprise Cloud with data residency has its API on `api.NAME.ghe.com`, the Server on `NAME/api/v3`. */
function webOrigin(apiUrl: string): string {
  const { protocol, host } = new URL(apiUrl);
  return `${protocol}//${/^api\.(?:github|[\w-]+\.ghe)\.com$/.test(host) ? host.slice('api.'.length) : host}`;
}
