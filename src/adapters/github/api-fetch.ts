import { type BodyInit, type Dispatcher, type RequestInit, Response, fetch as undiciFetch } from 'undici';
import { HostRefusedError } from '../../core/host-error.ts';
import type { Clock } from './clock.ts';
import type { EtagCache } from './etag-cache.ts';
import type { RateGate } from './rate-gate.ts';

export interface ApiFetchOptions {
  /** Proxy and trusted certificates; undefined: a direct connection with the system's. */
  readonly dispatcher: Dispatcher | undefined;
  /** Of one request, from its start to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly gate: RateGate;
  readonly cache: EtagCache;
  /** Names the credential, so that no two share a cached answer. */
  readonly cacheScope: string;
  readonly clock: Clock;
  /** A fresh `authorization` header; undefined: the one Octokit has set. A 401 asks for it once more with `refused`. */
  readonly authorize?: (refused: boolean) => Promise<string>;
}

interface ApiRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: BodyInit | null;
  readonly signal: AbortSignal;
  /** The caller looks at redirects itself. */
  readonly manual: boolean;
}

/** The version of the REST API that the calls were written against; older servers know it as well. */
const API_VERSION = '2022-11-28';
const REDIRECTS = new Set([301, 302, 307, 308]);
const MAX_REDIRECTS = 3;

/**
 * The `fetch` given to Octokit. What Octokit leaves open is settled here, in one place for every call:
 * a time limit, the gate of the credential, conditional GETs, and redirects.
 *
 * A renamed repository answers 301. `fetch` by the book would turn a POST into a GET and report success, so redirects
 * are followed by hand, with the method and body they came with: the redirected request was not carried out yet, so
 * this sends no write twice. Only within the API's own origin, because the credential goes with it; and not when the
 * caller asks for `redirect: 'manual'`, as for issues, whose redirects lead to another repository.
 */
export function createApiFetch(options: ApiFetchOptions) {
  return async function apiFetch(url: string, init: RequestInit = {}): Promise<Response> {
    const resource = new URL(url).pathname.endsWith('/graphql') ? 'graphql' : 'core';
    options.gate.check(resource);
    const timeout = AbortSignal.timeout(options.timeoutMs);
    const request: ApiRequest = {
      method: init.method ?? 'GET',
      headers: { 'x-github-api-version': API_VERSION, ...lowerCased(init.headers) },
      body: init.body ?? null,
      signal: init.signal ? AbortSignal.any([init.signal, timeout]) : timeout,
      manual: init.redirect === 'manual',
    };
    const response = await sendAuthorized(options, url, request);
    return observed(options, resource, response);
  };
}

/** Octokit always passes a plain record of headers. */
function lowerCased(headers: RequestInit['headers']): Record<string, string> {
  const entries = Object.entries((headers ?? {}) as Record<string, string>);
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

/** A 401 was not carried out either, so one more try with a new token is safe for writes, too. */
async function sendAuthorized(options: ApiFetchOptions, url: string, request: ApiRequest): Promise<Response> {
  if (!options.authorize) return sendConditional(options, url, request);
  request.headers.authorization = await options.authorize(false);
  const response = await sendConditional(options, url, request);
  if (response.status !== 401) return response;
  await response.text();
  request.headers.authorization = await options.authorize(true);
  return sendConditional(options, url, request);
}

async function sendConditional(options: ApiFetchOptions, url: string, request: ApiRequest): Promise<Response> {
  if (request.method !== 'GET') return sendFollowing(options, url, request);
  const key = `${options.cacheScope} ${request.headers.accept ?? ''} ${url}`;
  const known = options.cache.get(key);
  if (known) request.headers['if-none-match'] = known.etag;
  const response = await sendFollowing(options, url, request);
  if (response.status === 304 && known) {
    return new Response(known.body, { status: 200, headers: { ...known.headers, ...limitHeaders(response) } });
  }
  const etag = response.headers.get('etag');
  if (response.status !== 200 || !etag) return response;
  const body = await response.text();
  const headers = Object.fromEntries(response.headers);
  // The body is text now, whatever its encoding was on the wire.
  delete headers['content-encoding'];
  delete headers['content-length'];
  options.cache.set(key, { etag, headers, body });
  return new Response(body, { status: 200, headers });
}

function limitHeaders(response: Response): Record<string, string> {
  return Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('x-ratelimit-')));
}

async function sendFollowing(options: ApiFetchOptions, url: string, request: ApiRequest): Promise<Response> {
  const { manual, ...init } = request;
  let at = new URL(url);
  for (let hop = 0; ; hop += 1) {
    const response = await undiciFetch(at, {
      ...init,
      redirect: 'manual',
      ...(options.dispatcher ? { dispatcher: options.dispatcher } : {}),
    });
    if (manual) return response;
    if (!REDIRECTS.has(response.status)) return unredirected(response, request, at);
    await response.text();
    at = redirectTarget(response, request, at, hop);
  }
}

function unredirected(response: Response, request: ApiRequest, at: URL): Response {
  if (response.status !== 303) return response;
  throw new HostRefusedError(`${request.method} ${at.pathname} was answered with a redirect to something else (303)`, {
    status: 303,
  });
}

function redirectTarget(response: Response, request: ApiRequest, from: URL, hop: number): URL {
  const location = response.headers.get('location');
  const target = location && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (target?.origin === from.origin && hop < MAX_REDIRECTS) return target;
  const to = target ? target.origin : 'nowhere';
  throw new HostRefusedError(
    `${request.method} ${from.pathname} was redirected to ${to}; check that the API URL is the host's own`,
    { status: response.status },
  );
}

async function observed(options: ApiFetchOptions, resource: string, response: Response): Promise<Response> {
  const { status } = response;
  const message = status === 403 || status === 429 ? await response.clone().text() : '';
  options.gate.observe(resource, { status, message, header: (name) => response.headers.get(name) ?? undefined });
  return response;
}
