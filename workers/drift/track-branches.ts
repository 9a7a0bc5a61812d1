import { HostRefusedError } from '../../src/core/host-error.ts';
import type { Repository } from '../../src/core/repository.ts';
import type { VcsHost } from '../../src/ports/vcs-host.ts';
import { repositoryName } from '../gather-pull-request.ts';
import { isAllowed } from '../open-pull-request.ts';
import type { RunContext } from '../run-context.ts';

/** Of one host at once. */
const MOST_REPOSITORIES = 5_000;

/** Follows default branches that were renamed, and lets go of repositories that are not served any more. */
export async function followBranches(context: RunContext): Promise<void> {
  for (const { repository, repositoryId, branch, syncedTip } of await context.drift.listBranches()) {
    if (!isTrackable(context, repository)) {
      if (syncedTip !== undefined) await context.drift.untrack(repositoryId);
    } else if (branch !== repository.defaultBranch) await context.drift.track(repository, repository.defaultBranch);
  }
}

/**
 * Sees to it that the default branch of every repository that is served is tracked, whether a webhook ever told of it or not. A
 * pattern that names one repository is looked up by its name, one with a star in the list of what the credential sees.
 */
export async function trackJob(context: RunContext): Promise<void> {
  const known = await context.drift.listBranches();
  const names = new Set(known.map(({ repository }) => repositoryName(repository).toLowerCase()));
  for (const host of context.hosts.values()) {
    try {
      await trackNew(context, host, names);
    } catch (error) {
      context.logger.warn({ host: host.host, error }, 'the repositories to look at for drift could not be listed');
    }
  }
  await context.queue.enqueue('drift', {});
}

function isTrackable(context: RunContext, repository: Repository): boolean {
  return isAllowed(context, repositoryName(repository)) && !repository.archived;
}

async function trackNew(context: RunContext, host: VcsHost, known: ReadonlySet<string>): Promise<void> {
  for (const fullName of await listServed(context, host)) {
    const [owner = '', name = ''] = fullName.split('/');
    const place = repositoryName({ host: host.host, owner, name });
    if (known.has(place.toLowerCase()) || !isAllowed(context, place)) continue;
    const repository = await findRepository(host, fullName);
    if (repository === undefined || !isTrackable(context, repository)) continue;
    await context.pulls.saveRepository(repository);
    await context.drift.track(repository, repository.defaultBranch);
  }
}

async function listServed({ config }: RunContext, host: VcsHost): Promise<readonly string[]> {
  const patterns = config.repositories.filter((pattern) => pattern.toLowerCase().startsWith(`${host.host}/`));
  const exact = patterns.filter((pattern) => !/[*?[{]/.test(pattern));
  const named = exact.map((pattern) => pattern.slice(host.host.length + 1));
  if (exact.length === config.repositories.length) return named;
  return [...named, ...(await host.listRepositories(MOST_REPOSITORIES))];
}

async function findRepository(host: VcsHost, fullName: string): Promise<Repository | undefined> {
  try {
    return await host.findRepository(fullName);
  } catch (error) {
    if (error instanceof HostRefusedError) return undefined;
    throw error;
  }
}
