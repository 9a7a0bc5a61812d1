import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFakecloud } from '../fakecloud/build-fakecloud.ts';
import type { CloudObject } from '../fakecloud/cloud.ts';
import type { Fault } from '../fakecloud/faults.ts';
import { createGithubServer, type GithubServer } from '../servers/github/github-server.ts';
import type { PullRequest, Repository } from '../servers/github/state/model.ts';
import { type HoldfastProcess, startHoldfast } from './holdfast-process.ts';
import { makeStoryPlaces, seedStory, type StoryPlaces, storyModule } from './story-files.ts';
import { until } from './until.ts';

const BOT = 'holdfast-bot';
const FAST = { requestsPerHour: 1_000_000, contentPerMinute: 1_000_000, contentPerHour: 1_000_000 };

export interface StoryOptions {
  /** How many stories there will be. */
  readonly stories: number;
  /** Database of its own; without one Holdfast brings its own. */
  readonly databaseUrl?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A Holdfast that is killed and started again on the same data, beside a GitHub and a cloud that live on. Story `n` is pull request, project `p<n>` and object `o<n>`. */
export interface StoryStage extends AsyncDisposable {
  readonly github: GithubServer;
  readonly repository: Repository;
  readonly dataDirectory: string;
  holdfast(): HoldfastProcess;
  /** What all processes so far have said. */
  log(): string;
  start(): Promise<void>;
  /** SIGKILL, and what did not arrive meanwhile is delivered again after the next start. */
  kill(): Promise<void>;
  stop(): Promise<number | null>;
  /** A worker without a server, on the same database. */
  startWorker(): Promise<HoldfastProcess>;
  open(n: number): Promise<PullRequest>;
  plans(pull: PullRequest): readonly string[];
  replies(pull: PullRequest): readonly string[];
  /** Newest state of each status on the head. */
  statuses(pull: PullRequest): Readonly<Record<string, string>>;
  object(n: number): Promise<CloudObject | null>;
  faults(list: readonly Fault[]): Promise<void>;
  /** What the webhooks met so far that were not answered with a 202 is sent again. */
  deliverMissed(): void;
  /** Waits for it; a failure tells the log. */
  wait<T>(what: string, find: () => T | undefined | Promise<T | undefined>, timeoutMs?: number): Promise<T>;
}

export async function createStoryStage(options: StoryOptions): Promise<StoryStage> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-story-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const places = await makeStoryPlaces(folder);
  const github = opening.use(await createGithubServer({ limits: FAST }));
  const numbers = Array.from({ length: options.stories }, (_, index) => index + 1);
  const repository = await github.createRepository({
    owner: 'acme',
    name: 'stories',
    files: Object.fromEntries(numbers.map((n) => [`p${n}/main.tf`, storyModule(places, n, 'one')])),
    roles: { [BOT]: 'write', ann: 'write', bob: 'maintain' },
  });
  for (const n of numbers) await seedStory(places, n);
  const secret = randomBytes(16).toString('hex');
  const environment = await environmentOf(options, places, github, secret);
  const said: HoldfastProcess[] = [];
  opening.defer(async () => void (await Promise.all(said.map((process) => process.kill()))));
  const current = (): HoldfastProcess => {
    const process = said.findLast((one) => one.url !== '');
    if (process === undefined) throw new Error('Holdfast was not started');
    return process;
  };
  const log = (): string => said.map((process) => process.log()).join('\n=====\n');
  const bodies = (pull: PullRequest): readonly string[] =>
    github
      .comments(pull)
      .filter((comment) => comment.author.login === BOT)
      .map((comment) => comment.body);
  const stack = opening.move();
  return {
    github,
    repository,
    dataDirectory: environment['HOLDFAST_DATA_DIR'] ?? '',
    holdfast: current,
    log,
    start: async () => {
      const process = await startHoldfast(environment);
      said.push(process);
      github.setWebhook({ url: `${process.url}/webhooks/github`, secret });
      deliverMissed(github);
    },
    kill: () => current().kill(),
    stop: () => current().stop(),
    startWorker: async () => {
      const directory = join(folder, `worker-${said.length}`);
      const process = await startHoldfast({ ...environment, HOLDFAST_DATA_DIR: directory }, ['worker']);
      said.push(process);
      return process;
    },
    open: (n) =>
      github.openPullRequest(repository, {
        author: 'ann',
        title: `Story ${n}`,
        branch: `story-${n}`,
        files: { [`p${n}/main.tf`]: storyModule(places, n, 'two') },
      }),
    plans: (pull) => bodies(pull).filter((body) => body.startsWith('<!-- holdfast:plan:')),
    replies: (pull) => bodies(pull).filter((body) => !body.startsWith('<!-- holdfast:plan:')),
    statuses: (pull) =>
      Object.fromEntries(
        repository.statuses.filter((one) => one.sha === pull.headSha).map((one) => [one.context, one.state]),
      ),
    object: (n) => places.cloud.get(`o${n}`),
    faults: async (list) => {
      const file = join(places.cloudDirectory, '.faults.json');
      await writeFile(file, JSON.stringify(list));
      await chmod(file, 0o666);
    },
    deliverMissed: () => deliverMissed(github),
    wait: async (what, find, timeoutMs = 90_000) => {
      try {
        return await until(find, timeoutMs, 10);
      } catch (cause) {
        throw new Error(`${what}: ${String(cause)}. Holdfast said:\n${log().slice(-12_000)}`, { cause });
      }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function environmentOf(
  { databaseUrl, environment }: StoryOptions,
  { folder, cloudDirectory, stateDirectory }: StoryPlaces,
  github: GithubServer,
  secret: string,
): Promise<Readonly<Record<string, string>>> {
  const fakecloud = await buildFakecloud();
  const mounts = [`${cloudDirectory}:rw`, `${stateDirectory}:rw`, ...fakecloud.mounts.map((one) => `${one.source}:ro`)];
  return {
    HOLDFAST_DATA_DIR: join(folder, 'data'),
    HOLDFAST_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    ...(databaseUrl === undefined ? {} : { HOLDFAST_DATABASE_URL: databaseUrl }),
    HOLDFAST_LISTEN: '127.0.0.1:0',
    HOLDFAST_WEB_TOKEN: randomBytes(16).toString('hex'),
    HOLDFAST_REPOSITORIES: '127.0.0.1/acme/*',
    HOLDFAST_GITHUB_API_URL: github.apiUrl,
    HOLDFAST_GITHUB_CLONE_URL: github.cloneUrlTemplate,
    HOLDFAST_GITHUB_TOKEN: github.createToken(BOT),
    HOLDFAST_GITHUB_WEBHOOK_SECRET: secret,
    HOLDFAST_GITHUB_WRITES_PER_MINUTE: '6000',
    HOLDFAST_GITHUB_WRITES_PER_HOUR: '100000',
    HOLDFAST_PROVIDER_MIRROR_DIRECTORY: fakecloud.mirrorDirectory,
    HOLDFAST_SANDBOX_NETWORK: 'none',
    HOLDFAST_SANDBOX_MOUNTS: mounts.join(','),
    ...environment,
  };
}

/** GitHub does not repeat a delivery by itself; somebody (with an App: Holdfast) asks for it. */
function deliverMissed(github: GithubServer): void {
  const arrived = new Set(github.deliveries.filter((one) => one.statusCode === 202).map((one) => one.guid));
  const open = new Set(github.deliveries.filter((one) => one.status === 'pending').map((one) => one.guid));
  const missed = new Map(github.deliveries.map((one) => [one.guid, one]));
  for (const [guid, record] of missed) {
    if (!arrived.has(guid) && !open.has(guid)) github.hub.hooks.redeliver(record);
  }
}
