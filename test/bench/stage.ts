import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFakecloud, type FakecloudBuild } from '../fakecloud/build-fakecloud.ts';
import { createGithubServer, type GithubServer } from '../servers/github/github-server.ts';
import { type HoldfastProcess, startHoldfast } from '../support/holdfast-process.ts';
import { until } from '../support/until.ts';

export type Repository = Awaited<ReturnType<GithubServer['createRepository']>>;
export type PullRequest = Awaited<ReturnType<GithubServer['openPullRequest']>>;

/** Folders that every sandbox may write to. */
export interface Places {
  readonly cloudDirectory: string;
  readonly stateDirectory: string;
}

/** Holdfast in front of a local GitHub, as an operator would run it. */
export interface Stage extends Places, AsyncDisposable {
  readonly folder: string;
  readonly fakecloud: FakecloudBuild;
  readonly github: GithubServer;
  readonly repository: Repository;
  readonly holdfast: HoldfastProcess;
  readonly secret: string;
  /** With a token that may read. */
  readonly cloneUrl: string;
  /** Resolves when Holdfast has asked and written nothing for a while. */
  quiet(): Promise<void>;
}

export interface StageOptions {
  readonly files: (places: Places) => Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

export const BOT = 'holdfast-bot';
const QUIET_MS = 700;
const QUIET_PATIENCE_MS = 60_000;

export async function openStage(options: StageOptions): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-bench-')));
  await chmod(folder, 0o755);
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const places = { cloudDirectory: join(folder, 'cloud'), stateDirectory: join(folder, 'state') };
  for (const place of Object.values(places)) {
    await mkdir(place);
    await chmod(place, 0o777);
  }
  const fakecloud = await buildFakecloud();
  const secret = randomBytes(16).toString('hex');
  const limits = { requestsPerHour: 10_000_000, contentPerMinute: 100_000, contentPerHour: 100_000 };
  const github = opening.use(await createGithubServer({ limits }));
  const repository = await github.createRepository({
    owner: 'acme',
    name: 'infrastructure',
    files: options.files(places),
    roles: { [BOT]: 'write', ann: 'write', bob: 'maintain' },
  });
  const token = github.createToken(BOT);
  const holdfast = opening.use(
    await startHoldfast({
      HOLDFAST_DATA_DIR: join(folder, 'data'),
      HOLDFAST_LISTEN: '127.0.0.1:0',
      HOLDFAST_WEB_TOKEN: randomBytes(16).toString('hex'),
      HOLDFAST_REPOSITORIES: '127.0.0.1/acme/*',
      HOLDFAST_GITHUB_API_URL: github.apiUrl,
      HOLDFAST_GITHUB_CLONE_URL: github.cloneUrlTemplate,
      HOLDFAST_GITHUB_TOKEN: token,
      HOLDFAST_GITHUB_WEBHOOK_SECRET: secret,
      HOLDFAST_PROVIDER_MIRROR_DIRECTORY: fakecloud.mirrorDirectory,
      HOLDFAST_SANDBOX_NETWORK: 'none',
      HOLDFAST_SANDBOX_MOUNTS: [
        `${places.cloudDirectory}:rw`,
        `${places.stateDirectory}:rw`,
        ...fakecloud.mounts.map(({ source }) => `${source}:ro`),
      ].join(','),
      ...options.environment,
    }),
  );
  github.setWebhook({ url: `${holdfast.url}/webhooks/github`, secret });
  const stack = opening.move();
  return {
    ...places,
    folder,
    fakecloud,
    github,
    repository,
    holdfast,
    secret,
    cloneUrl: github.cloneUrlTemplate
      .replace('{owner}', 'acme')
      .replace('{repo}', 'infrastructure')
      .replace('://', `://bench:${token}@`),
    quiet: () => quiet(github),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A pull request that Holdfast is not told of. */
export async function openSilently(
  { github, repository }: Stage,
  order: Parameters<GithubServer['openPullRequest']>[1],
): Promise<PullRequest> {
  github.hub.hooks.silent = true;
  try {
    return await github.openPullRequest(repository, order);
  } finally {
    github.hub.hooks.silent = false;
  }
}

async function quiet(github: GithubServer): Promise<void> {
  await github.settled();
  let seen = -1;
  let since = performance.now();
  await until(
    () => {
      const count = github.requests.length;
      if (count !== seen) since = performance.now();
      seen = count;
      return performance.now() - since > QUIET_MS ? true : undefined;
    },
    QUIET_PATIENCE_MS,
    20,
  );
}

/** When GitHub had Holdfast's answer to the newest delivery of an event, milliseconds since the epoch. */
export function acceptedAt({ github }: Stage, event: string): number {
  const delivery = github.deliveries.findLast((one) => one.event === event && one.statusCode === 202);
  if (delivery === undefined) throw new Error(`no delivery of ${event} was accepted`);
  return delivery.deliveredAt.getTime() + delivery.durationSeconds * 1000;
}

/** When the newest write to a comment of the bot came in. */
export function commentedAt({ github }: Stage): number {
  const request = github.requests.findLast(
    ({ method, path }) => (method === 'POST' || method === 'PATCH') && /\/issues\/(\d+\/)?comments/.test(path),
  );
  if (request === undefined) throw new Error('no comment was written');
  return request.at.getTime();
}

/** Waits for a comment of the bot; the error ends with Holdfast's log. */
export async function waitForComment(
  { github, holdfast }: Stage,
  pull: PullRequest,
  isIt: (body: string) => boolean,
  timeoutMs = 180_000,
): Promise<string> {
  const find = (): string | undefined =>
    github.comments(pull).find(({ author, body }) => author.login === BOT && isIt(body))?.body;
  try {
    return await until(find, timeoutMs, 3);
  } catch {
    const said = github.comments(pull).map(({ author, body }) => `${author.login}: ${body.slice(0, 2_000)}`);
    throw new Error(
      `the comment did not come. There is:\n${said.join('\n')}\nHoldfast's log ends with:\n${holdfast.log().slice(-4_000)}`,
    );
  }
}

export function planIsWhole(body: string, projects: number): boolean {
  return body.startsWith('<!-- holdfast:plan:') && body.split('```diff').length - 1 >= projects;
}
