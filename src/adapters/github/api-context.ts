import { Octokit } from '@octokit/rest';
import type { Dispatcher } from 'undici';
import { createApiFetch } from './api-fetch.ts';
import type { Clock } from './clock.ts';
import { EtagCache } from './etag-cache.ts';
import { type GithubLog, octokitLog } from './github-log.ts';
import { RateGate } from './rate-gate.ts';
import { WriteBudget, type WriteLimits } from './write-budget.ts';

/** What every part of the adapter needs to reach the API. */
export interface ApiContext {
  readonly apiUrl: string;
  readonly dispatcher: Dispatcher | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly log: GithubLog;
  readonly writeLimits: WriteLimits;
  readonly cache: EtagCache;
}

/** The limits of one credential: GitHub counts per user of a token and per installation of an App. */
export interface CredentialLimits {
  readonly gate: RateGate;
  readonly budget: WriteBudget;
}

/** One authenticated way to the API. */
export interface Client {
  readonly octokit: Octokit;
  readonly budget: WriteBudget;
}

const CACHE_BYTES = 8 * 1024 * 1024;

export function createEtagCache(): EtagCache {
  return new EtagCache(CACHE_BYTES);
}

export function createLimits(context: ApiContext): CredentialLimits {
  return { gate: new RateGate(context.clock), budget: new WriteBudget(context.writeLimits, context.clock) };
}

export function createClient(
  context: ApiContext,
  limits: CredentialLimits,
  cacheScope: string,
  authorize: (refused: boolean) => Promise<string>,
): Client {
  const { dispatcher, timeoutMs, cache, clock } = context;
  const fetch = createApiFetch({ dispatcher, timeoutMs, cache, clock, cacheScope, gate: limits.gate, authorize });
  const octokit = new Octokit({
    baseUrl: context.apiUrl,
    userAgent: 'holdfast',
    log: octokitLog(context.log),
    request: { fetch },
  });
  return { octokit, budget: limits.budget };
}
