import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { confinedDirectory, readConfined, UntrustedFileError } from '../../../../workers/steps/read-confined.ts';

let folder: string;
let root: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-confined-'));
  root = join(folder, 'root');
  await mkdir(join(root, 'a'), { recursive: true });
  await writeFile(join(root, 'a/file'), 'inside');
  await writeFile(join(folder, 'secret'), 'outside');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('reads what is inside, and knows what is not there', async () => {
  expect((await readConfined(root, 'a/file', 100))?.toString()).toBe('inside');
  expect(await readConfined(root, 'a/none', 100)).toBeUndefined();
  expect(await readConfined(root, 'none/none', 100)).toBeUndefined();
  expect(await readConfined(root, 'a/file/none', 100)).toBeUndefined();
});

test('follows no link out, reads no pipe and nothing too big', async () => {
  await symlink(join(folder, 'secret'), join(root, 'link'));
  await symlink(folder, join(root, 'out'));
  await symlink('a', join(root, 'in'));
  await execa('mkfifo', [join(root, 'pipe')]);
  for (const path of ['link', 'out/secret', '../secret', 'pipe', 'a']) {
    await expect(readConfined(root, path, 100), path).rejects.toThrow(UntrustedFileError);
  }
  await expect(readConfined(root, 'a/file', 3)).rejects.toThrow('at most 3');
  expect((await readConfined(root, 'in/file', 100))?.toString()).toBe('inside');
  await link(join(root, 'a/file'), join(root, 'hard'));
  expect((await readConfined(root, 'hard', 100))?.toString()).toBe('inside');
});

test('a folder may be the root itself and not a file', async () => {
  expect(await confinedDirectory(root, '.')).toBeDefined();
  expect(await confinedDirectory(root, 'a/file')).toBeUndefined();
  await expect(confinedDirectory(root, '..')).rejects.toThrow(UntrustedFileError);
});
