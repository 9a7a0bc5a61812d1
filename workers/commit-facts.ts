import { isConfigurationFile, type ParsedFile } from '../src/core/configuration-file.ts';
import type { CommitSha, RepositoryRef } from '../src/core/repository.ts';
import { type Configuration, readConfiguration } from '../src/core/root-module.ts';
import type { TreeEntry } from '../src/ports/repository-mirror.ts';
import type { WorkerContext } from './context.ts';

/** Larger ones are no configuration that people wrote; bytes. */
const MAX_CONFIGURATION_BYTES = 2 * 1024 * 1024;
const REMEMBERED_COMMITS = 8;
const REMEMBERED_FILES = 20_000;

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

export function createCommitReader({
  mirror,
  hcl,
  config,
}: Pick<WorkerContext, 'mirror' | 'hcl' | 'config'>): CommitReader {
  const commits = new Map<string, Promise<CommitFacts>>();
  const files = new Map<string, ParsedFile>();

  const parse = async (
    repository: RepositoryRef,
    sha: CommitSha,
    entries: readonly TreeEntry[],
  ): Promise<readonly ParsedFile[]> => {
    const wanted = entries.filter((entry) => entry.kind !== 'submodule' && isConfigurationFile(entry.path));
    const missing = wanted.filter((entry) => !files.has(`${entry.oid}:${entry.path}`));
    const texts = await mirror.readFiles(
      repository,
      sha,
      missing.map((entry) => entry.path),
      MAX_CONFIGURATION_BYTES,
    );
    const sources = missing.flatMap(({ path }) => {
      const text = texts.get(path);
      return text === undefined ? [] : [{ path, text }];
    });
    const parsed = new Map((await hcl.parse(sources)).map((file) => [file.path, file]));
    for (const { path, oid } of missing) {
      const problem = 'it is no regular file, or larger than configuration that people write';
      remember(files, `${oid}:${path}`, parsed.get(path) ?? { path, problem }, REMEMBERED_FILES);
    }
    return wanted.flatMap((entry) => files.get(`${entry.oid}:${entry.path}`) ?? []);
  };

  const read = async (repository: RepositoryRef, sha: CommitSha): Promise<CommitFacts> => {
    const entries = await mirror.listFiles(repository, sha);
    const parsed = await parse(repository, sha, entries);
    const paths = entries.filter((entry) => entry.kind !== 'submodule').map((entry) => entry.path);
    return { sha, entries, paths, configuration: readConfiguration(paths, parsed, config.terraform.distribution) };
  };

  return {
    read: (repository, sha) => {
      const key = `${repository.host}/${repository.id}/${sha}`;
      const known = commits.get(key);
      if (known !== undefined) return known;
      const reading = read(repository, sha);
      reading.catch(() => commits.delete(key));
      remember(commits, key, reading, REMEMBERED_COMMITS);
      return reading;
    },
    readFiles: (repository, sha, paths, maxBytes) => mirror.readFiles(repository, sha, paths, maxBytes),
  };
}

/** The oldest goes first. */
function remember<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
