import type { Probot } from 'probot';
import { HostRefusedError } from '../../core/host-error.ts';
import type { Account } from '../../core/pull-request.ts';
import type { RepositoryRef } from '../../core/repository.ts';
import { Secret } from '../../lib/secret.ts';
import { type ApiContext, type Client, createClient, createLimits, type CredentialLimits } from './api-context.ts';
import { checkApp } from './check-app.ts';
import type { Author, Credentials } from './credentials.ts';
import { listFailedDeliveries, redeliver } from './deliveries.ts';
import { createInstallations, type Installation } from './installations.ts';
import { type Purpose, purposePermissions, withinGranted } from './permissions.ts';
import { isStatus } from './repositories.ts';
import { orHostError } from './to-host-error.ts';
import { rememberSuccess } from './token-credentials.ts';

interface MintedToken {
  readonly secret: Secret;
  readonly mintedAt: number;
  /** From when on a new one is asked for. */
  readonly staleAt: number;
}

interface Scope {
  readonly key: string;
  readonly purpose: Purpose;
  readonly repositoryId: string | undefined;
  find(): Promise<Installation>;
}

/** A token lives for an hour; one handed to git must outlast a long fetch. */
const MARGIN_MS = 10 * 60_000;
/** GitHub's largest. */
const PAGE = 100;
/** A token with fewer permissions than wanted is replaced soon, for the owner may accept them meanwhile. */
const REDUCED_MS = 5 * 60_000;
/** A new token may answer 401 until it has reached all of GitHub's servers. */
const REPLICATION_MS = 5_000;

/**
 * A GitHub App: for every repository and purpose a token of its own that can do nothing else, minted with the App's
 * key by the Octokit that Probot authenticates, kept in memory until shortly before its end.
 */
