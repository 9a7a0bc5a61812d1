import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createGitMirror } from '../../src/adapters/git/index.ts';
import { commitSha } from '../../src/core/repository.ts';
import { MirrorError, type RepositoryMirror } from '../../src/ports/repository-mirror.ts';
import { GitFixture, REPOSITORY } from '../support/git-fixture.ts';

const MIRRORS: readonly (readonly [string, (directory: string) => RepositoryMirror])[] = [
  ['git', (directory) => createGitMirror({ directory, timeoutMs: 30_000 })],
];
const ABSENT = commitSha('0123456789012345678901234567890123456789');

describe.each(MIRRORS)('a repository mirror: %s', (_name, create) => {
  let fixture: GitFixture;
  let mirror: RepositoryMirror;

  beforeEach(async () => {
    fixture = await GitFixture.create();
    mirror = create(fixture.path('mirrors'));
  });
  afterEach(() => fixture[Symbol.asyncDispose]());

  const fetch = (...refs: string[]) => mirror.fetch(REPOSITORY, fixture.source, refs);

  test('tells the commit of each ref, and that a ref does not exist', async () => {
    const main = await fixture.commit('refs/heads/main', { 'a.tf': '1' });
    const pull = await fixture.commit('refs/pull/12/head', { 'a.tf': '2' }, [main]);
    const found = await fetch('refs/heads/main', 'refs/pull/12/head', 'refs/pull/13/head', 'refs/heads/gone');
    expect([...found]).toEqual([
      ['refs/heads/main', main],
      ['refs/pull/12/head', pull],
      ['refs/pull/13/head', undefined],
      ['refs/heads/gone', undefined],
    ]);
    expect(await mirror.has(REPOSITORY, pull)).toBe(true);
    expect(await mirror.has(REPOSITORY, ABSENT)).toBe(false);
    expect(await mirror.has({ ...REPOSITORY, id: '43' }, pull)).toBe(false);
  });

  test('follows a force-push, a deleted branch, and a branch that becomes a folder of branches', async () => {
    await fixture.commit('refs/heads/a', { 'a.tf': '1' });
    await fetch('refs/heads/a');
    const forced = await fixture.commit('refs/heads/a', { 'a.tf': 'other' });
    expect((await fetch('refs/heads/a')).get('refs/heads/a')).toBe(forced);
    await fixture.git(['update-ref', '-d', 'refs/heads/a']);
    const below = await fixture.commit('refs/heads/a/b', { 'a.tf': '3' });
    const found = await fetch('refs/heads/a', 'refs/heads/a/b');
    expect(found.get('refs/heads/a')).toBeUndefined();
    expect(found.get('refs/heads/a/b')).toBe(below);
  });

  test('gives the commit of an annotated tag, not the tag', async () => {
    const main = await fixture.commit('refs/heads/main', { 'a.tf': '1' });
    await fixture.git(['tag', '-a', '-m', 'one', 'v1', main]);
    expect((await fetch('refs/tags/v1')).get('refs/tags/v1')).toBe(main);
  });

  test('tells the tip of a branch as it is now, without a mirror and without making one', async () => {
    const first = await fixture.commit('refs/heads/main', { 'a.tf': '1' });
    expect(await mirror.findTip(fixture.source, 'main')).toBe(first);
    const second = await fixture.commit('refs/heads/main', { 'a.tf': '2' }, [first]);
    expect(await mirror.findTip(fixture.source, 'main')).toBe(second);
    expect(await mirror.has(REPOSITORY, second)).toBe(false);
    await fetch('refs/heads/main');
    const third = await fixture.commit('refs/heads/main', { 'a.tf': '3' }, [second]);
    expect(await mirror.findTip(fixture.source, 'main')).toBe(third);
    expect(await mirror.has(REPOSITORY, third)).toBe(false);
  });

  test('takes no other ref for the one that was asked for', async () => {
    const main = await fixture.commit('refs/heads/x/refs/heads/main', { 'a.tf': '1' });
    expect(await mirror.findTip(fixture.source, 'main')).toBeUndefined();
    expect(await mirror.findTip(fixture.source, 'x/refs/heads/main')).toBe(main);
    await fixture.git(['tag', 'main', main]);
    expect(await mirror.findTip(fixture.source, 'main')).toBeUndefined();
    expect(await mirror.findTip(fixture.source, '--upload-pack=x')).toBeUndefined();
    for (const odd of ['', 'a b', '*', 'a..b', 'main:x', 'a\nb']) {
      await expect(mirror.findTip(fixture.source, odd)).rejects.toThrow(/not a full ref name/);
    }
    const nowhere = { ...fixture.source, url: `file://${fixture.path('nowhere.git')}` };
    await expect(mirror.findTip(nowhere, 'main')).rejects.toMatchObject({ kind: 'refused' });
  });

  test('merges two commits always to the same commit, on any machine', async () => {
    const base = await fixture.commit('refs/heads/main', { 'a.tf': '1', 'b.tf': '1' });
    const head = await fixture.commit('refs/pull/1/head', { 'b.tf': '2' }, [base]);
    const moved = await fixture.commit('refs/heads/main', { 'a.tf': '2' }, [base]);
    await fetch('refs/heads/main', 'refs/pull/1/head');
    const merged = await mirror.merge(REPOSITORY, moved, head);
    const other = create(fixture.path('other-machine'));
    await other.fetch(REPOSITORY, fixture.source, ['refs/heads/main', 'refs/pull/1/head']);
    expect(await other.merge(REPOSITORY, moved, head)).toEqual(merged);
    if (merged.kind !== 'merged') throw new Error('a conflict');
    const texts = await mirror.readFiles(REPOSITORY, merged.sha, ['a.tf', 'b.tf'], 100);
    expect(Object.fromEntries(texts)).toEqual({ 'a.tf': '2', 'b.tf': '2' });
    expect(await mirror.mergeBase(REPOSITORY, moved, head)).toBe(base);
  });

  test('names the files of a conflict', async () => {
    const base = await fixture.commit('refs/heads/main', { 'a.tf': '1', 'dir/b c.tf': '1', 'c.tf': '1' });
    const head = await fixture.commit('refs/pull/1/head', { 'a.tf': '2', 'dir/b c.tf': '2', 'c.tf': '2' }, [base]);
    const moved = await fixture.commit('refs/heads/main', { 'a.tf': '3', 'dir/b c.tf': '3' }, [base]);
    await fetch('refs/heads/main', 'refs/pull/1/head');
    expect(await mirror.merge(REPOSITORY, moved, head)).toEqual({ kind: 'conflict', files: ['a.tf', 'dir/b c.tf'] });
  });

  test('refuses to merge commits that have nothing in common', async () => {
    const main = await fixture.commit('refs/heads/main', { 'a.tf': '1' });
    const orphan = await fixture.commit('refs/pull/1/head', { 'b.tf': '1' });
    await fetch('refs/heads/main', 'refs/pull/1/head');
    expect(await mirror.mergeBase(REPOSITORY, main, orphan)).toBeUndefined();
    await expect(mirror.merge(REPOSITORY, main, orphan)).rejects.toMatchObject({
      name: 'MirrorError',
      kind: 'refused',
    });
  });

  test('lists what the head changed since it left the base, and not what the base did meanwhile', async () => {
    const long = 'a resource with enough text to be recognised after a small change\n'.repeat(5);
    const base = await fixture.commit('refs/heads/main', { 'keep.tf': '1', 'old.tf': long, 'gone.tf': 'x', link: 'y' });
    const head = await fixture.commit(
      'refs/pull/1/head',
      {
        'new.tf': `${long}!`,
        'old.tf': undefined,
        'gone.tf': undefined,
        'keep.tf': '2',
        'add ed\n.tf': 'z',
        link: { link: 'keep.tf' },
      },
      [base],
    );
    const moved = await fixture.commit('refs/heads/main', { 'elsewhere.tf': '3' }, [base]);
    await fetch('refs/heads/main', 'refs/pull/1/head');
    const changes = await mirror.listChangedFiles(REPOSITORY, moved, head);
    expect([...changes].sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
      { path: 'add ed\n.tf', status: 'added' },
      { path: 'gone.tf', status: 'removed' },
      { path: 'keep.tf', status: 'modified' },
      { path: 'link', status: 'type_changed' },
      { path: 'new.tf', status: 'renamed', previousPath: 'old.tf' },
    ]);
  });

  test('lists all files with kind and size', async () => {
    const other = '1'.repeat(40);
    const sha = await fixture.commit('refs/heads/main', {
      'a/b.tf': 'four',
      'run.sh': { text: '#!', executable: true },
      l: { link: 'a' },
      sub: { submodule: other },
    });
    await fetch('refs/heads/main');
    expect((await mirror.listFiles(REPOSITORY, sha)).map(({ path, kind, size }) => [path, kind, size])).toEqual([
      ['a/b.tf', 'file', 4],
      ['l', 'symlink', 1],
      ['run.sh', 'executable', 2],
      ['sub', 'submodule', 0],
    ]);
    expect((await mirror.listFiles(REPOSITORY, sha)).at(-1)?.oid).toBe(other);
  });

  test('reads regular files only, up to a size, whatever their names and contents', async () => {
    const text = 'with\nlines\0and nothing\n\n';
    const sha = await fixture.commit('refs/heads/main', {
      'a.tf': text,
      'copy.tf': text,
      '-odd\nname.tf': 'odd',
      'empty.tf': '',
      'big.tf': 'x'.repeat(101),
      'link.tf': { link: 'a.tf' },
      'ex.sh': { text: 'e', executable: true },
    });
    await fetch('refs/heads/main');
    const paths = [
      'a.tf',
      'copy.tf',
      '-odd\nname.tf',
      'empty.tf',
      'big.tf',
      'link.tf',
      'ex.sh',
      'absent.tf',
      '../a.tf',
      '',
    ];
    expect(Object.fromEntries(await mirror.readFiles(REPOSITORY, sha, paths, 100))).toEqual({
      'a.tf': text,
      'copy.tf': text,
      '-odd\nname.tf': 'odd',
      'empty.tf': '',
      'ex.sh': 'e',
    });
  });

  test('exports the same commit again and again, byte for byte, without .git', async () => {
    const sha = await fixture.commit('refs/heads/main', {
      'envs/prod/main.tf': 'a\r\nb',
      'run.sh': { text: '#!/bin/sh\n', executable: true },
      shared: { link: 'envs/prod' },
    });
    await fetch('refs/heads/main');
    for (const name of ['first', 'second']) {
      const into = await fixture.emptyFolder(name);
      expect(await mirror.export(REPOSITORY, sha, into)).toEqual({ files: 3, refused: [], notes: [] });
      expect((await readdir(into)).sort()).toEqual(['envs', 'run.sh', 'shared']);
      expect(await readFile(join(into, 'shared', 'main.tf'), 'utf8')).toBe('a\r\nb');
      expect((await stat(join(into, 'run.sh'))).mode & 0o111).toBe(0o111);
      expect((await stat(join(into, 'envs/prod/main.tf'))).mode & 0o111).toBe(0);
    }
  });

  test('exports a commit without any files', async () => {
    const sha = await fixture.commit('refs/heads/main', {});
    await fetch('refs/heads/main');
    const into = await fixture.emptyFolder('into');
    expect(await mirror.export(REPOSITORY, sha, into)).toEqual({ files: 0, refused: [], notes: [] });
  });

  test('does not export into a folder that holds something', async () => {
    const sha = await fixture.commit('refs/heads/main', { 'a.tf': '1' });
    await fetch('refs/heads/main');
    await fixture.write('into/mine', 'kept');
    await expect(mirror.export(REPOSITORY, sha, fixture.path('into'))).rejects.toThrow(/not empty/);
    expect(await readdir(fixture.path('into'))).toEqual(['mine']);
  });

  test('says that a commit is missing, in every question', async () => {
    const main = await fixture.commit('refs/heads/main', { 'a.tf': '1' });
    const into = await fixture.emptyFolder('into');
    const questions: readonly (() => Promise<unknown>)[] = [
      () => mirror.merge(REPOSITORY, main, ABSENT),
      () => mirror.mergeBase(REPOSITORY, ABSENT, main),
      () => mirror.listChangedFiles(REPOSITORY, main, ABSENT),
      () => mirror.listFiles(REPOSITORY, ABSENT),
      () => mirror.readFiles(REPOSITORY, ABSENT, ['a.tf'], 10),
      () => mirror.export(REPOSITORY, ABSENT, into),
    ];
    for (const question of questions) await expect(question()).rejects.toMatchObject({ kind: 'missing' });
    await fetch('refs/heads/main');
    for (const question of questions) await expect(question()).rejects.toMatchObject({ kind: 'missing' });
  });

  test('a repository that is not there is refused, not retried for ever', async () => {
    const source = { ...fixture.source, url: `file://${fixture.path('nowhere.git')}` };
    const failure = await mirror.fetch(REPOSITORY, source, ['refs/heads/main']).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MirrorError);
    expect(failure).toMatchObject({ kind: 'refused' });
  });

  test('removes only mirrors that were not used since', async () => {
    const sha = await fixture.commit('refs/heads/main', { 'a.tf': '1' });
    await fetch('refs/heads/main');
    expect(await mirror.prune(new Date(Date.now() - 60_000))).toBe(0);
    expect(await mirror.has(REPOSITORY, sha)).toBe(true);
    expect(await mirror.prune(new Date(Date.now() + 60_000))).toBe(1);
    expect(await mirror.has(REPOSITORY, sha)).toBe(false);
    expect((await fetch('refs/heads/main')).get('refs/heads/main')).toBe(sha);
  });
});
