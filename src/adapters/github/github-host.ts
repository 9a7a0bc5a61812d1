import type { Dispatcher } from 'undici';
import type { Secret } from '../../lib/secret.ts';
import type { VcsHost } from '../../ports/vcs-host.ts';
import { type ApiContext, createEtagCache } from './api-context.ts';
import { createApiFetch } from './api-fetch.ts';
import { createAppCredentials } from './app-credentials.ts';
import { CHECK_SUMMARY_LENGTH, createChecks, STATUS_DESCRIPTION_LENGTH } from './checks.ts';
import { type Clock, systemClock } from './clock.ts';
import { COMMENT_LENGTH, createComments } from './comments.ts';
import { type CloneCredential, createGitSources } from './git-source.ts';
import type { GithubLog } from './github-log.ts';
import type { HostParts } from './host-parts.ts';
import { createInterpreter, createSilentProbot } from './interpreter.ts';
import { createIssues, ISSUE_LIMITS } from './issues.ts';
import { createMerge } from './merge.ts';
import { createMergeability } from './mergeability.ts';
import { createMinimizeComments } from './minimize-comments.ts';
import { createPeople } from './people.ts';
import { createPullRequests } from './pull-requests.ts';
import { RateGate } from './rate-gate.ts';
import { createRepositories } from './repositories.ts';
import { createTokenCredentials } from './token-credentials.ts';
import { GITHUB_WRITE_LIMITS, type WriteLimits } from './write-budget.ts';

export type GithubAuth =
  | { readonly kind: 'token'; readonly token: Secret }
  | { readonly kind: 'app'; readonly appId: string; readonly privateKey: Secret };

export interface GithubHostOptions {
  /** `https://api.github.com`, or `https://HOST/api/v3` of a GitHub Enterprise Server; no slash at its end. */
  readonly apiUrl: string;
  /** Has `{owner}` and `{repo}`, such as `https://github.com/{owner}/{repo}.git`. */
  readonly cloneUrlTemplate: string;
  /** Fetches in place of the token or the App. */
  readonly cloneCredential?: CloneCredential | undefined;
  readonly auth: GithubAuth;
  readonly log: GithubLog;
  /** Proxy and certificates; undefined: direct, with the system's. */
  readonly dispatcher?: Dispatcher | undefined;
  readonly clock?: Clock | undefined;
  readonly writeLimits?: WriteLimits | undefined;
  /** Of one request; 30 s unless told. */
  readonly timeoutMs?: number | undefined;
}

const TIMEOUT_MS = 30_000;

/** The host's name as people write it in allowlists: the public API lives on a name of its own. */
export function hostOf(apiUrl: string): string {
  const { hostname } = new URL(apiUrl);
  return hostname === 'api.github.com' ? 'github.com' : hostname;
}

function createProbot(context: ApiContext, auth: GithubAuth) {
  const { dispatcher, timeoutMs, cache, clock, apiUrl } = context;
  const gate = new RateGate(clock);
  const fetch = createApiFetch({ dispatcher, timeoutMs, cache, clock, gate, cacheScope: 'app' });
  const common = { baseUrl: apiUrl, request: { fetch } };
  return auth.kind === 'token'
    ? createSilentProbot({ ...common, githubToken: auth.token.reveal() })
    : createSilentProbot({ ...common, appId: auth.appId, privateKey: auth.privateKey.reveal() });
}

/** GitHub.com or a GitHub Enterprise Server as a `VcsHost`, with one token or as a GitHub App. Makes no request by itself. */
export function createGithubHost(options: GithubHostOptions): VcsHost {
  const context: ApiContext = {
    apiUrl: options.apiUrl.replace(/\/+$/, ''),
    dispatcher: options.dispatcher,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    clock: options.clock ?? systemClock,
    log: options.log,
    writeLimits: options.writeLimits ?? GITHUB_WRITE_LIMITS,
    cache: createEtagCache(),
  };
  const { auth } = options;
  const probot = createProbot(context, auth);
  const credentials =
    auth.kind === 'token'
      ? createTokenCredentials(context, auth.token)
      : createAppCredentials(context, probot, auth.appId);
  const parts: HostParts = { host: hostOf(context.apiUrl), credentials, clock: context.clock, log: options.log };
  const repositories = createRepositories(parts);
  return {
    host: parts.host,
    capabilities: { checkRuns: auth.kind === 'app', minimizeComments: true },
    limits: {
      commentLength: COMMENT_LENGTH,
      statusDescriptionLength: STATUS_DESCRIPTION_LENGTH,
      checkSummaryLength: CHECK_SUMMARY_LENGTH,
      ...ISSUE_LIMITS,
    },
    interpret: createInterpreter(probot, credentials),
    whoAmI: credentials.whoAmI,
    ...repositories,
    ...createPullRequests(parts, repositories),
    ...createMergeability(parts),
    ...createPeople(parts),
    ...createGitSources(parts, options.cloneUrlTemplate, options.cloneCredential),
    ...createComments(parts),
    ...createIssues(parts),
    ...createMinimizeComments(parts),
    ...createChecks(parts),
    ...createMerge(parts),
    listRepositories: credentials.listRepositories,
    listFailedDeliveries: credentials.listFailedDeliveries,
    redeliver: credentials.redeliver,
    checkAccess: credentials.checkAccess,
  };
}
