import type { Clock } from './clock.ts';
import type { Credentials } from './credentials.ts';
import type { GithubLog } from './github-log.ts';

/** What the facts and the writes of the host are made from. */
export interface HostParts {
  /** The API URL's host name without port; `github.com` for the public API. */
  readonly host: string;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly log: GithubLog;
}
