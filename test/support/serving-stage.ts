import { randomBytes } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFakecloud } from '../fakecloud/build-fakecloud.ts';
import { infrastructureFiles } from '../fixtures/infrastructure.ts';
import { createGithubServer, type GithubServer } from '../servers/github/github-server.ts';
import { type HoldfastProcess, startHoldfast } from './holdfast-process.ts';
import { until } from './until.ts';

type Repository = Awaited<ReturnType<GithubServer['createRepository']>>;
type PullRequest = Awaited<ReturnType<GithubServer['openPullRequest']>>;
type App = ReturnType<GithubServer['createApp']>;

export interface ServingOrder {
  /** With a machine user's token, or as an App with the permissions that its manifest asks for. */
  readonly auth: 'token' | 'app';
  readonly app?: Parameters<GithubServer['createApp']>[0];
  /** Added to and winning over what the stage sets. */
  readonly environment?: (places: ServingPlaces, github: GithubServer) => Promise<Readonly<Record<string, string>>>;
  /** Added to and winning over the small infrastructure repository. */
  readonly files?: (places: ServingPlaces) => Readonly<Record<string, string>>;
  /** What happens before Holdfast is there; its webhooks reach nobody. */
  readonly before?: (
    github: GithubServer,
    repository: Repository,
    files: Readonly<Record<string, string>>,
  ) => Promise<void>;
}

export interface ServingPlaces {
  /** Removed at the end; seen by no sandbox. */
  readonly folder: string;
  readonly dataDirectory: string;
  readonly cloudDirectory: string;
  readonly stateDirectory: string;
  readonly webhookSecret: string;
}

/** A whole Holdfast before a local GitHub: its own process, its embedded database, real Terraform in real sandboxes. */
export interface ServingStage extends AsyncDisposable {
  readonly github: GithubServer;
  readonly repository: Repository;
  readonly app: App | undefined;
  readonly files: Readonly<Record<string, string>>;
  readonly places: ServingPlaces;
  /** The one that runs now. */
  readonly holdfast: HoldfastProcess;
  /** SIGKILL, then what `meanwhile` waits for, then the next one on the same data. */
  killAndStart(meanwhile: () => Promise<unknown>): Promise<void>;
  readonly webToken: string;
  /** Bodies of what Holdfast wrote under a pull request, oldest first. */
  comments(pull: PullRequest): readonly string[];
  /** Waits for a comment of Holdfast's; a time-out tells what was there instead, and the log. */
  comment(pull: PullRequest, what: string, matches: (body: string) => boolean): Promise<string>;
  wait<T>(what: string, find: () => T | undefined | Promise<T | undefined>): Promise<T>;
}

/** A test writes more in a minute than a team in an hour. */
const FAST = { requestsPerHour: 1_000_000, contentPerMinute: 1_000_000, contentPerHour: 1_000_000 };

export const isPlanComment = (body: string): boolean => body.startsWith('<!-- holdfast:plan:');
export const isReply = (body: string): boolean => body.startsWith('<!-- holdfast:reply:');

export async function startServing(order: ServingOrder): Promise<ServingStage> {
  await using opening = new AsyncDisposableStack();
  const places = await makePlaces();
  opening.defer(() => rm(places.folder, { recursive: true, force: true }));
  const fakecloud = await buildFakecloud();
  const github = opening.use(await createGithubServer({ limits: FAST }));
  github.createOrganization('acme');
  const files = { ...infrastructureFiles(places), ...order.files?.(places) };
  const repository = await github.createRepository({
    owner: 'acme',
    name: 'infrastructure',
    files,
    roles: { 'holdfast-bot': 'write', ann: 'write', bob: 'maintain', tim: 'triage', eve: 'read' },
  });
  const app = order.auth === 'app' && order.app ? github.createApp(order.app) : undefined;
  if (app) github.installApp(app, 'acme', 'all');
  const listen = `127.0.0.1:${await freePort()}`;
  github.setWebhook({ url: `http://${listen}/webhooks/github`, secret: places.webhookSecret });
  await order.before?.(github, repository, files);
  await github.settled();
  const webToken = randomBytes(16).toString('hex');
  const own: Record<string, string> = app
    ? { HOLDFAST_GITHUB_APP_ID: String(app.id), HOLDFAST_GITHUB_PRIVATE_KEY: app.privateKey }
    : { HOLDFAST_GITHUB_TOKEN: github.createToken('holdfast-bot') };
  const environment = {
    HOLDFAST_DATA_DIR: places.dataDirectory,
    HOLDFAST_LISTEN: listen,
    HOLDFAST_WEB_TOKEN: webToken,
    HOLDFAST_REPOSITORIES: '127.0.0.1/acme/*',
    HOLDFAST_GITHUB_API_URL: github.apiUrl,
    HOLDFAST_GITHUB_CLONE_URL: github.cloneUrlTemplate,
    HOLDFAST_GITHUB_WRITES_PER_MINUTE: '6000',
    HOLDFAST_GITHUB_WRITES_PER_HOUR: '100000',
    HOLDFAST_GITHUB_WEBHOOK_SECRET: places.webhookSecret,
    HOLDFAST_PROVIDER_MIRROR_DIRECTORY: fakecloud.mirrorDirectory,
    HOLDFAST_SANDBOX_NETWORK: 'none',
    HOLDFAST_SANDBOX_MOUNTS: [
      `${places.cloudDirectory}:rw`,
      `${places.stateDirectory}:rw`,
      ...fakecloud.mounts.map(({ source }) => `${source}:ro`),
    ].join(','),
    ...own,
    ...(await order.environment?.(places, github)),
  };
  let holdfast = await startHoldfast(environment);
  opening.defer(() => holdfast[Symbol.asyncDispose]());
  const bot = app ? app.bot.login : 'holdfast-bot';
  const comments = (pull: PullRequest): readonly string[] =>
    github
      .comments(pull)
      .filter((comment) => comment.author.login === bot)
      .map((comment) => comment.body);
  const wait = async <T>(what: string, find: () => T | undefined | Promise<T | undefined>, more = () => '') => {
    try {
      return await until(find, 90_000);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${what}: ${reason}\n${more()}\nHoldfast's log:\n${holdfast.log().slice(-6_000)}`, {
        cause: error,
      });
    }
  };
  const stack = opening.move();
  return {
    github,
    repository,
    app,
    files,
    places,
    get holdfast() {
      return holdfast;
    },
    killAndStart: async (meanwhile) => {
      await holdfast.kill();
      await meanwhile();
      holdfast = await startHoldfast(environment);
    },
    webToken,
    comments,
    wait,
    comment: (pull, what, matches) =>
      wait(
        what,
        () => comments(pull).findLast(matches),
        () => comments(pull).join('\n-----\n'),
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Known before Holdfast starts, for a host that is told where to deliver to first. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function makePlaces(): Promise<ServingPlaces> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-serving-'));
  await chmod(folder, 0o755);
  const places = {
    folder,
    dataDirectory: join(folder, 'data'),
    cloudDirectory: join(folder, 'cloud'),
    stateDirectory: join(folder, 'state'),
    webhookSecret: randomBytes(16).toString('hex'),
  };
  for (const place of [places.cloudDirectory, places.stateDirectory]) {
    await mkdir(place);
    await chmod(place, 0o777);
  }
  return places;
}
