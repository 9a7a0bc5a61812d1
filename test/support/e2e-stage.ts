import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { createJobQueue } from '../../src/adapters/bullmq/create-job-queue.ts';
import { type CloudObject, directoryCloud } from '../fakecloud/cloud.ts';
import type { Fault, FaultPoint } from '../fakecloud/faults.ts';
import { buildFakecloud } from '../fakecloud/build-fakecloud.ts';
import { createGithubServer, type GithubServer, type GithubServerOptions } from '../servers/github/github-server.ts';
import type { NewPullRequest } from '../servers/github/people.ts';
import type { IssueComment, PullRequest, Repository, Role } from '../servers/github/state/model.ts';
import { type E2eView, createView } from './e2e-view.ts';
import { type HoldfastProcess, startHoldfast } from './holdfast-process.ts';
import { recordingLogger } from './recording-logger.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';
import { settleDatabase } from './e2e-settle.ts';

export const BOT = 'holdfast-bot';
const ROLES: Readonly<Record<string, Role>> = {
  [BOT]: 'write',
  ann: 'write',
  bob: 'maintain',
  carl: 'write',
  tim: 'triage',
  eve: 'read',
};

export interface StageOptions {
  /** The server's config as YAML. */
  readonly config?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly github?: GithubServerOptions;
}

/**
 * One Holdfast process, one local GitHub and one fake cloud for a whole test file. Every test makes a repository of its
 * own, so that none meets another's locks, states or objects; where the server's rules differ, they go by its name.
 */
export interface Stage extends E2eView, AsyncDisposable {
  readonly github: GithubServer;
  readonly holdfast: HoldfastProcess;
  readonly database: TestDatabase;
  readonly cloudDirectory: string;
  /** A root module with its state outside the checkout and one object per entry, named `REPOSITORY-KEY`. */
  root(repository: string, dir: string, objects: Readonly<Record<string, string>>, extra?: string): string;
  /** acme/NAME; ann and carl may write, bob maintains, tim triages, eve reads. */
  repository(name: string, files: NewRepositoryFiles, options?: RepositoryOptions): Promise<Repository>;
  /** Opens it and waits until Holdfast has nothing left to do. */
  open(repository: Repository, files: NewPullRequest['files'], order?: Partial<NewPullRequest>): Promise<PullRequest>;
  push(pull: PullRequest, files: NewPullRequest['files'], options?: PushOptions): Promise<void>;
  /** Comments and waits until Holdfast has nothing left to do. */
  say(pull: PullRequest, login: string, body: string): Promise<IssueComment>;
  /** Every webhook answered, every delivery handled, no run open, everything published. */
  settle(): Promise<void>;
  /** The tidying that time brings, with nothing heard of this repository's pull requests for an hour. */
  tidyAsIfLongAgo(repository: Repository): Promise<void>;
  /** After each test: nothing was asked of GitHub that it does not have; of a failed one Holdfast's own complaints are shown. */
  check(test: { readonly task: { readonly result?: { readonly state?: string } } }): void;
  object(name: string): Promise<CloudObject | undefined>;
  /** The next such operation on this object takes longer, milliseconds. */
  slow(op: FaultPoint, name: string, delayMs: number): Promise<void>;
  /** Changes a live object behind Terraform's back. */
  drift(name: string, content: string): Promise<void>;
}

type NewRepositoryFiles = NewPullRequest['files'];
type PushOptions = { readonly author?: string; readonly force?: boolean };
export interface RepositoryOptions {
  readonly roles?: Readonly<Record<string, Role>>;
  readonly defaultBranch?: string;
  readonly owner?: string;
}

interface Places {
  readonly folder: string;
  readonly cloudDirectory: string;
  readonly stateDirectory: string;
}

async function makePlaces(): Promise<Places> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-e2e-'));
  await chmod(folder, 0o755);
  const places = { cloudDirectory: join(folder, 'cloud'), stateDirectory: join(folder, 'state') };
  for (const place of Object.values(places)) {
    await mkdir(place);
    await chmod(place, 0o777);
  }
  return { folder, ...places };
}

/** Limits of the local GitHub and of Holdfast's own budget are far away: a file of tests writes more in a minute than a team in an hour. */
const FAST = { requestsPerHour: 1_000_000, contentPerMinute: 1_000_000, contentPerHour: 1_000_000 };

