import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTerraformFinder, type TerraformBinary } from '../../../workers/steps/terraform-binary.ts';
import { findTerraform } from '../../support/terraform-run.ts';

let folder: string;
let real: TerraformBinary;
const ANY = { distribution: 'terraform', version: undefined, requiredVersions: [] } as const;

beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-binary-')));
  real = await findTerraform();
  await mkdir(join(folder, 'linked'));
  await symlink(real.path, join(folder, 'linked/terraform'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function pretend(name: string, version: string): Promise<TerraformBinary> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\necho '{"terraform_version": "${version}"}'\n`);
  await chmod(path, 0o755);
  return { distribution: 'terraform', version, path };
}

test('finds the one on the PATH and follows its link', async () => {
  const finder = createTerraformFinder({ binaries: [], directories: ['/nowhere', join(folder, 'linked')] });
  expect(await finder.find(ANY)).toEqual(real);
  expect(await finder.find({ ...ANY, version: real.version, requiredVersions: ['>= 1.0', '~> 1.5'] })).toEqual(real);
});

test('takes a named one that fits when that on the PATH does not, the newest first', async () => {
  const binaries = [await pretend('old', '1.5.7'), await pretend('newer', '1.6.1')];
  const finder = createTerraformFinder({ binaries, directories: [join(folder, 'linked')] });
  expect(await finder.find(ANY)).toEqual(real);
  expect(await finder.find({ ...ANY, requiredVersions: ['< 1.7'] })).toEqual(binaries[1]);
  expect(await finder.find({ ...ANY, version: 'v1.5.7' })).toEqual(binaries[0]);
});

test('says what is missing and how to mend it', async () => {
  const problem = async (
    finder: ReturnType<typeof createTerraformFinder>,
    request: Parameters<typeof finder.find>[0],
  ) => {
    const found = await finder.find(request);
    return 'problem' in found ? found.problem : JSON.stringify(found);
  };
  const none = createTerraformFinder({ binaries: [], directories: [folder] });
  expect(await problem(none, ANY)).toMatch(/^Terraform is not installed\. Install `terraform` into/);
  expect(await problem(none, { ...ANY, distribution: 'opentofu' })).toMatch(
    /^OpenTofu is not installed\. Install `tofu`/,
  );
  const one = createTerraformFinder({ binaries: [], directories: [join(folder, 'linked')] });
  expect(await problem(one, { ...ANY, version: '0.13.0', requiredVersions: ['~> 0.13'] })).toBe(
    `This project asks for Terraform version 0.13.0 (terraform_version) and "~> 0.13" (required_version), but the server has ${real.version}. Install that version and name it in the server's list of binaries, or change what the project asks for.`,
  );
  const gone = { distribution: 'terraform', version: '1.0.0', path: join(folder, 'gone') } as const;
  const named = createTerraformFinder({ binaries: [gone], directories: [] });
  expect(await problem(named, ANY)).toContain('there is no program that can be run');
});

test('a program that is no Terraform is passed over', async () => {
  await mkdir(join(folder, 'odd'));
  await writeFile(join(folder, 'odd/terraform'), '#!/bin/sh\necho hello\n', { mode: 0o755 });
  const finder = createTerraformFinder({ binaries: [], directories: [join(folder, 'odd'), join(folder, 'linked')] });
  expect(await finder.find(ANY)).toEqual(real);
});
