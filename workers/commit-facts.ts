import { isConfigurationFile, type ParsedFile } from '../src/core/configuration-file.ts';
import type { CommitSha, RepositoryRef } from '../src/core/repository.ts';
import { type Configuration, readConfiguration } from '../src/core/root-module.ts';
import { ByteCache } from '../src/lib/byte-cache.ts';
import type { TreeEntry } from '../src/ports/repository-mirror.ts';
import type { WorkerContext } from './context.ts';

/** Larger ones are no configuration that people wrote; bytes. */
const MAX_CONFIGURATION_BYTES = 2 * 1024 * 1024;
/** Room for what is remembered of commits, and of files across commits, bytes. */
const MEMORY = { commits: 64 * 1024 * 1024, files: 32 * 1024 * 1024 };
/** What an entry of a tree takes beside its path, and a parsed file for each character of its text: measured, and rounded up. */
const ENTRY_BYTES = 250;
const BYTES_PER_CHARACTER = 6;
const FILE_BYTES = 1_000;

/** What one commit holds, read from the mirror. */
export interface CommitFacts {
  readonly sha: CommitSha;
  readonly entries: readonly TreeEntry[];
  readonly paths: readonly string[];
  readonly configuration: Configuration;
}

/** Reads commits; unchanged files are parsed once, because a blob's id names its content. */
export interface CommitReader {
  read(repository: RepositoryRef, sha: CommitSha): Promise<CommitFacts>;
  /** Text of files of a commit; absent ones are missing. */
  readFiles(
    repository: RepositoryRef,
    sha: CommitSha,
    paths: readonly string[],
    maxBytes: number,
  ): Promise<ReadonlyMap<string, string>>;
}

export function createCommitReader(
  { mirror, hcl, config }: Pick<WorkerContext, 'mirror' | 'hcl' | 'config'>,
  memory = MEMORY,
): CommitReader {
  const commits = new ByteCache<RememberedCommit>(memory.commits, ({ bytes }) => bytes);
  const files = new ByteCache<RememberedFile>(memory.files, ({ bytes }) => bytes);

  const parse = async (
    repository: RepositoryRef,
    sha: CommitSha,
    entries: readonly TreeEntry[],
  ): Promise<readonly RememberedFile[]> => {
    const wanted = entries.filter((entry) => entry.kind !== 'submodule' && isConfigurationFile(entry.path));
    // Held apart from the cache, which may forget one of them while the others are read.
    const known = new Map(wanted.map((entry) => [entry.path, files.get(nameOf(entry))]));
    const missing = wanted.filter(({ path }) => known.get(path) === undefined);
    const texts = await mirror.readFiles(
      repository,
      sha,
      missing.map((entry) => entry.path),
      MAX_CONFIGURATION_BYTES,
    );
    const parsed = await hcl.parse([...texts].map(([path, text]) => ({ path, text })));
    const bodies = new Map(parsed.map((file) => [file.path, file]));
    for (const entry of missing) {
      const file = bodies.get(entry.path) ?? { path: entry.path, problem: NOT_READABLE };
      const bytes = FILE_BYTES + (texts.get(entry.path)?.length ?? 0) * BYTES_PER_CHARACTER;
      known.set(entry.path, { file, bytes });
      files.set(nameOf(entry), { file, bytes });
    }
    return [...known.values()].filter((file) => file !== undefined);
  };

  const read = async (repository: RepositoryRef, sha: CommitSha): Promise<RememberedCommit> => {
    const entries = await mirror.listFiles(repository, sha);
    const parsed = await parse(repository, sha, entries);
    const paths = entries.filter((entry) => entry.kind !== 'submodule').map((entry) => entry.path);
    const bodies = parsed.map(({ file }) => file);
    const configuration = readConfiguration(paths, bodies, config.terraform.distribution);
    const bytes = sum(entries, ({ path }) => ENTRY_BYTES + path.length) + sum(parsed, (one) => one.bytes);
    return { facts: { sha, entries, paths, configuration }, bytes };
  };

  return {
    read: async (repository, sha) => {
      const key = `${repository.host}/${repository.id}/${sha}`;
      return (await commits.read(key, () => read(repository, sha))).facts;
    },
    readFiles: (repository, sha, paths, maxBytes) => mirror.readFiles(repository, sha, paths, maxBytes),
  };
}

const NOT_READABLE = 'it is no regular file, or larger than configuration that people write';

interface RememberedCommit {
  readonly facts: CommitFacts;
  readonly bytes: number;
}

interface RememberedFile {
  readonly file: ParsedFile;
  readonly bytes: number;
}

/** A parsed file tells its path, so the content alone does not name it. */
function nameOf({ oid, path }: TreeEntry): string {
  return `${oid}:${path}`;
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}
