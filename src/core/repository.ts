/** A repository on a VCS host. `id` is the host's own and survives renames and transfers; the names do not. */
export interface RepositoryRef {
  /** The API URL's host name without port; `github.com` for the public GitHub. */
  readonly host: string;
  /** The host's numeric repository id, as text. */
  readonly id: string;
  readonly owner: string;
  readonly name: string;
}

export interface Repository extends RepositoryRef {
  readonly defaultBranch: string;
  readonly archived: boolean;
  readonly private: boolean;
  readonly url: string;
}

/** A full 40-hex (or 64-hex) commit id. */
export type CommitSha = string & { readonly __brand: 'CommitSha' };

const SHA = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

export function isCommitSha(text: string): text is CommitSha {
  return SHA.test(text);
}

export function commitSha(text: string): CommitSha {
  if (!isCommitSha(text)) throw new TypeError(`not a full commit id: ${JSON.stringify(text.slice(0, 80))}`);
  return text;
}

export function fullName(repository: Pick<RepositoryRef, 'owner' | 'name'>): string {
  return `${repository.owner}/${repository.name}`;
}
