import type { PullRequestRecord } from '../src/core/record.ts';
import { pullRequestId } from '../src/core/record.ts';
import { servesBranch } from '../src/core/resolve-rules.ts';
import type { Repository } from '../src/core/repository.ts';
import { compileGlob } from '../src/lib/glob.ts';
import type { VcsHost } from '../src/ports/vcs-host.ts';
import type { WorkerContext } from './context.ts';
import { repositoryName, rulesOf } from './gather-pull-request.ts';

/** What an event names; names may be old, the id is not. */
export interface EventRepository {
  readonly repositoryId: string;
  readonly repositoryFullName: string;
}

/** The repository as the host has it now, if it is one that Holdfast serves. */
export async function openRepository(
  context: WorkerContext,
  host: VcsHost,
  event: EventRepository,
): Promise<Repository | undefined> {
  const [owner = '', name = ''] = event.repositoryFullName.split('/');
  if (!isAllowed(context, repositoryName({ host: host.host, owner, name }))) return undefined;
  const repository = await host.getRepository({ host: host.host, id: event.repositoryId, owner, name });
  if (!isAllowed(context, repositoryName(repository))) return undefined;
  await context.pulls.saveRepository(repository);
  return repository.archived ? undefined : repository;
}

/** Whether the operator's list names this repository, as `host/owner/name`. */
export function isAllowed({ config }: Pick<WorkerContext, 'config'>, name: string): boolean {
  return config.repositories.some((pattern) => {
    const glob = compileGlob(pattern.toLowerCase());
    return 'matches' in glob && glob.matches(name.toLowerCase());
  });
}

/** The pull request as the host has it now, written down; undefined when it is none of our business. */
export async function openPullRequest(
  context: WorkerContext,
  host: VcsHost,
  event: EventRepository & { readonly number: number },
): Promise<PullRequestRecord | undefined> {
  const repository = await openRepository(context, host, event);
  if (repository === undefined) return undefined;
  return refreshPullRequest(context, host, repository, event.number);
}

/** Two events of one pull request may be handled at once; the host has to be asked again when another was quicker. */
const READS = 5;

/** Reads the facts again; the answer's version is the one they belong to. */
export async function refreshPullRequest(
  context: WorkerContext,
  host: VcsHost,
  repository: Repository,
  number: number,
): Promise<PullRequestRecord | undefined> {
  for (let reads = 0; reads < READS; reads += 1) {
    const seen = await context.pulls.readVersion(pullRequestId(repository, number));
    const pull = await host.getPullRequest(repository, number);
    const served = servesBranch(rulesOf(context, pull.repository), pull.baseRef);
    // One that was served and now goes elsewhere must still be seen to, so that its locks are given back.
    if (!served && seen === 0) return undefined;
    const saved = await context.pulls.saveSeen({ ...pull, repository }, seen);
    if (saved !== undefined) return saved;
  }
  throw new Error(
    `pull request #${number} of ${repository.owner}/${repository.name} changes faster than it can be read`,
  );
}
