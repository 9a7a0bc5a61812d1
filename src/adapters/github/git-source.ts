import { HostRefusedError } from '../../core/host-error.ts';
import type { RepositoryRef } from '../../core/repository.ts';
import type { GitSource } from '../../ports/vcs-host.ts';
import type { Secret } from '../../lib/secret.ts';
import type { HostParts } from './host-parts.ts';
import { orHostError } from './to-host-error.ts';

/** GitHub's git takes any token as the password of this user. */
const USERNAME = 'x-access-token';
const NAME = /^[A-Za-z0-9._-]{1,100}$/;

export interface CloneCredential {
  readonly username: string;
  readonly password: Secret;
}

/** Fills `{owner}` and `{repo}` of the operator's template; GitHub's names hold nothing that could change a URL's meaning. */
export function createGitSources(parts: HostParts, cloneUrlTemplate: string, credential?: CloneCredential) {
  async function getGitSource(repository: RepositoryRef): Promise<GitSource> {
    const { owner, name } = repository;
    if (!NAME.test(owner) || !NAME.test(name) || /^\.+$/.test(owner) || /^\.+$/.test(name)) {
      throw new HostRefusedError(`"${owner}/${name}" is no name of a GitHub repository`, { status: undefined });
    }
    const url = cloneUrlTemplate.replaceAll('{owner}', owner).replaceAll('{repo}', name);
    if (url.startsWith('file:')) return { url, username: undefined, password: undefined };
    if (credential !== undefined) return { url, ...credential };
    const password = await orHostError(parts.clock, `get a credential to fetch ${owner}/${name}`, () =>
      parts.credentials.gitPassword(repository),
    );
    return { url, username: USERNAME, password };
  }

  /** GitHub keeps the head of every pull request there, in the base repository, also for forks. */
  const headRefOf = (number: number): string => `refs/pull/${number}/head`;

  return { getGitSource, headRefOf };
}
