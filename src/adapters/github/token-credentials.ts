import { HostRefusedError } from '../../core/host-error.ts';
import type { Account } from '../../core/pull-request.ts';
import type { Secret } from '../../lib/secret.ts';
import { type ApiContext, type Client, createClient, createLimits } from './api-context.ts';
import type { Author, Credentials } from './credentials.ts';
import { orHostError } from './to-host-error.ts';

/** One personal (or machine user's) token for everything. It cannot be narrowed, write check runs or list deliveries. */
export function createTokenCredentials(context: ApiContext, token: Secret): Credentials {
  const client = createClient(context, createLimits(context), 'token', async () => `token ${token.reveal()}`);
  const me = rememberSuccess(() => orHostError(context.clock, 'read whose token this is', () => readUser(client)));
  return {
    appId: undefined,
    forRepository: async () => client,
    forOrganisation: async () => client,
    gitPassword: async () => token,
    whoAmI: me,
    isOwn: async (author: Author) => author.userId !== undefined && author.userId === (await me()).id,
    listRepositories: (limit) =>
      orHostError(context.clock, 'list the repositories', async () => {
        const found: string[] = [];
        const { octokit } = client;
        for await (const { data } of octokit.paginate.iterator(octokit.rest.repos.listForAuthenticatedUser, {
          per_page: 100,
        })) {
          found.push(...data.map((repository) => repository.full_name));
          if (found.length >= limit) break;
        }
        return found.slice(0, limit);
      }),
    listFailedDeliveries: async () => [],
    redeliver: async () => {
      throw new HostRefusedError('deliveries can be sent again only for a GitHub App', { status: undefined });
    },
    checkAccess: () => checkToken(context, client),
  };
}

async function readUser(client: Client): Promise<Account> {
  const { data } = await client.octokit.rest.users.getAuthenticated();
  return { id: String(data.id), login: data.login };
}

/** Asks once; a failure is not remembered. */
export function rememberSuccess<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= ask().catch((error: unknown) => {
      answer = undefined;
      throw error;
    });
    return answer;
  };
}

/** Classic tokens name their scopes in a header; fine-grained ones do not, and show what they lack only when used. */
async function checkToken(context: ApiContext, client: Client): Promise<readonly string[]> {
  try {
    const response = await orHostError(context.clock, 'read whose token this is', () =>
      client.octokit.rest.users.getAuthenticated(),
    );
    const header = response.headers['x-oauth-scopes'];
    const scopes = header
      ?.split(',')
      .map((scope) => scope.trim())
      .filter(Boolean);
    if (!scopes || scopes.length === 0 || scopes.includes('repo')) return [];
    return [
      `The GitHub token has the scopes ${scopes.join(', ')}; it needs "repo" (and "read:org" when teams are used in rules). Make a new token with them.`,
    ];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
