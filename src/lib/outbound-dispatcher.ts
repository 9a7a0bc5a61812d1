import type { LookupFunction } from 'node:net';
import { getCACertificates } from 'node:tls';
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import type { Secret } from './secret.ts';

export interface OutboundOptions {
  /** `http://user:password@proxy:3128`; undefined: direct. */
  readonly proxyUrl: Secret | undefined;
  /** Hosts, `.domains` or `host:port` that are reached directly, as in NO_PROXY. */
  readonly noProxy: readonly string[];
  /** PEM text of certificates that are trusted beside those Node.js trusts. */
  readonly ca: string | undefined;
  /** How names are looked up for direct connections; behind a proxy that is the proxy's. Default: the system's. */
  readonly lookup?: LookupFunction;
}

/**
 * How HTTP leaves this program: through a proxy, trusting an organisation's own certificates. Built from values only;
 * undici's proxy agent would read the environment for whatever it is not given, so it is given everything.
 */
export function createOutboundDispatcher(options: OutboundOptions): Dispatcher {
  const tls = options.ca === undefined ? {} : { ca: [...getCACertificates('default'), options.ca] };
  const connect = options.lookup === undefined ? tls : { ...tls, lookup: options.lookup };
  if (!options.proxyUrl) return new Agent({ connect });
  const proxy = options.proxyUrl.reveal();
  return new EnvHttpProxyAgent({
    httpProxy: proxy,
    httpsProxy: proxy,
    noProxy: options.noProxy.join(','),
    connect,
    requestTls: tls,
    proxyTls: tls,
  });
}
