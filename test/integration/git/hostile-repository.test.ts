import { existsSync } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createGitMirror } from '../../../src/adapters/git/index.ts';
import type { CommitSha } from '../../../src/core/repository.ts';
import type { ExportReport, RepositoryMirror } from '../../../src/ports/repository-mirror.ts';
import { GitFixture, REPOSITORY, type Content } from '../../support/git-fixture.ts';

const MAIN = 'refs/heads/main';
const LFS_POINTER = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n';

/** Each attack is first played on a plain `git clone` or `git archive`, where it must work: else it would prove nothing here. */
describe('a repository that was made to harm', () => {
  let fixture: GitFixture;
  let mirror: RepositoryMirror;
  let into: string;

  beforeEach(async () => {
    fixture = await GitFixture.create();
    mirror = createGitMirror({ directory: fixture.path('mirrors'), timeoutMs: 30_000 });
    into = await fixture.emptyFolder('into');
  });
  afterEach(() => fixture[Symbol.asyncDispose]());

  async function exported(sha: CommitSha, ref = MAIN): Promise<ExportReport> {
    await mirror.fetch(REPOSITORY, fixture.source, [ref]);
    return await mirror.export(REPOSITORY, sha, into);
  }
  const committed = (files: Readonly<Record<string, Content>>) => fixture.commit(MAIN, files);
  const text = (path: string) => readFile(join(into, path), 'utf8');

  /** What somebody who clones without a thought gets; `config` is what such machines commonly have set. */
  async function naiveClone(config: readonly string[] = []): Promise<string> {
    const folder = fixture.path('naive');
    const settings = config.flatMap((entry) => ['-c', entry]);
    const env = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' };
    await execa('git', [...settings, 'clone', '-q', ...settings, fixture.source.url, folder], { env, reject: false });
    return folder;
  }

  test('attributes change no byte: line ends, ident, encoding', async () => {
    const attributes =
      'eol.tf text eol=crlf\nident.tf ident\nwide.tf text working-tree-encoding=UTF-16LE\nold.tf crlf\n[attr]evil eol=crlf text\nmacro.tf evil\n';
    const files = {
      'eol.tf': 'a\nb\n',
      'ident.tf': '# $Id$\n',
      'wide.tf': 'wide\n',
      'old.tf': 'x\ny\n',
      'macro.tf': 'm\n',
    };
    const sha = await committed({
      '.gitattributes': attributes,
      'sub/.gitattributes': '* text eol=crlf\n',
      'sub/x.tf': 's\n',
      ...files,
    });
    const naive = await naiveClone();
    expect(await readFile(join(naive, 'eol.tf'), 'utf8')).toBe('a\r\nb\r\n');
    expect(await readFile(join(naive, 'ident.tf'), 'utf8')).toMatch(/\$Id: [0-9a-f]{40} \$/);
    expect((await readFile(join(naive, 'wide.tf'))).length).toBe(10);
    expect(await readFile(join(naive, 'sub/x.tf'), 'utf8')).toBe('s\r\n');
    expect((await exported(sha)).refused).toEqual([]);
    for (const [path, content] of Object.entries(files)) expect(await text(path)).toBe(content);
    expect(await text('sub/x.tf')).toBe('s\n');
  });

  test('attributes hide no file and fill no text in: export-ignore, export-subst', async () => {
    const sha = await committed({
      '.gitattributes': 'hidden.tf export-ignore\nsubst.tf export-subst\n',
      'hidden.tf': 'resource',
      'subst.tf': '# $Format:%H$\n',
    });
    await execa('tar', ['-xf', '-', '-C', await fixture.emptyFolder('archive')], {
      input: (await execa('git', ['archive', sha], { env: { GIT_DIR: fixture.gitDir }, encoding: 'buffer' })).stdout,
    });
    expect(existsSync(fixture.path('archive', 'hidden.tf'))).toBe(false);
    expect(await readFile(fixture.path('archive', 'subst.tf'), 'utf8')).toContain(sha);
    await exported(sha);
    expect(await text('hidden.tf')).toBe('resource');
    expect(await text('subst.tf')).toBe('# $Format:%H$\n');
  });

  test('no filter runs, not even one that the machine has configured; LFS pointers are told', async () => {
    const proof = fixture.path('filter-ran');
    const sha = await committed({
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n*.tf filter=evil\n',
      'a.tf': 'as it is',
      'big.bin': LFS_POINTER,
      'real.bin': 'contents',
    });
    const naive = await naiveClone([`filter.evil.smudge=touch ${proof}; cat`, 'filter.evil.required=true']);
    expect(existsSync(proof)).toBe(true);
    expect(existsSync(naive)).toBe(true);
    await execa('rm', [proof]);
    await mirror.fetch(REPOSITORY, fixture.source, [MAIN]);
    const gitDir = fixture.path('mirrors', 'git.test', '42.git');
    await execa('git', ['config', 'filter.evil.smudge', `touch ${proof}; cat`], { env: { GIT_DIR: gitDir } });
    const report = await exported(sha);
    expect(existsSync(proof)).toBe(false);
    expect(await text('a.tf')).toBe('as it is');
    expect(await text('big.bin')).toBe(LFS_POINTER);
    expect(report.notes).toEqual(['Git LFS is not fetched; these hold pointers instead of contents: "big.bin"']);
  });

  test('no hook runs, not even one that lies in the mirror', async () => {
    const sha = await committed({ 'a.tf': '1' });
    const head = await fixture.commit('refs/pull/1/head', { 'b.tf': '1' }, [sha]);
    const proof = fixture.path('hook-ran');
    await mirror.fetch(REPOSITORY, fixture.source, [MAIN]);
    const hooks = join('mirrors', 'git.test', '42.git', 'hooks');
    for (const name of ['post-checkout', 'reference-transaction', 'post-index-change', 'pre-auto-gc', 'post-merge']) {
      await fixture.write(join(hooks, name), `#!/bin/sh\ntouch ${proof}\n`, 0o755);
    }
    const gitDir = fixture.path('mirrors', 'git.test', '42.git');
    await execa('git', ['update-ref', 'refs/mirror/naive', sha], { env: { GIT_DIR: gitDir } });
    expect(existsSync(proof)).toBe(true);
    await execa('rm', [proof]);
    await mirror.fetch(REPOSITORY, fixture.source, ['refs/pull/1/head']);
    await mirror.merge(REPOSITORY, sha, head);
    await mirror.export(REPOSITORY, head, into);
    expect(existsSync(proof)).toBe(false);
  });

  test('a merge driver and textconv of the machine are not run, and merge attributes change no merge', async () => {
    const proof = fixture.path('driver-ran');
    const base = await committed({
      '.gitattributes': '*.tf merge=evil diff=evil\nu.txt merge=union\nbin.txt -merge\n',
      'a.tf': 'a\n1\n2\n3\n4\nb\n',
      'u.txt': 'x\n',
      'bin.txt': 'a\n1\n2\n3\n4\nb\n',
    });
    const head = await fixture.commit(
      'refs/pull/1/head',
      { 'a.tf': 'A\n1\n2\n3\n4\nb\n', 'u.txt': 'y\n', 'bin.txt': 'A\n1\n2\n3\n4\nb\n' },
      [base],
    );
    const moved = await fixture.commit(
      MAIN,
      { 'a.tf': 'a\n1\n2\n3\n4\nB\n', 'u.txt': 'z\n', 'bin.txt': 'a\n1\n2\n3\n4\nB\n' },
      [base],
    );
    await mirror.fetch(REPOSITORY, fixture.source, [MAIN, 'refs/pull/1/head']);
    const gitDir = fixture.path('mirrors', 'git.test', '42.git');
    await execa('git', ['config', 'merge.evil.driver', `touch ${proof}; false`], { env: { GIT_DIR: gitDir } });
    await execa('git', ['config', 'diff.evil.textconv', `touch ${proof}; cat`], { env: { GIT_DIR: gitDir } });
    expect(await mirror.merge(REPOSITORY, moved, head)).toEqual({ kind: 'conflict', files: ['u.txt'] });
    await mirror.listChangedFiles(REPOSITORY, moved, head);
    expect(existsSync(proof)).toBe(false);
  });

  test('symlinks out of the repository are refused and told; those inside are written', async () => {
    const sha = await committed({
      'dir/inside.tf': 'inside',
      absolute: { link: '/etc/passwd' },
      up: { link: '../../../../../../../../etc/passwd' },
      'dir/one-up': { link: '../../x' },
      'out-and-in': { link: '../into/dir/inside.tf' },
      good: { link: 'dir/inside.tf' },
      'dir/good': { link: '../dir/./inside.tf' },
      via: { link: 'hop/../../x' },
      hop: { link: 'dir' },
      'deep/er': { link: 'hop2/../../../x' },
      'deep/hop2': { link: '../dir' },
      loop1: { link: 'loop2' },
      loop2: { link: 'loop1/x' },
      dangling: { link: 'dir/absent' },
      through: { link: 'absolute/x' },
    });
    expect(await readFile(join(await naiveClone(), 'absolute'), 'utf8')).toContain('root:');
    const report = await exported(sha);
    expect(report.refused.map((entry) => entry.path).sort()).toEqual(
      ['absolute', 'deep/er', 'dir/one-up', 'loop1', 'loop2', 'out-and-in', 'through', 'up', 'via'].sort(),
    );
    for (const { path, reason } of report.refused) {
      expect(existsSync(join(into, path))).toBe(false);
      expect(reason).toMatch(/^a symlink/);
    }
    expect(await text('good')).toBe('inside');
    expect(await text('dir/good')).toBe('inside');
    expect(await readlink(join(into, 'dangling'))).toBe('dir/absent');
    expect(report.files).toBe(6);
  });

  test('a file below a symlink is not written through it', async () => {
    const outside = await fixture.emptyFolder('outside');
    const link = await fixture.blob(outside);
    const inner = await fixture.rawTree([['100644', 'pwned', await fixture.blob('x')]]);
    const tree = await fixture.rawTree([
      ['120000', 'd', link],
      ['40000', 'd', inner],
    ]);
    const sha = await fixture.commitTree(MAIN, tree);
    const report = await exported(sha);
    expect(await readdir(outside)).toEqual([]);
    expect(report.refused.map((entry) => entry.path).sort()).toEqual(['d', 'd/pwned']);
    expect(await readdir(into)).toEqual([]);
  });

  test('names that lead out or into .git are refused and the rest is written', async () => {
    const blob = await fixture.blob('x');
    const evil = await fixture.rawTree([['100644', 'config', blob]]);
    const names = ['.git', '.GIT', '.git ', '.git.', 'git~1', '.g\u200cit', '.git\\hooks', '..', '.'];
    const tree = await fixture.rawTree([
      ...names.map((name) => ['40000', name, evil] as const),
      ['100644', '../escaped', blob],
      ['100644', 'a//b', blob],
      ['100644', '/rooted', blob],
      ['100644', Buffer.from([0x66, 0xff, 0xfe]), blob],
      ['100644', 'twice', blob],
      ['100644', 'twice', await fixture.blob('other')],
      ['100644', 'x'.repeat(300), blob],
      ['100644', 'good.tf', blob],
      ['100644', '-rf', blob],
      ['100644', 'new\nline.tf', blob],
      ['100644', '.gitignore', blob],
      ['100644', 'git~10', blob],
    ]);
    const report = await exported(await fixture.commitTree(MAIN, tree));
    expect(report.refused.length).toBe(names.length + 6);
    expect((await readdir(into)).sort()).toEqual(['-rf', '.gitignore', 'git~10', 'good.tf', 'new\nline.tf', 'twice']);
    expect(existsSync(fixture.path('escaped'))).toBe(false);
    expect(existsSync('/rooted')).toBe(false);
  });

  test('a path longer than the machine allows is refused', async () => {
    let oid = await fixture.rawTree([['100644', 'leaf.tf', await fixture.blob('x')]]);
    for (let depth = 0; depth < 16; depth += 1) oid = await fixture.rawTree([['40000', 'f'.repeat(250), oid]]);
    const report = await exported(await fixture.commitTree(MAIN, oid));
    expect(report).toMatchObject({ files: 0, refused: [{ reason: 'a path that is too long' }] });
    expect(await readdir(into)).toEqual([]);
  });

  test('a tree of ten objects that lists as 10^10 files is refused in bounded time', async () => {
    let oid = await fixture.rawTree([['100644', 'leaf', await fixture.blob('x')]]);
    for (let depth = 0; depth < 10; depth += 1) {
      const folders = Array.from({ length: 10 }, (_, index) => ['40000', `folder-number-${index}`, oid] as const);
      oid = await fixture.rawTree(folders);
    }
    const sha = await fixture.commitTree(MAIN, oid);
    await mirror.fetch(REPOSITORY, fixture.source, [MAIN]);
    await expect(mirror.export(REPOSITORY, sha, into)).rejects.toMatchObject({ kind: 'refused' });
    expect(await readdir(into)).toEqual([]);
  });

  test('files that unfold beyond the limit are not written', async () => {
    mirror = createGitMirror({
      directory: fixture.path('mirrors'),
      timeoutMs: 30_000,
      exportLimits: { bytes: 1_000_000, files: 5 },
    });
    const sha = await committed({ 'a.tf': '0'.repeat(600_000), 'b.tf': '0'.repeat(600_000) });
    await expect(exported(sha)).rejects.toMatchObject({
      kind: 'refused',
      message: expect.stringMatching(/1200000 bytes/),
    });
    const many = await fixture.commit(
      'refs/heads/many',
      Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [`${n}.tf`, 'x'])),
    );
    await expect(exported(many, 'refs/heads/many')).rejects.toMatchObject({ kind: 'refused' });
    expect(await readdir(into)).toEqual([]);
  });

  test('submodules are told and never fetched, whatever their address', async () => {
    const proof = fixture.path('transport-ran');
    const head = await fixture.commit('refs/heads/other', { x: '1' });
    const sha = await committed({
      '.gitmodules': `[submodule "m"]\n\tpath = m\n\turl = ext::sh -c touch% ${proof}\n`,
      m: { submodule: head },
      'a.tf': '1',
    });
    const naive = await naiveClone();
    const env = { GIT_CONFIG_NOSYSTEM: '1', GIT_ALLOW_PROTOCOL: 'ext' };
    await execa('git', ['-C', naive, 'submodule', 'update', '--init'], { env, reject: false, timeout: 20_000 });
    expect(existsSync(proof)).toBe(true);
    await execa('rm', [proof]);
    const report = await exported(sha);
    expect(existsSync(proof)).toBe(false);
    expect(report.notes).toEqual(['Submodules are not fetched; their folders are missing: "m"']);
    expect((await readdir(into)).sort()).toEqual(['.gitmodules', 'a.tf']);
  });

  test('a settings file of git that is a symlink is refused', async () => {
    const inner = await fixture.rawTree([['120000', '.gitmodules', await fixture.blob('a.tf')]]);
    const report = await exported(await fixture.commitTree(MAIN, inner));
    expect(report).toMatchObject({ files: 0, refused: [{ path: '.gitmodules' }] });
  });

  test('names that differ only in case are written and told', async () => {
    const report = await exported(await committed({ 'main.tf': 'a', 'Main.tf': 'b' }));
    expect(report.notes).toEqual(['Names that differ only in case or accents: "Main.tf", "main.tf"']);
    expect([await text('main.tf'), await text('Main.tf')]).toEqual(['a', 'b']);
  });

  test('replacement refs of the source change nothing', async () => {
    const sha = await committed({ 'a.tf': 'shown' });
    const blob = (await fixture.git(['rev-parse', `${sha}:a.tf`])).trim();
    await fixture.git(['replace', blob, await fixture.blob('hidden')]);
    expect(await fixture.git(['cat-file', 'blob', `${sha}:a.tf`])).toBe('hidden');
    await exported(sha);
    expect(await text('a.tf')).toBe('shown');
  });

  test('modes other than file, executable and link become plain files without special bits', async () => {
    const tree = await fixture.rawTree([
      ['104755', 'setuid', await fixture.blob('x')],
      ['100664', 'group', await fixture.blob('y')],
    ]);
    await exported(await fixture.commitTree(MAIN, tree));
    for (const name of await readdir(into)) expect((await lstat(join(into, name))).mode & 0o7000).toBe(0);
    expect(await text('group')).toBe('y');
  });
});
