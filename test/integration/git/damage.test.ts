import { once } from 'node:events';
import { copyFile, mkdir, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createGitMirror } from '../../../src/adapters/git/index.ts';
import { lockFile } from '../../../src/adapters/git/file-lock.ts';
import type { CommitSha } from '../../../src/core/repository.ts';
import type { RepositoryMirror } from '../../../src/ports/repository-mirror.ts';
import { GitFixture, REPOSITORY } from '../../support/git-fixture.ts';

const MAIN = 'refs/heads/main';
const ADAPTER = fileURLToPath(new URL('../../../src/adapters/git/index.ts', import.meta.url));
const LOCK = fileURLToPath(new URL('../../../src/adapters/git/file-lock.ts', import.meta.url));

describe('a mirror that others use too, or that was harmed', () => {
  let fixture: GitFixture;
  let mirror: RepositoryMirror;
  let sha: CommitSha;
  let gitDir: string;

  beforeEach(async () => {
    fixture = await GitFixture.create();
    mirror = createGitMirror({ directory: fixture.path('mirrors'), timeoutMs: 30_000 });
    gitDir = fixture.path('mirrors', 'git.test', '42.git');
    sha = await fixture.commit(MAIN, { 'a.tf': 'one', 'b/c.tf': 'two' });
    await mirror.fetch(REPOSITORY, fixture.source, [MAIN]);
  });
  afterEach(() => fixture[Symbol.asyncDispose]());

  const packs = async () =>
    (await readdir(join(gitDir, 'objects', 'pack')))
      .filter((name) => name.endsWith('.pack'))
      .map((name) => join(gitDir, 'objects', 'pack', name));

  /** Asks until it works: a first answer may be that the mirror is broken, and then a fetch mends it. */
  async function recovers(): Promise<void> {
    const into = await fixture.emptyFolder('into');
    await mirror.export(REPOSITORY, sha, into).catch(() => undefined);
    expect((await mirror.fetch(REPOSITORY, fixture.source, [MAIN])).get(MAIN)).toBe(sha);
    const report = await mirror.export(REPOSITORY, sha, await fixture.emptyFolder('into'));
    expect(report.files).toBe(2);
    expect((await mirror.readFiles(REPOSITORY, sha, ['a.tf'], 10)).get('a.tf')).toBe('one');
  }

  test.each<readonly [string, () => Promise<unknown>]>([
    ['a pack cut short', async () => truncate((await packs())[0] ?? '', 60)],
    ['a pack of zeros', async () => writeFile((await packs())[0] ?? '', Buffer.alloc(500))],
    ['a pack that is gone', async () => rm((await packs())[0] ?? '')],
    ['all objects gone', async () => rm(join(gitDir, 'objects'), { recursive: true })],
    ['HEAD gone', async () => rm(join(gitDir, 'HEAD'))],
    ['HEAD emptied', async () => truncate(join(gitDir, 'HEAD'), 0)],
    ['a config that is no config', async () => writeFile(join(gitDir, 'config'), '[core\n')],
    ['an empty folder in its place', async () => rm(gitDir, { recursive: true }).then(() => mkdir(gitDir))],
    [
      'refs full of zeros',
      async () => {
        const refs = join(gitDir, 'refs', 'mirror');
        for (const name of await readdir(refs)) await writeFile(join(refs, name), Buffer.alloc(41));
      },
    ],
  ])('%s: the next fetch mends it', async (_what, harm) => {
    await harm();
    await recovers();
  });

  test('a broken object is told as damage, not as a missing commit', async () => {
    await fixture.git(['repack', '-adq']);
    const blob = (await mirror.listFiles(REPOSITORY, sha)).find((entry) => entry.path === 'a.tf')?.oid ?? '';
    await execa('git', ['unpack-objects', '-q'], { env: { GIT_DIR: gitDir }, inputFile: await movedPack() });
    const loose = join(gitDir, 'objects', blob.slice(0, 2), blob.slice(2));
    await rm(loose);
    await copyFile('/dev/null', loose);
    await expect(mirror.readFiles(REPOSITORY, sha, ['a.tf'], 10)).rejects.toMatchObject({ kind: 'damaged' });
    await recovers();
  });

  async function movedPack(): Promise<string> {
    const [pack = ''] = await packs();
    await copyFile(pack, fixture.path('moved.pack'));
    await rm(pack);
    return fixture.path('moved.pack');
  }

  test('locks left by a git that was killed do not stop the next fetch', async () => {
    const refs = join(gitDir, 'refs', 'mirror');
    for (const name of await readdir(refs)) await writeFile(join(refs, `${name}.lock`), '');
    const next = await fixture.commit(MAIN, { 'a.tf': 'three' }, [sha]);
    expect((await mirror.fetch(REPOSITORY, fixture.source, [MAIN])).get(MAIN)).toBe(next);
  });

  test('a lost or emptied prepared export is prepared anew', async () => {
    expect((await mirror.export(REPOSITORY, sha, await fixture.emptyFolder('first'))).files).toBe(2);
    const kept = join(gitDir, 'holdfast-exports');
    for (const name of await readdir(kept)) if (name.endsWith('.index')) await rm(join(kept, name));
    const into = await fixture.emptyFolder('second');
    await mirror.export(REPOSITORY, sha, into);
    expect((await readdir(into)).sort()).toEqual(['a.tf', 'b']);
    for (const name of await readdir(kept)) await truncate(join(kept, name), 0);
    const third = await fixture.emptyFolder('third');
    await mirror.export(REPOSITORY, sha, third).catch(() => mirror.export(REPOSITORY, sha, third));
    expect((await readdir(third)).sort()).toEqual(['a.tf', 'b']);
  });

  test('several processes fetch, merge and export at once', async () => {
    await fixture.commit('refs/pull/1/head', { 'd.tf': 'new' }, [sha]);
    const directory = fixture.path('shared');
    const program = `
      import { mkdirSync, readdirSync } from 'node:fs';
      const { createGitMirror } = await import(${JSON.stringify(ADAPTER)});
      const mirror = createGitMirror({ directory: ${JSON.stringify(directory)}, timeoutMs: 60000 });
      const repository = ${JSON.stringify(REPOSITORY)};
      const source = { url: ${JSON.stringify(fixture.source.url)}, username: undefined, password: undefined };
      for (let round = 0; round < 4; round += 1) {
        const refs = await mirror.fetch(repository, source, ['${MAIN}', 'refs/pull/1/head', 'refs/pull/2/head']);
        const merged = await mirror.merge(repository, refs.get('${MAIN}'), refs.get('refs/pull/1/head'));
        const into = ${JSON.stringify(fixture.folder)} + '/out-' + process.argv[1] + '-' + round;
        mkdirSync(into);
        await mirror.export(repository, merged.sha, into);
        console.log(merged.sha, readdirSync(into).sort().join());
      }`;
    const runs = await Promise.all(
      [1, 2, 3, 4].map((name) =>
        execa('node', ['--input-type=module', '-e', program, String(name)], { timeout: 60_000 }),
      ),
    );
    const lines = new Set(runs.flatMap((run) => run.stdout.split('\n')));
    expect(lines.size).toBe(1);
    expect([...lines][0]).toMatch(/^[0-9a-f]{40} a\.tf,b,d\.tf$/);
  });

  test('a lock is free again when its holder was killed, and not before the git it started has ended', async () => {
    const path = fixture.path('a.lock');
    const program = `
      const { spawn } = await import('node:child_process');
      const { lockFile } = await import(${JSON.stringify(LOCK)});
      const lock = await lockFile(${JSON.stringify(path)}, 10000);
      const child = spawn('sleep', ['2'], { stdio: [lock.held, 'ignore', 'ignore'], detached: true });
      console.log(child.pid);
      setInterval(() => {}, 1000);`;
    const holder = execa('node', ['--input-type=module', '-e', program], { reject: false });
    await once(holder.stdout, 'data');
    await expect(lockFile(path, 300)).rejects.toMatchObject({ kind: 'unavailable' });
    holder.kill('SIGKILL');
    await holder;
    await expect(lockFile(path, 300)).rejects.toMatchObject({ kind: 'unavailable' });
    await using lock = await lockFile(path, 10_000);
    expect(lock).toBeDefined();
  });

  test('killed in the middle of a fetch, again and again, the mirror still works', async () => {
    let parent: CommitSha = sha;
    for (let round = 0; round < 8; round += 1) {
      const noise = Array.from({ length: 5_000 }, (_, index) => ((index + round) * 2_654_435_761) >>> 0).join('\n');
      parent = await fixture.commit(MAIN, { [`f${round}.tf`]: noise }, [parent]);
      const program = `
        const { createGitMirror } = await import(${JSON.stringify(ADAPTER)});
        const mirror = createGitMirror({ directory: ${JSON.stringify(fixture.path('mirrors'))}, timeoutMs: 60000 });
        console.log('ready');
        const source = { url: ${JSON.stringify(fixture.source.url)}, username: undefined, password: undefined };
        await mirror.fetch(${JSON.stringify(REPOSITORY)}, source, ['${MAIN}']);`;
      const run = execa('node', ['--input-type=module', '-e', program], { reject: false });
      await once(run.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, round * 4));
      run.kill('SIGKILL');
      await run;
    }
    expect((await mirror.fetch(REPOSITORY, fixture.source, [MAIN])).get(MAIN)).toBe(parent);
    expect((await mirror.export(REPOSITORY, parent, await fixture.emptyFolder('into'))).files).toBe(10);
  });

  test('tidying puts many packs together, keeps what a run may need, and clears leftovers away', async () => {
    let parent: CommitSha = sha;
    for (let round = 0; round < 25; round += 1) {
      parent = await fixture.commit(MAIN, { 'a.tf': String(round) }, [parent]);
      await mirror.fetch(REPOSITORY, fixture.source, [MAIN]);
    }
    const head = await fixture.commit('refs/pull/1/head', { 'd.tf': 'new' }, [sha]);
    await mirror.fetch(REPOSITORY, fixture.source, ['refs/pull/1/head']);
    const merged = await mirror.merge(REPOSITORY, parent, head);
    const long = new Date(Date.now() - 3 * 24 * 3_600_000);
    const leftover = join(gitDir, 'objects', 'pack', 'tmp_pack_abc');
    await writeFile(leftover, 'x');
    await utimes(leftover, long, long);
    expect((await packs()).length).toBeGreaterThan(20);
    expect(await mirror.prune(long)).toBe(0);
    expect((await packs()).length).toBeLessThan(4);
    expect(await readdir(join(gitDir, 'objects', 'pack'))).not.toContain('tmp_pack_abc');
    if (merged.kind !== 'merged') throw new Error('a conflict');
    expect((await mirror.listFiles(REPOSITORY, merged.sha)).length).toBe(3);
    expect((await mirror.fetch(REPOSITORY, fixture.source, [MAIN])).get(MAIN)).toBe(parent);
  });
});
