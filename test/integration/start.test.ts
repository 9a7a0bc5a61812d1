import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startHoldfast } from '../support/holdfast-process.ts';

const CLI = join(import.meta.dirname, '../../src/cli.ts');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-start-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const environment = (): Readonly<Record<string, string>> => ({
  HOLDFAST_DATA_DIR: join(folder, 'data'),
  HOLDFAST_LISTEN: '127.0.0.1:0',
  HOLDFAST_REPOSITORIES: 'localhost/acme/*',
  HOLDFAST_GITHUB_API_URL: 'http://localhost:1',
  HOLDFAST_GITHUB_CLONE_URL: 'http://localhost:1/{owner}/{repo}.git',
  HOLDFAST_GITHUB_TOKEN: 'token-of-the-bot',
  HOLDFAST_GITHUB_WEBHOOK_SECRET: 'a-webhook-secret',
});

const without = (...names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(environment()).filter(([name]) => !names.includes(name)));

async function run(env: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const { PATH = '' } = process.env;
  return execa(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, ...args], {
    env: { PATH, HOME: folder, ...env },
    extendEnv: false,
    reject: false,
    timeout: 60_000,
  });
}

describe('starting', () => {
  test.each([
    ['a webhook secret', 'HOLDFAST_GITHUB_WEBHOOK_SECRET', /webhook_secret/i],
    ['an allowlist', 'HOLDFAST_REPOSITORIES', /repositories/i],
  ])('is refused without %s, in words', async (_what, name, words) => {
    const result = await run(without(name), 'serve');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(words);
  });

  test('names every problem at once, with a suggestion for a misspelt variable', async () => {
    const result = await run(
      { ...without('HOLDFAST_REPOSITORIES'), HOLDFAST_REPOSITRIES: 'x', HOLDFAST_SANDBOX: 'maybe' },
      'serve',
    );
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('HOLDFAST_REPOSITORIES');
    expect(result.stderr).toMatch(/HOLDFAST_SANDBOX|sandbox/);
  });

  test('a worker alone without a shared database is refused', async () => {
    const result = await run(environment(), 'worker');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('HOLDFAST_DATABASE_URL');
  });

  test('an address that is taken is said in words, and the database is stopped again', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = taken.address() as AddressInfo;
      const result = await run({ ...environment(), HOLDFAST_LISTEN: `127.0.0.1:${port}` }, 'serve');
      expect(result.exitCode).toBe(1);
      expect(result.stderr).toContain(`holdfast: it cannot start: listen EADDRINUSE`);
      expect(result.stderr).not.toContain('    at ');
    } finally {
      taken.close();
    }
    const { stdout } = await execa('pgrep', ['-f', folder], { reject: false });
    expect(stdout).toBe('');
  });

  test('prints the token for the pages once, keeps it and the key for our user alone, and ends orderly', async () => {
    const first = await startHoldfast(environment());
    expect(first.log()).toMatch(/token for the pages, shown this once: \S{20,}/);
    expect((await fetch(`${first.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${first.url}/metrics`)).status).toBe(401);
    expect(await first.stop()).toBe(0);
    for (const name of ['encryption.key', 'web-token']) {
      const { mode } = await stat(join(folder, 'data', name));
      expect(mode & 0o077).toBe(0);
    }
    const second = await startHoldfast(environment());
    expect(second.log()).not.toContain('shown this once');
    expect(await second.stop()).toBe(0);
  });

  test('a second Holdfast on the same data directory is refused, and names the first', async () => {
    await using first = await startHoldfast(environment());
    const second = await run(environment(), 'serve');
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain(String(first.pid));
  });

  test('a lost or changed encryption key is said at once', async () => {
    await (await startHoldfast(environment())).stop();
    const key = join(folder, 'data', 'encryption.key');
    const former = await readFile(key, 'utf8');
    await rm(key);
    const lost = await run(environment(), 'serve');
    expect(lost.exitCode).toBe(1);
    expect(lost.stderr).toMatch(/encryption key is not the one/);
    const previous = await startHoldfast({ ...environment(), HOLDFAST_PREVIOUS_ENCRYPTION_KEYS: former.trim() });
    expect(await previous.stop()).toBe(0);
  });

  test('mounts that no run could be shown are refused, with what to name instead', async () => {
    const [real, link] = [join(folder, 'real'), join(folder, 'link')];
    await mkdir(real);
    await symlink(real, link);
    const result = await run({ ...environment(), HOLDFAST_SANDBOX_MOUNTS: `${link}:rw,/usr/share:ro` }, 'serve');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('HOLDFAST_SANDBOX_MOUNTS');
    expect(result.stderr).toContain(`The mount ${link} leads through a link to ${real}: name that path instead.`);
    expect(result.stderr).toContain('Nothing can be mounted at /usr/share in a sandbox');
  });

  test('a damaged key file is an error, not a new key', async () => {
    await (await startHoldfast(environment())).stop();
    await writeFile(join(folder, 'data', 'encryption.key'), 'short\n');
    const result = await run(environment(), 'serve');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('damaged');
  });
});

describe('holdfast validate', () => {
  test('tells every problem of a repository config with its line', async () => {
    await writeFile(join(folder, 'holdfast.yaml'), 'version: 3\nprojets:\n- dir: a\nautomerge: maybe\n');
    const result = await run({}, 'validate', folder);
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(/holdfast\.yaml:2: error: .*projets.*projects/);
    expect(result.stdout).toMatch(/holdfast\.yaml:4: error: .*automerge/);
  });

  test('passes a good one', async () => {
    await writeFile(join(folder, 'atlantis.yaml'), 'version: 3\nprojects:\n- dir: a\n');
    const result = await run({}, 'validate', folder);
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('valid');
  });

  test('checks a server config by its path', async () => {
    const file = join(folder, 'server.yaml');
    await writeFile(file, 'repositories: [github.com/acme/*]\nparallelism: {globl: 3}\n');
    const result = await run({}, 'validate', file);
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(/globl/);
  });
});
