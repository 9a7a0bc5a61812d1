import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import type { CommitSha, RepositoryRef } from '../../core/repository.ts';
import { MirrorError, type RepositoryMirror, type TreeEntry } from '../../ports/repository-mirror.ts';
import { exportCommit, type ExportLimits } from './export-commit.ts';
import { checkFetch, fetchRefs } from './fetch-refs.ts';
import { lockFile } from './file-lock.ts';
import { findTip } from './find-tip.ts';
import { createRunGit, type RunGit } from './git-command.ts';
import type { GitNetwork } from './git-environment.ts';
import { listChanges } from './list-tree.ts';
import { findMergeBase, mergeCommits } from './merge-commits.ts';
import { markDamaged, mirrorFolder, openMirror } from './mirror-folder.ts';
import { readBlobs } from './read-blobs.ts';
import { hasCommit, readMirror, type ReadMirror } from './read-mirror.ts';
import { tidyMirrors } from './tidy-mirrors.ts';
import { createTreeCache } from './tree-cache.ts';

export interface GitMirrorOptions {
  /** Holds all mirrors; made when it is missing. On a disk of this machine, for one user. */
  readonly directory: string;
  /** `git` unless told; 2.38 or newer. */
  readonly gitPath?: string;
  /** For each git command, and for the wait for another process that works on the same mirror. */
  readonly timeoutMs: number;
  readonly environment?: GitNetwork;
  /** A commit beyond them is not exported. */
  readonly exportLimits?: ExportLimits;
}

const EXPORT_LIMITS: ExportLimits = { bytes: 4 * 1024 ** 3, files: 500_000 };

/** Mirrors kept by the `git` program. See `git-environment.ts` for what git may and may not do. */
export function createGitMirror(options: GitMirrorOptions): RepositoryMirror {
  const { directory, timeoutMs } = options;
  const network = options.environment ?? {};
  const git = createRunGit({ gitPath: options.gitPath ?? 'git', timeoutMs, network });
  const prepare = once(() => prepareFetching(options));
  const trees = createTreeCache();

  /** Runs one question about commits; a mirror found broken on the way is marked. */
  const ask = async <T>(
    repository: RepositoryRef,
    commits: readonly CommitSha[],
    question: (read: ReadMirror) => Promise<T>,
  ): Promise<T> => {
    const folder = mirrorFolder(directory, repository);
    if (!(await openMirror(folder))) {
      throw new MirrorError('missing', `there is no mirror of ${repository.owner}/${repository.name} yet`);
    }
    try {
      return await question(readMirror(git, folder, commits));
    } catch (error) {
      if (error instanceof MirrorError && error.kind === 'damaged') await markDamaged(folder);
      throw error;
    }
  };

  return {
    async fetch(repository, source, refs) {
      checkFetch(source, refs);
      const folder = mirrorFolder(directory, repository);
      const fetching = await prepare();
      await mkdir(join(folder.gitDir, '..'), { recursive: true, mode: 0o700 });
      await using lock = await lockFile(folder.lockPath, timeoutMs);
      return await fetchRefs({ git: fetching, folder, lock, source }, refs);
    },
    async findTip(source, branch) {
      const ref = `refs/heads/${branch}`;
      checkFetch(source, [ref]);
      return await findTip(await prepare(), source, ref);
    },
    async has(repository, sha) {
      const folder = await openMirror(mirrorFolder(directory, repository));
      return folder !== undefined && (await hasCommit(git, folder, sha));
    },
    merge: (repository, base, head) => ask(repository, [base, head], (read) => mergeCommits(read, base, head)),
    mergeBase: (repository, a, b) => ask(repository, [a, b], (read) => findMergeBase(read, a, b)),
    listChangedFiles: (repository, base, head) =>
      ask(repository, [base, head], (read) => listChanges(read, base, head)),
    listFiles: (repository, sha) => ask(repository, [sha], (read) => trees.list(read, repository, sha)),
    readFiles: (repository, sha, paths, maxBytes) =>
      ask(repository, [sha], async (read) =>
        readTexts(read, await trees.list(read, repository, sha), new Set(paths), maxBytes),
      ),
    export: (repository, sha, into) =>
      ask(repository, [sha], (read) =>
        exportCommit(read, mirrorFolder(directory, repository), sha, into, options.exportLimits ?? EXPORT_LIMITS),
      ),
    prune: (unusedSince) => tidyMirrors(directory, git, timeoutMs, unusedSince),
  };
}

async function readTexts(
  read: ReadMirror,
  entries: readonly TreeEntry[],
  paths: ReadonlySet<string>,
  maxBytes: number,
): Promise<ReadonlyMap<string, string>> {
  const wanted = entries.filter(
    (entry) =>
      paths.has(entry.path) && (entry.kind === 'file' || entry.kind === 'executable') && entry.size <= maxBytes,
  );
  const contents = wanted.length === 0 ? new Map<string, Buffer>() : await readBlobs(read, wanted);
  return new Map(wanted.map((entry) => [entry.path, contents.get(entry.oid)?.toString() ?? '']));
}

/**
 * Git takes one file of authorities *instead of* the usual ones, so the operator's file is put together with them,
 * as Node does with `NODE_EXTRA_CA_CERTS`.
 */
async function prepareFetching(options: GitMirrorOptions): Promise<RunGit> {
  const network = options.environment ?? {};
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const settings = { gitPath: options.gitPath ?? 'git', timeoutMs: options.timeoutMs, network };
  if (network.caFile === undefined) return createRunGit(settings);
  const own = await readFile(network.caFile, 'utf8');
  const bundle = join(options.directory, 'ca-certificates.pem');
  await writeFile(bundle, [...getCACertificates('bundled'), ...getCACertificates('system'), own].join('\n'));
  const run = createRunGit(settings);
  return (call) => run({ ...call, config: { ...call.config, 'http.sslCAInfo': bundle } });
}

/** The first call's result for all; a failure is not kept. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
