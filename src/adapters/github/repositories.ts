import { HostRefusedError } from '../../core/host-error.ts';
import type { Repository, RepositoryRef } from '../../core/repository.ts';
import { fullName } from '../../core/repository.ts';
import type { HostParts } from './host-parts.ts';
import { orHostError } from './to-host-error.ts';

/** What is used of GitHub's repository objects, whole or inside a pull request. */
export interface GithubRepository {
  readonly id: number;
  readonly name: string;
  readonly owner: { readonly login: string };
  readonly default_branch: string;
  readonly archived?: boolean;
  readonly private: boolean;
  readonly html_url: string;
}

export function toRepository(host: string, data: GithubRepository): Repository {
  return {
    host,
    id: String(data.id),
    owner: data.owner.login,
    name: data.name,
    defaultBranch: data.default_branch,
    archived: data.archived === true,
    private: data.private,
    url: data.html_url,
  };
}

export function createRepositories(parts: HostParts) {
  const { host, credentials, clock } = parts;

  async function byName(ref: RepositoryRef, purpose: 'facts' | 'identity'): Promise<Repository> {
    const { octokit } = await credentials.forRepository(ref, purpose);
    const { data } = await octokit.rest.repos.get({ owner: ref.owner, repo: ref.name });
    return toRepository(host, data);
  }

  /** The path that GitHub itself redirects renamed repositories to; it is not in the reference but has been served for years. */
  async function byId(ref: RepositoryRef): Promise<Repository> {
    const { octokit } = await credentials.forRepository(ref, 'facts');
    const { data } = await octokit.request('GET /repositories/{id}', { id: ref.id });
    return toRepository(host, data as GithubRepository);
  }

  /** The name is asked first: it is cheap and follows a rename. The id has the last word, for a name may be used anew. */
  async function getRepository(ref: RepositoryRef): Promise<Repository> {
    return orHostError(clock, `read the repository ${fullName(ref)}`, async () => {
      const named = await byName(ref, 'facts').catch(unlessNotFound);
      return named?.id === ref.id ? named : byId(ref);
    });
  }

  /** While its id is not known a token cannot be narrowed to it, so that one may know what there is and nothing else. */
  async function findRepository(name: string): Promise<Repository | undefined> {
    const [owner, repo, ...rest] = name.split('/');
    if (!owner || !repo || rest.length > 0) return undefined;
    return orHostError(clock, `read the repository ${name}`, () =>
      byName({ host, id: '', owner, name: repo }, 'identity').catch(unlessNotFound),
    );
  }

  return { getRepository, findRepository };
}

export type Repositories = ReturnType<typeof createRepositories>;

/** For `catch`: undefined for a 404, whoever found it. */
function unlessNotFound(error: unknown): undefined {
  if (isStatus(error, 404)) return undefined;
  throw error;
}

export function isStatus(error: unknown, status: number): boolean {
  return error instanceof Error && 'status' in error && error.status === status && !isOurs(error);
}

/** Errors of the credentials (the App is not installed here) keep their words. */
function isOurs(error: Error): boolean {
  return error instanceof HostRefusedError;
}