async function startProcesses(places: Places, options: StageOptions, stack: AsyncDisposableStack) {
  const fakecloud = await buildFakecloud();
  // The sandbox takes no mount that leads through a link.
  const mirrorDirectory = await realpath(fakecloud.mirrorDirectory);
  const secret = randomBytes(16).toString('hex');
  const github = stack.use(await createGithubServer({ limits: FAST, ...options.github }));
  github.createOrganization('acme');
  const database = stack.use(await createTestDatabase());
  const configPath = join(places.folder, 'server.yaml');
  await writeFile(configPath, options.config ?? '{}\n');
  const holdfast = stack.use(
    await startHoldfast({
      HOLDFAST_DATA_DIR: join(places.folder, 'data'),
      HOLDFAST_DATABASE_URL: database.url.reveal(),
      HOLDFAST_CONFIG: configPath,
      HOLDFAST_LISTEN: '127.0.0.1:0',
      HOLDFAST_WEB_TOKEN: randomBytes(16).toString('hex'),
      HOLDFAST_REPOSITORIES: '127.0.0.1/acme/*',
      HOLDFAST_GITHUB_API_URL: github.apiUrl,
      HOLDFAST_GITHUB_CLONE_URL: github.cloneUrlTemplate,
      HOLDFAST_GITHUB_TOKEN: github.createToken(BOT),
      HOLDFAST_GITHUB_WEBHOOK_SECRET: secret,
      HOLDFAST_GITHUB_WRITES_PER_MINUTE: '6000',
      HOLDFAST_GITHUB_WRITES_PER_HOUR: '100000',
      HOLDFAST_PROVIDER_MIRROR_DIRECTORY: mirrorDirectory,
      HOLDFAST_SANDBOX_NETWORK: 'none',
      HOLDFAST_SANDBOX_MOUNTS: [
        `${places.cloudDirectory}:rw`,
        `${places.stateDirectory}:rw`,
        `${mirrorDirectory}:ro`,
        ...fakecloud.mounts.flatMap(({ source }) => (source === fakecloud.mirrorDirectory ? [] : [`${source}:ro`])),
      ].join(','),
      ...options.environment,
    }),
  );
  github.setWebhook({ url: `${holdfast.url}/webhooks/github`, secret });
  return { github, database, holdfast };
}

export async function startStage(options: StageOptions = {}): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const places = await makePlaces();
  opening.defer(() => rm(places.folder, { recursive: true, force: true }));
  const { github, database, holdfast } = await startProcesses(places, options, opening);
  const cloud = directoryCloud(places.cloudDirectory);
  const settle = () => settleDatabase(github, database, () => holdfast.log());
  const stack = opening.move();
  return {
    ...createView(github, database, BOT),
    github,
    holdfast,
    database,
    cloudDirectory: places.cloudDirectory,
    root: (repository, dir, objects, extra = '') => rootModule(places, repository, dir, objects, extra),
    repository: (name, files, { roles = {}, owner = 'acme', ...rest } = {}) =>
      github.createRepository({ owner, name, files, roles: { ...ROLES, ...roles }, ...rest }),
    open: async (repository, files, order = {}) => {
      const title = order.title ?? `Change ${Object.keys(files).join(', ')}`;
      const branch = order.branch ?? `change-${repository.nextNumber}`;
      const pull = await github.openPullRequest(repository, { author: 'ann', files, branch, ...order, title });
      await settle();
      return pull;
    },
    push: async (pull, files, pushOptions = {}) => {
      await github.pushToPullRequest(pull, files, pushOptions);
      await settle();
    },
    say: async (pull, login, body) => {
      const comment = github.comment(pull, login, body);
      await settle();
      return comment;
    },
    settle,
    check: ({ task }) => {
      const complaints = holdfast
        .log()
        .split('\n')
        .filter((line) => /"level":[56]0/.test(line));
      if (task.result?.state === 'fail') process.stderr.write(`${complaints.slice(-10).join('\n')}\n`);
      try {
        github.assertClean();
      } finally {
        github.clearBooks();
      }
    },
    tidyAsIfLongAgo: async ({ id }) => {
      await sql`update pull_requests set updated_at = now() - interval '1 hour' where repository_id = ${`127.0.0.1/${id}`}`.execute(
        database.db,
      );
      const queue = await createJobQueue({
        backend: { kind: 'postgres', url: database.url },
        logger: recordingLogger(),
      });
      await queue.enqueue('cleanup', {});
      await queue.close();
    },
    object: async (name) => (await cloud.get(name)) ?? undefined,
    slow: async (op, name, delayMs) => {
      const fault: Fault = { op, name, times: 1, delay_ms: delayMs };
      const path = join(places.cloudDirectory, '.faults.json');
      await writeFile(path, JSON.stringify([fault]));
      await chmod(path, 0o666);
    },
    drift: async (name, content) => {
      const path = join(places.cloudDirectory, `${encodeURIComponent(name)}.json`);
      const live = JSON.parse(await readFile(path, 'utf8')) as CloudObject;
      await cloud.put({ ...live, content, version: live.version + 1 });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function rootModule(
  { cloudDirectory, stateDirectory }: Places,
  repository: string,
  dir: string,
  objects: Readonly<Record<string, string>>,
  extra: string,
): string {
  const state = join(stateDirectory, `${repository}-${dir.replaceAll('/', '-')}.tfstate`);
  const resources = Object.entries(objects).map(
    ([name, content]) => `
resource "fakecloud_object" "${name}" {
  name    = "${repository}-${name}"
  content = ${JSON.stringify(content)}
}
`,
  );
  return `terraform {
  required_providers {
    fakecloud = { source = "holdfast/fakecloud" }
  }
  backend "local" {
    path          = "${state}"
    workspace_dir = "${state}.d"
  }
}

provider "fakecloud" {
  dir = "${cloudDirectory}"
}
${resources.join('')}${extra}`;
}
