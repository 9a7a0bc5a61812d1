import { chmod, chown, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { execa } from 'execa';

const NOBODY = 65_534;
const MODULE = new URL('../../src/lib/remove-tree.ts', import.meta.url).href;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-left-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('an ordinary user removes what a run has closed to its owner, and nothing that a link in it leads to', async () => {
  const kept = join(folder, 'kept');
  const left = join(folder, 'left');
  const closed = join(left, 'closed');
  await mkdir(kept);
  await writeFile(join(kept, 'file'), '');
  await mkdir(closed, { recursive: true });
  await writeFile(join(closed, 'main.tf'), '');
  await symlink(kept, join(left, 'link'));
  const root = process.getuid?.() === 0;
  if (root) for (const path of [folder, left, closed, kept]) await chown(path, NOBODY, NOBODY);
  await chmod(kept, 0o500);
  await chmod(closed, 0);

  const script = `const { removeTree } = await import(process.argv[1]); await removeTree(process.argv[2]);`;
  const argv = ['--input-type=module', '--eval', script, MODULE, left];
  await execa(process.execPath, argv, { timeout: 30_000, ...(root && { uid: NOBODY, gid: NOBODY }) });
  expect(await readdir(folder)).toEqual(['kept']);
  expect(await readdir(kept)).toEqual(['file']);
});
