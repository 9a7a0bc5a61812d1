import type { Hub } from '../hub.ts';
import type { Account, App, PullRequest, Repository } from '../state/model.ts';
import type { Author } from '../operations/conversation.ts';
import { ApiError, notFound } from './api-error.ts';
import type { Caller, Requirement } from './caller.ts';
import type { Limits } from './limits.ts';

export interface RouteRequest {
  readonly hub: Hub;
  readonly limits: Limits;
  readonly caller: Caller;
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface RouteAnswer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The whole list in order, cut to the page and linked by the pipeline; `wrap` puts the page into an object. */
  readonly list?: readonly unknown[];
  readonly wrap?: (page: unknown[], total: number) => unknown;
  /** How one item is shown; only those of the page are. */
  readonly show?: (item: never) => unknown;
}

export interface Route {
  readonly operation: string;
  /** Who may, when the path names a repository; `anyone` and `app` are for the other paths. */
  readonly needs: Requirement | 'anyone' | 'user' | 'app' | 'installation';
  /** Counts to the secondary limit on content. */
  readonly createsContent?: boolean;
  /** OAuth and personal tokens are turned away. */
  readonly appOnly?: boolean;
  readonly handle: (request: RouteRequest) => Promise<RouteAnswer> | RouteAnswer;
}

/** The repository the path names; the pipeline has checked that the caller sees it. */
export function repositoryOf({ hub, params }: RouteRequest): Repository {
  const repository = hub.world.findRepository(params['owner'] ?? '', params['repo'] ?? '');
  if (repository === undefined) throw notFound();
  return repository;
}

export function pullOf(request: RouteRequest): PullRequest {
  const pull = repositoryOf(request).issues.get(Number(request.params['pull_number']))?.pull;
  if (pull === undefined) throw notFound();
  return pull;
}

export function authorOf(caller: Caller): Author {
  if (caller.kind === 'installation') return { account: caller.account, app: caller.installation.app };
  if (caller.kind === 'personal') return { account: caller.account };
  throw new ApiError(401, 'Requires authentication');
}

export function accountOf(caller: Caller): Account {
  return authorOf(caller).account;
}

export function appOf(caller: Caller): App {
  if (caller.kind === 'app') return caller.app;
  if (caller.kind === 'installation') return caller.installation.app;
  throw new ApiError(403, 'You must authenticate via a GitHub App.');
}

export function text(request: RouteRequest, key: string): string | undefined {
  const value = request.body[key];
  return typeof value === 'string' ? value : undefined;
}

/** Requirement shorthand: one of these App permissions, and the role a person needs. */
export function needs(role: Requirement['role'], ...app: Requirement['app']): Requirement {
  return { role, app };
}
