import {
  CODE_OWNERS_MAX_BYTES,
  CODE_OWNERS_PATHS,
  type CodeOwners,
  ownersOfAll,
  readCodeOwners,
} from '../../src/core/code-owners.ts';
import { isConfigurationFile } from '../../src/core/configuration-file.ts';
import type { CommitSha, Repository } from '../../src/core/repository.ts';
import { MirrorError } from '../../src/ports/repository-mirror.ts';
import type { RunContext } from '../run-context.ts';

export interface OwnedFolder {
  readonly repository: Repository;
  readonly branch: string;
  readonly sha: CommitSha;
  readonly dir: string;
}

/** Who owns the configuration in a folder, by the CODEOWNERS of its commit; nobody, where that cannot be read. */
export type OwnersReader = (folder: OwnedFolder) => Promise<readonly string[]>;

interface OwnedCommit {
  readonly owners: CodeOwners;
  readonly files: readonly string[];
}

type Context = Pick<RunContext, 'mirror' | 'hosts' | 'logger'>;

/** Reads each commit once. */
export function createOwnersReader(context: Context): OwnersReader {
  const commits = new Map<CommitSha, Promise<OwnedCommit | undefined>>();
  return async (folder) => {
    const commit = commits.get(folder.sha) ?? readCommit(context, folder);
    commits.set(folder.sha, commit);
    const found = await commit;
    const files = found?.files.filter((path) => isConfigurationFile(path) && folderOf(path) === folder.dir);
    return found === undefined ? [] : ownersOfAll(found.owners, files ?? []);
  };
}

async function readCommit(context: Context, folder: OwnedFolder): Promise<OwnedCommit | undefined> {
  const { repository, sha } = folder;
  const { mirror } = context;
  try {
    await ensureCommit(context, folder);
    const texts = await mirror.readFiles(repository, sha, CODE_OWNERS_PATHS, CODE_OWNERS_MAX_BYTES);
    const text = CODE_OWNERS_PATHS.map((path) => texts.get(path)).find((found) => found !== undefined);
    const owners = text === undefined ? undefined : readCodeOwners(text);
    return owners && { owners, files: (await mirror.listFiles(repository, sha)).map(({ path }) => path) };
  } catch (error) {
    if (!(error instanceof MirrorError) || error.kind === 'unavailable') throw error;
    context.logger.warn({ repository: repository.id, sha, error }, 'CODEOWNERS could not be read');
    return undefined;
  }
}

/** Another machine may have read the branch. */
async function ensureCommit({ mirror, hosts }: Context, { repository, branch, sha }: OwnedFolder): Promise<void> {
  const host = hosts.get(repository.host);
  if (host === undefined || (await mirror.has(repository, sha))) return;
  await mirror.fetch(repository, await host.getGitSource(repository), [`refs/heads/${branch}`]);
}

function folderOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end < 0 ? '.' : path.slice(0, end);
}
