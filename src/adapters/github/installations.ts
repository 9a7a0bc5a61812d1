import type { Probot } from 'probot';
import { HostRefusedError } from '../../core/host-error.ts';
import { fullName, type RepositoryRef } from '../../core/repository.ts';
import type { ApiContext } from './api-context.ts';
import { isStatus } from './repositories.ts';

/** An account that has installed the App, and what it granted. */
export interface Installation {
  readonly id: number;
  readonly permissions: Readonly<Record<string, string>>;
}

const REMEMBER_MS = 10 * 60_000;

/** Looks up where the App is installed, and remembers it for a while: permissions are accepted and Apps are removed at any time. */
export function createInstallations(context: ApiContext, probot: Probot) {
  const known = new Map<string, { readonly installation: Promise<Installation>; readonly until: number }>();

  function remembered(key: string, look: () => Promise<Installation>): Promise<Installation> {
    const entry = known.get(key);
    const now = context.clock.now();
    if (entry && now < entry.until) return entry.installation;
    const installation = look().catch((error: unknown) => {
      known.delete(key);
      throw error;
    });
    known.set(key, { installation, until: now + REMEMBER_MS });
    return installation;
  }

  function ofRepository(repository: RepositoryRef): Promise<Installation> {
    const name = fullName(repository);
    return remembered(`repository ${repository.id} ${name}`, async () => {
      const { rest } = await probot.auth();
      const { owner, name: repo } = repository;
      const { data } = await rest.apps
        .getRepoInstallation({ owner, repo })
        .catch(notInstalled(`the repository ${name}`));
      return toInstallation(data);
    });
  }

  function ofOrganisation(organisation: string): Promise<Installation> {
    return remembered(`organisation ${organisation}`, async () => {
      const { rest } = await probot.auth();
      const { data } = await rest.apps
        .getOrgInstallation({ org: organisation })
        .catch(notInstalled(`the organisation ${organisation}`));
      return toInstallation(data);
    });
  }

  /** Some installation, for questions that are the same in all of them. */
  function any(): Promise<Installation> {
    return remembered('any', async () => {
      const { rest } = await probot.auth();
      const { data } = await rest.apps.listInstallations({ per_page: 1 });
      const [first] = data;
      if (!first)
        throw new HostRefusedError(
          'the GitHub App is installed nowhere: install it on the account that owns the repositories',
          { status: 404 },
        );
      return toInstallation(first);
    });
  }

  async function all(): Promise<readonly Installation[]> {
    const octokit = await probot.auth();
    const found = await octokit.paginate(octokit.rest.apps.listInstallations, { per_page: 100 });
    return found.filter((one) => !one.suspended_at).map(toInstallation);
  }

  return { ofRepository, ofOrganisation, any, all, forget: () => known.clear() };
}

function toInstallation(data: { readonly id: number; readonly permissions: object }): Installation {
  const levels = Object.entries(data.permissions).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return { id: data.id, permissions: Object.fromEntries(levels) };
}

function notInstalled(where: string) {
  return (error: unknown): never => {
    if (!isStatus(error, 404)) throw error;
    throw new HostRefusedError(
      `the GitHub App is not installed on ${where}, or it does not exist; install it there`,
      { status: 404 },
      { cause: error },
    );
  };
}
