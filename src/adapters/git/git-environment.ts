import type { GitSource } from '../../ports/vcs-host.ts';

/** What a git child may know of the network. Values are the operator's; nothing is read from this process' own environment. */
export interface GitNetwork {
  /** Proxy URLs as curl takes them. They reach git by environment, so a password in them is not in argv. */
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  /** Comma-separated hosts that are reached directly. */
  readonly noProxy?: string;
  /** PEM file with certificate authorities to trust besides the usual ones. */
  readonly caFile?: string;
}

export type GitConfig = Readonly<Record<string, string>>;

/** Where `git`, its helpers, `sh` and `flock` are looked for; the caller's own PATH is not handed on. */
const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Settings of every git call. They come by environment (`GIT_CONFIG_COUNT`), which git ranks above all files, so that
 * not even a tampered mirror's `config` could switch one back on. `transfer.fsckObjects` stays off: it turns away old,
 * harmless commits that real repositories hold; what is written to disk is checked entry by entry at export instead.
 */
const ALWAYS: GitConfig = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.attributesFile': '/dev/null',
  'core.excludesFile': '/dev/null',
  'core.autocrlf': 'false',
  'core.eol': 'lf',
  'core.symlinks': 'true',
  'core.logAllRefUpdates': 'false',
  'core.protectHFS': 'true',
  'core.protectNTFS': 'true',
  // Tidying is a job of its own: in the midst of a fetch it would make somebody wait for it.
  'gc.auto': '0',
  'maintenance.auto': 'false',
  // Small fetches stay packs too: thousands of loose files would be slower to read and to remove.
  'transfer.unpackLimit': '1',
  'fetch.recurseSubmodules': 'false',
  'submodule.recurse': 'false',
  'credential.helper': '',
  'protocol.allow': 'never',
  'http.followRedirects': 'initial',
  'http.sslVerify': 'true',
  // A connection that carries less than 1 kB/s for a minute is given up.
  'http.lowSpeedLimit': '1000',
  'http.lowSpeedTime': '60',
  // The mirrors are ours by construction; the data directory may belong to another user than the one who serves.
  'safe.directory': '*',
};

/**
 * The whole environment of a git child. No `GIT_*` of ours is inherited, there is no home directory to read `.netrc`,
 * `.gitconfig` or cookies from, and no terminal to ask.
 */
export function gitEnvironment(network: GitNetwork, config: GitConfig): Record<string, string> {
  return {
    PATH: SEARCH_PATH,
    LC_ALL: 'C',
    HOME: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_LITERAL_PATHSPECS: '1',
    ...(network.httpProxy === undefined ? {} : { http_proxy: network.httpProxy }),
    ...(network.httpsProxy === undefined ? {} : { https_proxy: network.httpsProxy }),
    ...(network.noProxy === undefined ? {} : { no_proxy: network.noProxy }),
    ...toEnvironment({ ...ALWAYS, ...config }),
  };
}

/**
 * What git needs to reach a source, besides the above: its one protocol, and a credential helper bound to its scheme,
 * host and port. The helper is a constant text that reads the values from git's environment, which only the same user
 * (and root) can see: they are in no argv, URL or file. A helper rather than `http.extraHeader`, because git would send
 * that header on to wherever a redirect leads, while it asks a helper anew for every other host, and this one is silent there.
 */
export function sourceSettings(source: GitSource): {
  readonly config: GitConfig;
  readonly env: Record<string, string>;
} {
  const url = new URL(source.url);
  const config: Record<string, string> = { [`protocol.${url.protocol.slice(0, -1)}.allow`]: 'always' };
  if (url.protocol === 'file:' || source.password === undefined) return { config, env: {} };
  config[`credential.${url.protocol}//${url.host}.helper`] =
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$HOLDFAST_GIT_USERNAME" "$HOLDFAST_GIT_PASSWORD"; }; f';
  return {
    config,
    env: {
      HOLDFAST_GIT_USERNAME: source.username ?? 'x-access-token',
      HOLDFAST_GIT_PASSWORD: source.password.reveal(),
    },
  };
}

function toEnvironment(config: GitConfig): Record<string, string> {
  const entries = Object.entries(config);
  const numbered = entries.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(entries.length), ...Object.fromEntries(numbered) };
}
