import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGithubServer, type GithubServer } from '../servers/github/github-server.ts';
import { startHoldfast } from '../support/holdfast-process.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const CLI = join(import.meta.dirname, '../../src/cli.ts');

let github: GithubServer;
let folder: string;
/** Where it does not matter which: the embedded one takes longer. */
let database: TestDatabase;
beforeAll(async () => {
  github = await createGithubServer();
  github.createOrganization('acme');
  database = await createTestDatabase();
  await github.createRepository({
    owner: 'acme',
    name: 'infra',
    files: { a: 'b' },
    roles: { 'holdfast-bot': 'write' },
  });
});
afterAll(() => github?.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-doctor-test-'));
  await chmod(folder, 0o755);
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const environment = (): Record<string, string> => ({
  HOLDFAST_DATA_DIR: join(folder, 'data'),
  HOLDFAST_DATABASE_URL: database.url.reveal(),
  HOLDFAST_LISTEN: '127.0.0.1:0',
  HOLDFAST_PUBLIC_URL: 'https://holdfast.example.com',
  HOLDFAST_REPOSITORIES: '127.0.0.1/acme/*',
  HOLDFAST_SANDBOX_NETWORK: 'none',
  HOLDFAST_GITHUB_API_URL: github.apiUrl,
  HOLDFAST_GITHUB_TOKEN: github.createToken('holdfast-bot'),
  HOLDFAST_GITHUB_WEBHOOK_SECRET: 'a-webhook-secret',
});

const EMBEDDED = { HOLDFAST_DATABASE_URL: undefined };

async function doctor(changes: Readonly<Record<string, string | undefined>> = {}) {
  const { PATH = '' } = process.env;
  const env = { PATH, HOME: folder, ...environment(), ...changes };
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
  const { stdout, stderr, exitCode } = await execa(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', CLI, 'doctor'],
    { env: given, extendEnv: false, reject: false, timeout: 100_000 },
  );
  expect(stderr).toBe('');
  return { text: stdout, exitCode };
}

describe('holdfast doctor', () => {
  test('before the first start: everything is there, and nothing is made', async () => {
    const { text, exitCode } = await doctor(EMBEDDED);
    expect(text).toMatch(/✓ git 2\.\d+/);
    expect(text).toContain('✓ flock');
    expect(text).toMatch(/✓ Terraform 1\.\d+\.\d+ \(\//);
    expect(text).toContain('✓ sandbox: bubblewrap, network none');
    expect(text).toMatch(/✓ database: PostgreSQL 18\S*, embedded; it can be started/);
    expect(text).toContain('! encryption key: made at the first start');
    expect(text).toContain('✓ queue: in PostgreSQL');
    expect(text).toContain('✓ 127.0.0.1: holdfast-bot');
    expect(text).toContain('✓ serves acme/infra');
    expect(text).toContain('! no webhook has ever arrived');
    expect(text).toContain('https://holdfast.example.com/webhooks/github');
    expect(text).toContain('Nothing is missing.');
    expect(exitCode).toBe(0);
    await expect(mkdir(join(folder, 'data'))).resolves.toBeUndefined();
  });

  test('beside a running Holdfast it looks at that one, and at the webhooks that came', async () => {
    const { HOLDFAST_DATABASE_URL: _other, ...env } = environment();
    await using holdfast = await startHoldfast(env);
    const before = await doctor({ ...env, ...EMBEDDED });
    expect(before.text).toContain('embedded in the Holdfast that is running');
    expect(before.text).toContain('✓ encryption key, the one of this database');
    expect(before.text).toContain('✗ no webhook has ever arrived from 127.0.0.1');
    expect(before.exitCode).toBe(1);

    github.setWebhook({ url: `${holdfast.url}/webhooks/github`, secret: 'a-webhook-secret' });
    const [repository] = github.hub.world.repositories.values();
    if (repository) await github.commitFile(repository, { c: randomBytes(4).toString('hex') });
    await github.settled();
    const after = await doctor({ ...env, ...EMBEDDED });
    expect(after.text).toMatch(/✓ the newest webhook came at 20\d\d-/);
    expect(after.exitCode).toBe(0);
    github.setWebhook(undefined);
  });

  test('with a config that has problems: all of them, and the machine all the same', async () => {
    const { text, exitCode } = await doctor({
      HOLDFAST_REPOSITORIES: undefined,
      HOLDFAST_TRIGERS: 'x',
      HOLDFAST_PARALLELISM: 'many',
    });
    expect(text).toContain('✗ HOLDFAST_TRIGERS: unknown variable (did you mean HOLDFAST_TRIGGERS?)');
    expect(text).toMatch(/✗ HOLDFAST_PARALLELISM/);
    expect(text).toMatch(/✓ git/);
    expect(text).toContain('was not looked at');
    expect(exitCode).toBe(1);
  });

  test('with a config that is only incomplete: what there is of it', async () => {
    const { text, exitCode } = await doctor({ HOLDFAST_REPOSITORIES: undefined, HOLDFAST_GITHUB_TOKEN: undefined });
    expect(text).toContain('✗ repositories: is required');
    expect(text).toContain('✗ github: is required');
    expect(text).toContain('✓ data directory');
    expect(exitCode).toBe(1);
  });

  test('programs that are missing, each with its package', async () => {
    const { text, exitCode } = await doctor({ PATH: join(folder, 'nothing') });
    expect(text).toMatch(/✗ git is not installed\n +→ apt-get install git/);
    expect(text).toContain('✗ Terraform is not installed');
    expect(exitCode).toBe(1);
  });

  test('a binary that is not the version it is said to be', async () => {
    await writeFile(join(folder, 'terraform'), '#!/bin/sh\necho \'{"terraform_version":"1.9.0"}\'\n', { mode: 0o755 });
    await writeFile(
      join(folder, 'server.yaml'),
      `terraform: { binaries: [{ distribution: terraform, version: 1.8.5, path: ${folder}/terraform }, { distribution: opentofu, version: 1.9.0, path: ${folder}/tofu }] }\n`,
    );
    const { text, exitCode } = await doctor({ HOLDFAST_CONFIG: join(folder, 'server.yaml') });
    expect(text).toContain(`✗ ${folder}/terraform is 1.9.0, and the config says 1.8.5`);
    expect(text).toContain(`✗ OpenTofu 1.9.0 (${folder}/tofu) cannot be run`);
    expect(exitCode).toBe(1);
  });

  test('places that runs cannot reach', async () => {
    const closed = join(folder, 'closed');
    await mkdir(join(closed, 'inside'), { recursive: true });
    await chmod(closed, 0o700);
    await symlink(folder, join(folder, 'link'));
    const { text, exitCode } = await doctor({
      HOLDFAST_DATA_DIR: join(closed, 'data'),
      HOLDFAST_SANDBOX_MOUNTS: `${folder}/absent:ro,${folder}/link/closed:ro`,
      HOLDFAST_MINIMUM_FREE: '1000TiB',
    });
    if (process.getuid?.() === 0) expect(text).toContain(`${closed} is closed to others`);
    expect(text).toContain(`✗ The mount ${folder}/absent does not exist.`);
    expect(text).toContain(
      `✗ The mount ${folder}/link/closed leads through a link to ${closed}: name that path instead.`,
    );
    expect(text).toContain('→ Change sandbox.mounts (HOLDFAST_SANDBOX_MOUNTS)');
    expect(text).toMatch(/✗ [\d.]+ GiB are free there, and runs need 1024000\.0 GiB/);
    expect(exitCode).toBe(1);
  });

  test('a sandbox that is switched off is said', async () => {
    const { text } = await doctor({ HOLDFAST_SANDBOX: 'none' });
    expect(text).toContain('! runs are not contained (sandbox: none)');
  });

  test('a database of one’s own: empty, made, of a newer program, away', async () => {
    await using empty = await createEmptyDatabase();
    const first = await doctor({ HOLDFAST_DATABASE_URL: empty.url.reveal() });
    expect(first.text).toMatch(/✓ database: PostgreSQL 18\S*\n {2}! the database is empty/);
    expect(first.exitCode).toBe(0);
    await using made = await createTestDatabase();
    const second = await doctor({ HOLDFAST_DATABASE_URL: made.url.reveal() });
    expect(second.text).not.toContain('empty');
    expect(second.text).toContain('✗ no webhook has ever arrived');
    await made.pool.query(
      `insert into holdfast.migrations (name, timestamp) values ('9999_later', '2030-01-01T00:00:00Z')`,
    );
    const third = await doctor({ HOLDFAST_DATABASE_URL: made.url.reveal() });
    expect(third.text).toContain('✗ the database was made by a newer Holdfast (9999_later)');
    const away = await doctor({ HOLDFAST_DATABASE_URL: 'postgres://u:secret-word@127.0.0.1:1/x' });
    expect(away.text).toMatch(/database\n {2}✗ .*ECONNREFUSED/);
    expect(away.text).not.toContain('secret-word');
    expect(away.exitCode).toBe(1);
  });

  test('an encryption key that is not the one of the database, and one that is gone', async () => {
    await using used = await createTestDatabase();
    const own = { HOLDFAST_DATABASE_URL: used.url.reveal() };
    await (await startHoldfast({ ...environment(), ...own })).stop();
    const other = await doctor({ ...own, HOLDFAST_ENCRYPTION_KEY: randomBytes(32).toString('base64') });
    expect(other.text).toContain('✗ the encryption key is not the one of this database');
    await chmod(join(folder, 'data/encryption.key'), 0o644);
    expect((await doctor(own)).text).toMatch(/✗ others may read .*encryption\.key\n +→ chmod 600/);
    await rm(join(folder, 'data/encryption.key'));
    expect((await doctor(own)).text).toContain('✗ the encryption key is gone');
  });

  test('a queue that is away', async () => {
    const { text, exitCode } = await doctor({ HOLDFAST_REDIS_URL: 'redis://127.0.0.1:1' });
    expect(text).toContain('✗ the queue cannot be used');
    expect(exitCode).toBe(1);
  });

  test('a credential that is refused, and an allowlist that matches nothing', async () => {
    const refused = await doctor({ HOLDFAST_GITHUB_TOKEN: 'no-such-token-at-all' });
    expect(refused.text).toMatch(/✗ .*credential was refused/);
    expect(refused.text).not.toContain('no-such-token-at-all');
    const nothing = await doctor({ HOLDFAST_REPOSITORIES: '127.0.0.1/acne/*' });
    expect(nothing.text).toContain('✗ no repository that the credential sees is allowed by 127.0.0.1/acne/*');
    expect(nothing.text).toContain('it sees acme/infra');
    expect(nothing.exitCode).toBe(1);
  });

  test('an App: what it lacks, and where it is installed', async () => {
    const app = github.createApp({
      name: 'Doctor',
      owner: 'acme',
      permissions: { metadata: 'read' },
      events: ['push'],
    });
    const own = {
      HOLDFAST_GITHUB_TOKEN: undefined,
      HOLDFAST_GITHUB_APP_ID: String(app.id),
      HOLDFAST_GITHUB_PRIVATE_KEY: app.privateKey,
    };
    github.setWebhook({ url: 'http://127.0.0.1:1/webhooks/github', secret: 'a-webhook-secret' });
    expect((await doctor(own)).text).toContain('✗ The App is installed nowhere');
    github.installApp(app, 'acme', 'all');
    const { text, exitCode } = await doctor(own);
    expect(text).toMatch(/✗ The App lacks permissions: .*checks: write/);
    expect(text).toMatch(/✗ The App is not subscribed to: .*pull_request/);
    expect(text).toContain('✓ serves acme/infra');
    expect(exitCode).toBe(1);
  });
});
