import type { CommitSha, RepositoryRef } from '../core/repository.ts';
import type { GitSource } from './vcs-host.ts';

export interface ChangedFile {
  readonly path: string;
  readonly status: 'added' | 'modified' | 'removed' | 'renamed' | 'type_changed';
  /** Of a renamed file: where it was. */
  readonly previousPath?: string;
}

export interface TreeEntry {
  readonly path: string;
  /** Git's object id of the blob (or the commit of a submodule). */
  readonly oid: string;
  readonly kind: 'file' | 'executable' | 'symlink' | 'submodule';
  readonly size: number;
}

export type MergeOutcome =
  | { readonly kind: 'merged'; readonly sha: CommitSha }
  | { readonly kind: 'conflict'; readonly files: readonly string[] };

/** What an export left out, each with the reason, to be told to people. */
export interface ExportReport {
  readonly files: number;
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
  readonly notes: readonly string[];
}

/**
 * Why a mirror could not do it, for the part that decides what comes next.
 *
 * - `unavailable`: the server could not be reached or broke off. The same call may work later.
 * - `refused`: the server said no (credential, no such repository), or the repository breaks a limit of ours. It will be refused again until somebody changes something.
 * - `missing`: the mirror does not hold this commit. Fetch, then ask again.
 * - `damaged`: the mirror's files are broken. The next fetch builds it anew.
 * - `failed`: git itself did not do its work; the message has its words.
 */
export class MirrorError extends Error {
  readonly kind: 'unavailable' | 'refused' | 'missing' | 'damaged' | 'failed';

  constructor(kind: MirrorError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MirrorError';
    this.kind = kind;
  }
}

/**
 * One bare mirror per repository, on this machine's disk. Safe for concurrent use by several processes.
 * Nothing of the repository is ever executed or honoured on the host: no hooks, filters, attributes, submodules, LFS.
 * Every method may throw a `MirrorError`.
 */
export interface RepositoryMirror {
  /** Fetches these refs incrementally (`refs/heads/main`, `refs/pull/12/head`) and tells the commit of each; undefined where the ref does not exist. */
  fetch(
    repository: RepositoryRef,
    source: GitSource,
    refs: readonly string[],
  ): Promise<ReadonlyMap<string, CommitSha | undefined>>;
  /**
   * The commit at the tip of a branch (`main`) at the source now; undefined when there is no such branch. One
   * `git ls-remote` of the branches: nothing is fetched, no mirror is needed, and the host's API is not called.
   */
  findTip(source: GitSource, branch: string): Promise<CommitSha | undefined>;
  has(repository: RepositoryRef, sha: CommitSha): Promise<boolean>;
  /** What would be merged: the same two commits always make the same commit id. */
  merge(repository: RepositoryRef, base: CommitSha, head: CommitSha): Promise<MergeOutcome>;
  mergeBase(repository: RepositoryRef, a: CommitSha, b: CommitSha): Promise<CommitSha | undefined>;
  /** What `head` changes since it left `base` (three dots). */
  listChangedFiles(repository: RepositoryRef, base: CommitSha, head: CommitSha): Promise<readonly ChangedFile[]>;
  /** All files of a commit. */
  listFiles(repository: RepositoryRef, sha: CommitSha): Promise<readonly TreeEntry[]>;
  /** Contents of several regular files at once; a path that is absent, no regular file or above `maxBytes` is missing from the map. */
  readFiles(
    repository: RepositoryRef,
    sha: CommitSha,
    paths: readonly string[],
    maxBytes: number,
  ): Promise<ReadonlyMap<string, string>>;
  /** Writes the files of a commit into an existing empty folder, without `.git`. */
  export(repository: RepositoryRef, sha: CommitSha, into: string): Promise<ExportReport>;
  /** Removes mirrors not used since, and tidies the others; returns how many were removed. */
  prune(unusedSince: Date): Promise<number>;
}
