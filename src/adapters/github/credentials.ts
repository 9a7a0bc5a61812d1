import type { Account } from '../../core/pull-request.ts';
import type { RepositoryRef } from '../../core/repository.ts';
import type { Secret } from '../../lib/secret.ts';
import type { Client } from './api-context.ts';
import type { Purpose } from './permissions.ts';

/** Who wrote something, as far as the payload or the API says. */
export interface Author {
  readonly userId: string | undefined;
  readonly userType: string | undefined;
  /** The App through which it was written. */
  readonly appId: string | undefined;
}

export interface FailedDelivery {
  readonly id: string;
  readonly hostId: string;
}

/** How we prove who we are: one token for everything, or an App with a narrow token per repository and purpose. */
export interface Credentials {
  /** undefined with a token. */
  readonly appId: string | undefined;
  forRepository(repository: RepositoryRef, purpose: Purpose): Promise<Client>;
  forOrganisation(organisation: string): Promise<Client>;
  /** Reads this repository's contents; with an App nothing else. */
  gitPassword(repository: RepositoryRef): Promise<Secret>;
  whoAmI(): Promise<Account>;
  /** True when our own App or token's user wrote it. */
  isOwn(author: Author): Promise<boolean>;
  /** `owner/name`, at most so many. */
  listRepositories(limit: number): Promise<readonly string[]>;
  listFailedDeliveries(since: Date): Promise<readonly FailedDelivery[]>;
  redeliver(hostId: string): Promise<void>;
  /** Problems in words, for `doctor`. */
  checkAccess(): Promise<readonly string[]>;
}
