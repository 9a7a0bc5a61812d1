import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createGitMirror } from '../../../src/adapters/git/index.ts';
import { Secret } from '../../../src/lib/secret.ts';
import type { RepositoryMirror } from '../../../src/ports/repository-mirror.ts';
import { GitFixture, REPOSITORY } from '../../support/git-fixture.ts';
import { serveGit, type GitHttpServer } from '../../support/git-http-server.ts';

const PASSWORD = "ghs_canary'$(id)%41 \\x";
const MAIN = 'refs/heads/main';

describe('git over HTTP', () => {
  let fixture: GitFixture;
  let server: GitHttpServer;
  let mirror: RepositoryMirror;

  beforeEach(async () => {
    fixture = await GitFixture.create();
    server = await serveGit(fixture.folder, { credential: `x-access-token:${PASSWORD}` });
    mirror = createGitMirror({ directory: fixture.path('mirrors'), timeoutMs: 20_000 });
  });
  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    await fixture[Symbol.asyncDispose]();
  });

  const source = (origin = server.origin, password = PASSWORD) => ({
    url: `${origin}/source.git`,
    username: 'x-access-token',
    password: new Secret(password),
  });

  test('fetches with a credential that any characters may be in', async () => {
    const sha = await fixture.commit(MAIN, { 'a.tf': '1' });
    expect((await mirror.fetch(REPOSITORY, source(), [MAIN])).get(MAIN)).toBe(sha);
  });

  test('asks for no objects when nothing is new, and only for the new ones otherwise', async () => {
    const first = await fixture.commit(MAIN, { 'a.tf': '1' });
    await mirror.fetch(REPOSITORY, source(), [MAIN]);
    server.requests.length = 0;
    await mirror.fetch(REPOSITORY, source(), [MAIN]);
    expect(server.requests.filter((request) => request.wantsObjects)).toEqual([]);
    const second = await fixture.commit(MAIN, { 'a.tf': '2' }, [first]);
    await mirror.fetch(REPOSITORY, source(), [MAIN]);
    expect(server.requests.some((request) => request.wantsObjects)).toBe(true);
    expect(await mirror.has(REPOSITORY, second)).toBe(true);
  });

  test('learns the tip of a branch among thousands of refs from a few small answers', async () => {
    const sha = await fixture.commit(MAIN, { 'a.tf': '1' });
    const refs = Array.from({ length: 3_000 }, (_, index) => `create refs/pull/${index}/head ${sha}\n`);
    await fixture.git(['update-ref', '--stdin'], refs.join(''));
    expect(await mirror.findTip(source(), 'main')).toBe(sha);
    expect(server.requests.length).toBeLessThanOrEqual(3);
    expect(server.requests.filter((request) => request.wantsObjects)).toEqual([]);
    expect(Math.max(...server.requests.map((request) => request.answered))).toBeLessThan(2_000);
  });

  test('the tip is asked for with the same care: wrong passwords, hosts that are away, and no waiting for ever', async () => {
    await fixture.commit(MAIN, { 'a.tf': '1' });
    const failure: unknown = await mirror.findTip(source(server.origin, 'wrong-canary'), 'main').catch((e) => e);
    expect(failure).toMatchObject({ name: 'MirrorError', kind: 'refused' });
    expect(String(failure)).not.toContain('wrong-canary');
    const gitPath = await fixture.write('bin/git', '#!/bin/sh\nexec sleep 30\n', 0o755);
    const slow = createGitMirror({ directory: fixture.path('mirrors'), timeoutMs: 500, gitPath });
    await expect(slow.findTip(source(), 'main')).rejects.toMatchObject({ kind: 'unavailable' });
    const { origin } = server;
    await server[Symbol.asyncDispose]();
    await expect(mirror.findTip(source(origin), 'main')).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('the password is in no file of the mirror and in no argument of git', async () => {
    const sha = await fixture.commit(MAIN, { 'a.tf': '1' });
    const log = fixture.path('argv.log');
    const gitPath = await fixture.write('bin/git', `#!/bin/sh\nprintf '%s\\n' "$@" >> ${log}\nexec git "$@"\n`, 0o755);
    mirror = createGitMirror({ directory: fixture.path('mirrors'), timeoutMs: 20_000, gitPath });
    await mirror.fetch(REPOSITORY, source(), [MAIN, 'refs/heads/absent']);
    await mirror.export(REPOSITORY, sha, await fixture.emptyFolder('into'));
    expect(await readFile(log, 'utf8')).toContain(`${server.origin}/source.git`);
    const texts = [await readFile(log, 'latin1')];
    for (const entry of await readdir(fixture.path('mirrors'), { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) texts.push(await readFile(join(entry.parentPath, entry.name), 'latin1'));
    }
    const encoded = Buffer.from(`x-access-token:${PASSWORD}`).toString('base64');
    for (const form of [PASSWORD, encodeURIComponent(PASSWORD), encoded, 'ghs_canary']) {
      expect(texts.filter((text) => text.includes(form))).toEqual([]);
    }
  });

  test('a wrong password is refused in words that do not tell it, and nobody is asked for another', async () => {
    await fixture.commit(MAIN, { 'a.tf': '1' });
    const failure: unknown = await mirror
      .fetch(REPOSITORY, source(server.origin, 'wrong-canary'), [MAIN])
      .catch((e) => e);
    expect(failure).toMatchObject({ name: 'MirrorError', kind: 'refused' });
    expect(String(failure)).not.toContain('wrong-canary');
    expect(String(failure)).toMatch(/authentication failed/i);
  });

  test('a redirect to another host is followed, but not with the credential', async () => {
    const sha = await fixture.commit(MAIN, { 'a.tf': '1' });
    await using other = await serveGit(fixture.folder);
    server.options = { redirectTo: other.origin };
    expect((await mirror.fetch(REPOSITORY, source(), [MAIN])).get(MAIN)).toBe(sha);
    expect(other.requests.length).toBeGreaterThan(0);
    expect(other.requests.filter((request) => request.authorization !== undefined)).toEqual([]);
    other.options = { credential: `x-access-token:${PASSWORD}` };
    other.requests.length = 0;
    await expect(mirror.fetch(REPOSITORY, source(), [MAIN])).rejects.toMatchObject({ kind: 'refused' });
    expect(other.requests.filter((request) => request.authorization !== undefined)).toEqual([]);
  });

  test('a server that is away is worth another try', async () => {
    const { origin } = server;
    await server[Symbol.asyncDispose]();
    await expect(mirror.fetch(REPOSITORY, source(origin), [MAIN])).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('a connection cut in the middle of the objects leaves a mirror that works', async () => {
    const first = await fixture.commit(MAIN, { 'a.tf': '1' });
    await mirror.fetch(REPOSITORY, source(), [MAIN]);
    const noise = Array.from({ length: 20_000 }, (_, index) => (index * 2_654_435_761) >>> 0).join('\n');
    const second = await fixture.commit(MAIN, { 'big.tf': noise }, [first]);
    server.options = { ...server.options, cutAfter: 20_000 };
    await expect(mirror.fetch(REPOSITORY, source(), [MAIN])).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await mirror.has(REPOSITORY, second)).toBe(false);
    expect((await mirror.listFiles(REPOSITORY, first)).length).toBe(1);
    server.options = { credential: `x-access-token:${PASSWORD}` };
    expect((await mirror.fetch(REPOSITORY, source(), [MAIN])).get(MAIN)).toBe(second);
    expect((await mirror.readFiles(REPOSITORY, second, ['big.tf'], 1_000_000)).get('big.tf')).toBe(noise);
  });

  test('a server that does not answer is given up in time', async () => {
    await fixture.commit(MAIN, { 'a.tf': '1' });
    const gitPath = await fixture.write(
      'bin/git',
      '#!/bin/sh\nif test "$1" = fetch; then exec sleep 30; fi\nexec git "$@"\n',
      0o755,
    );
    mirror = createGitMirror({ directory: fixture.path('mirrors'), timeoutMs: 500, gitPath });
    const started = Date.now();
    await expect(mirror.fetch(REPOSITORY, source(), [MAIN])).rejects.toMatchObject({ kind: 'unavailable' });
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  test.each([
    ['a user in the address', 'https://user@git.test/a.git'],
    ['a password in the address', 'https://user:pw@git.test/a.git'],
    ['a command for a transport', 'ext::sh -c touch% /tmp/x'],
    ['ssh', 'ssh://git@git.test/a.git'],
    ['an option', '--upload-pack=touch /tmp/x'],
    ['a plain path', '/tmp/a.git'],
  ])('refuses %s before anything is run', async (_what, url) => {
    const absent = createGitMirror({ directory: fixture.path('none'), timeoutMs: 1_000, gitPath: '/nowhere/git' });
    const asked = absent.fetch(REPOSITORY, { url, username: undefined, password: undefined }, [MAIN]);
    await expect(asked).rejects.toThrow(/address of a repository/);
  });

  test.each([MAIN, 'refs/heads/--upload-pack=touch', 'refs/heads/$(id)', 'refs/heads/a\'b"c', 'refs/heads/ünï'])(
    'a branch may be called %s',
    async (ref) => {
      const sha = await fixture.commit(ref, { 'a.tf': '1' });
      expect((await mirror.fetch(REPOSITORY, source(), [ref])).get(ref)).toBe(sha);
    },
  );

  test.each([
    'main',
    '--upload-pack=x',
    'refs/heads/a b',
    'refs/heads/a..b',
    'refs/heads/*',
    'refs/heads/a:refs/heads/b',
    'refs/heads/a\nb',
    'refs/heads/a.lock',
    '+refs/heads/a',
    'refs/heads/',
  ])('refuses %j, which is no full ref name', async (ref) => {
    await expect(mirror.fetch(REPOSITORY, source(), [ref])).rejects.toThrow(/not a full ref name/);
  });

  test('nothing of the environment of this process reaches git', async () => {
    const sha = await fixture.commit(MAIN, { 'a.tf': '1' });
    const log = fixture.path('env.log');
    const gitPath = await fixture.write('bin/git', `#!/bin/sh\nenv >> ${log}\nexec git "$@"\n`, 0o755);
    process.env.HOLDFAST_CANARY = 'leaked-canary';
    process.env.GIT_EXEC_PATH = '/nowhere';
    try {
      mirror = createGitMirror({ directory: fixture.path('mirrors'), timeoutMs: 20_000, gitPath });
      await mirror.fetch(REPOSITORY, source(), [MAIN]);
      await mirror.listFiles(REPOSITORY, sha);
    } finally {
      delete process.env.HOLDFAST_CANARY;
      delete process.env.GIT_EXEC_PATH;
    }
    const seen = await readFile(log, 'utf8');
    expect(seen).toContain('GIT_TERMINAL_PROMPT=0');
    expect(seen).not.toMatch(/leaked-canary|GIT_EXEC_PATH/);
  });

  test('the proxy is used, and the hosts that need none are reached directly', async () => {
    const sha = await fixture.commit(MAIN, { 'a.tf': '1' });
    await using proxy = await serveGit(fixture.folder);
    const environment = { httpProxy: proxy.origin };
    mirror = createGitMirror({ directory: fixture.path('mirrors'), timeoutMs: 20_000, environment });
    const away = { ...source(), url: 'http://git.invalid/source.git' };
    expect((await mirror.fetch(REPOSITORY, away, [MAIN])).get(MAIN)).toBe(sha);
    expect(proxy.requests[0]?.url).toMatch(/^http:\/\/git\.invalid\//);
    proxy.requests.length = 0;
    const direct = { ...environment, noProxy: '127.0.0.1' };
    mirror = createGitMirror({ directory: fixture.path('mirrors'), timeoutMs: 20_000, environment: direct });
    await mirror.fetch(REPOSITORY, source(), [MAIN]);
    expect(proxy.requests).toEqual([]);
  });

  test('a server with an authority of its own is trusted only when the operator says so', async () => {
    const sha = await fixture.commit(MAIN, { 'a.tf': '1' });
    const fixtures = new URL('../../fixtures/tls/', import.meta.url);
    const caFile = fileURLToPath(new URL('loopback.pem', fixtures));
    const tls = {
      key: await readFile(new URL('loopback.key', fixtures), 'utf8'),
      cert: await readFile(caFile, 'utf8'),
    };
    await using secure = await serveGit(fixture.folder, { tls });
    await expect(mirror.fetch(REPOSITORY, source(secure.origin), [MAIN])).rejects.toThrow(/certificate/);
    mirror = createGitMirror({ directory: fixture.path('mirrors'), timeoutMs: 20_000, environment: { caFile } });
    expect((await mirror.fetch(REPOSITORY, source(secure.origin), [MAIN])).get(MAIN)).toBe(sha);
    const bundle = await readFile(fixture.path('mirrors', 'ca-certificates.pem'), 'utf8');
    expect(bundle.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(50);
  });
});
