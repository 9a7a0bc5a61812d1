import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { buildFakecloud } from '../fakecloud/build-fakecloud.ts';
import { infrastructureFiles } from '../fixtures/infrastructure.ts';
import { createGithubServer, type GithubServer } from '../servers/github/github-server.ts';
import { type HoldfastProcess, startHoldfast } from '../support/holdfast-process.ts';

export interface Demo extends AsyncDisposable {
  readonly github: GithubServer;
  readonly repository: Awaited<ReturnType<GithubServer['createRepository']>>;
  /** Of the repository's first commit, by path. */
  readonly files: Readonly<Record<string, string>>;
  readonly cloudDirectory: string;
  readonly holdfast: HoldfastProcess;
  /** A link that logs in. */
  readonly pagesUrl: string;
  pullRequestUrl(): string;
  /** Of the first drift report. */
  issueUrl(): string;
  /** Another `holdfast` on the same server's settings; what it said. */
  command(...words: readonly string[]): Promise<string>;
}

const CLI = join(import.meta.dirname, '../../src/cli.ts');
const COMMAND_MS = 60_000;
/** One look is enough for a story; otherwise two checks in a row have to see a drift. */
const CONFIG = 'drift:\n  confirmations: 1\n';

/** A local GitHub, a small cloud and Holdfast on its embedded defaults; everything lives in one folder that is removed at the end. */
export async function startDemo(say: (text: string) => void): Promise<Demo> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-demo-'));
  await chmod(folder, 0o755);
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const places = { cloudDirectory: join(folder, 'cloud'), stateDirectory: join(folder, 'state') };
  for (const place of Object.values(places)) {
    await mkdir(place);
    await chmod(place, 0o777);
  }
  say('Building the small cloud and its Terraform provider ...');
  const fakecloud = await buildFakecloud();
  const secret = randomBytes(16).toString('hex');
  const github = opening.use(await createGithubServer());
  const files = infrastructureFiles(places);
  const repository = await github.createRepository({
    owner: 'acme',
    name: 'infrastructure',
    files,
    roles: { 'holdfast-bot': 'write', ann: 'write', bob: 'maintain' },
  });
  say(`A local GitHub runs at ${github.url}, with the repository acme/infrastructure.`);
  const webToken = randomBytes(16).toString('hex');
  const configPath = join(folder, 'server.yaml');
  await writeFile(configPath, CONFIG);
  const environment = {
    HOLDFAST_CONFIG: configPath,
    HOLDFAST_DATA_DIR: join(folder, 'data'),
    HOLDFAST_LISTEN: '127.0.0.1:0',
    HOLDFAST_WEB_TOKEN: webToken,
    HOLDFAST_REPOSITORIES: '127.0.0.1/acme/*',
    HOLDFAST_GITHUB_API_URL: github.apiUrl,
    HOLDFAST_GITHUB_CLONE_URL: github.cloneUrlTemplate,
    HOLDFAST_GITHUB_TOKEN: github.createToken('holdfast-bot'),
    HOLDFAST_GITHUB_WEBHOOK_SECRET: secret,
    HOLDFAST_PROVIDER_MIRROR_DIRECTORY: fakecloud.mirrorDirectory,
    HOLDFAST_SANDBOX_NETWORK: 'none',
    HOLDFAST_SANDBOX_MOUNTS: [
      `${places.cloudDirectory}:rw`,
      `${places.stateDirectory}:rw`,
      ...fakecloud.mounts.map(({ source }) => `${source}:ro`),
    ].join(','),
  };
  const holdfast = opening.use(await startHoldfast(environment));
  github.setWebhook({ url: `${holdfast.url}/webhooks/github`, secret });
  say(`Holdfast runs at ${holdfast.url}; every plan runs in a bubblewrap sandbox without a network.`);
  const stack = opening.move();
  return {
    github,
    repository,
    files,
    cloudDirectory: places.cloudDirectory,
    holdfast,
    pagesUrl: `${holdfast.url}/login?token=${webToken}`,
    pullRequestUrl: () => `${github.url}/acme/infrastructure/pull/1`,
    issueUrl: () => `${github.url}/acme/infrastructure/issues/2`,
    command: async (...words) => {
      const { PATH = '', HOME = '/' } = process.env;
      const { all } = await execa(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, ...words], {
        env: { PATH, HOME, ...environment },
        extendEnv: false,
        all: true,
        timeout: COMMAND_MS,
      });
      return all;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