export function createAppCredentials(context: ApiContext, probot: Probot, appId: string): Credentials {
  const { clock } = context;
  const installations = createInstallations(context, probot);
  const limits = new Map<number, CredentialLimits>();
  const tokens = new Map<string, Promise<MintedToken>>();
  const clients = new Map<string, Client>();

  function limitsOf(installationId: number): CredentialLimits {
    const known = limits.get(installationId) ?? createLimits(context);
    limits.set(installationId, known);
    return known;
  }

  async function mint(scope: Scope): Promise<MintedToken> {
    const installation = await scope.find();
    const wanted = purposePermissions[scope.purpose];
    const permissions = withinGranted(wanted, installation.permissions);
    const reduced = Object.keys(permissions).length < Object.keys(wanted).length;
    const octokit = await probot.auth();
    const { data } = await octokit.rest.apps.createInstallationAccessToken({
      installation_id: installation.id,
      permissions,
      ...(scope.repositoryId === undefined ? {} : { repository_ids: [Number(scope.repositoryId)] }),
    });
    const now = clock.now();
    const staleAt = Date.parse(data.expires_at) - MARGIN_MS;
    return {
      secret: new Secret(data.token),
      mintedAt: now,
      staleAt: reduced ? Math.min(staleAt, now + REDUCED_MS) : staleAt,
    };
  }

  /** An installation may have been made anew since it was looked up; then everything is asked once more. */
  async function mintAfresh(scope: Scope): Promise<MintedToken> {
    try {
      return await mint(scope);
    } catch (error) {
      if (!isStatus(error, 404) && !isStatus(error, 422)) throw error;
      installations.forget();
      return mint(scope);
    }
  }

  /** Those who ask at the same time share one token. */
  async function tokenFor(scope: Scope): Promise<MintedToken> {
    const known = tokens.get(scope.key);
    if (known) {
      const token = await known.catch(() => undefined);
      if (token && clock.now() < token.staleAt) return token;
      if (tokens.get(scope.key) !== known) return tokenFor(scope);
    }
    const minting = orHostError(clock, 'get a token for the GitHub App', () => mintAfresh(scope));
    tokens.set(scope.key, minting);
    return minting;
  }

  async function authorization(scope: Scope, refused: boolean): Promise<string> {
    if (refused) await renew(scope);
    return `token ${(await tokenFor(scope)).secret.reveal()}`;
  }

  async function renew(scope: Scope): Promise<void> {
    const token = await tokens.get(scope.key)?.catch(() => undefined);
    const age = token ? clock.now() - token.mintedAt : REPLICATION_MS;
    if (age < REPLICATION_MS) await clock.sleep(REPLICATION_MS - age);
    else tokens.delete(scope.key);
  }

  async function clientFor(scope: Scope): Promise<Client> {
    const installation = await orHostError(clock, 'find the installation of the GitHub App', scope.find);
    const key = `${installation.id} ${scope.key}`;
    const client =
      clients.get(key) ??
      createClient(context, limitsOf(installation.id), key, (refused) => authorization(scope, refused));
    clients.set(key, client);
    return client;
  }

  const ofRepository = (repository: RepositoryRef, purpose: Purpose): Scope => ({
    key: `${repository.id === '' ? `${repository.owner}/${repository.name}` : repository.id} ${purpose}`,
    purpose,
    repositoryId: repository.id === '' ? undefined : repository.id,
    find: () => installations.ofRepository(repository),
  });

  const app = rememberSuccess(() =>
    orHostError(clock, 'read the GitHub App', async () => {
      const { data } = await (await probot.auth()).rest.apps.getAuthenticated();
      if (!data?.slug)
        throw new HostRefusedError('GitHub does not know this App; check its id and private key', {
          status: undefined,
        });
      return { slug: data.slug };
    }),
  );

  const me = rememberSuccess(async (): Promise<Account> => {
    const login = `${(await app()).slug}[bot]`;
    const scope: Scope = { key: 'identity', purpose: 'identity', repositoryId: undefined, find: installations.any };
    const { octokit } = await clientFor(scope);
    return orHostError(clock, `read the account ${login}`, async () => {
      const { data } = await octokit.rest.users.getByUsername({ username: login });
      return { id: String(data.id), login: data.login };
    });
  });

  /** Each installation has a token of its own, which may read names and nothing else. */
  async function listRepositories(limit: number): Promise<readonly string[]> {
    const found: string[] = [];
    for (const installation of await installations.all()) {
      const scope: Scope = {
        key: `installation ${installation.id}`,
        purpose: 'identity',
        repositoryId: undefined,
        find: async () => installation,
      };
      const { octokit } = await clientFor(scope);
      // By page number: Octokit's iterator looks for an address in answers that count, and ours have none.
      for (let page = 1, more = true; more && found.length < limit; page += 1) {
        const { data } = await octokit.rest.apps.listReposAccessibleToInstallation({ per_page: PAGE, page });
        found.push(...data.repositories.map((repository) => repository.full_name));
        more = data.repositories.length === PAGE;
      }
    }
    return found.slice(0, limit);
  }

  async function isOwn(author: Author): Promise<boolean> {
    if (author.appId === appId) return true;
    if (author.userId === undefined || author.userType === 'User') return false;
    return author.userId === (await me()).id;
  }

  return {
    appId,
    forRepository: (repository, purpose) => clientFor(ofRepository(repository, purpose)),
    forOrganisation: (organisation) =>
      clientFor({
        key: `organisation ${organisation}`,
        purpose: 'members',
        repositoryId: undefined,
        find: () => installations.ofOrganisation(organisation),
      }),
    gitPassword: async (repository) => (await tokenFor(ofRepository(repository, 'clone'))).secret,
    whoAmI: me,
    isOwn,
    listRepositories: (limit) => orHostError(clock, 'list the repositories', () => listRepositories(limit)),
    listFailedDeliveries: (since) =>
      orHostError(clock, 'list the failed deliveries', async () => listFailedDeliveries(await probot.auth(), since)),
    redeliver: (hostId) =>
      orHostError(clock, `send the delivery ${hostId} again`, async () => redeliver(await probot.auth(), hostId)),
    checkAccess: () => checkApp(context, probot),
  };
}
