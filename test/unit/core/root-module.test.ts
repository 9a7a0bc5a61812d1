import { afterAll, describe, expect, test } from 'vitest';
import { createHclParser } from '../../../src/adapters/hcl2json/index.ts';
import type { TerraformDistribution } from '../../../src/core/configuration-file.ts';
import {
  listCalledDirectories,
  listLocalModules,
  listModuleUsers,
  listProviders,
  listReferencedFiles,
  listRootModules,
  readConfiguration,
} from '../../../src/core/root-module.ts';

const parser = createHclParser();
afterAll(() => parser.close());

async function read(files: Readonly<Record<string, string>>, distribution: TerraformDistribution = 'terraform') {
  const sources = Object.entries(files).map(([path, text]) => ({ path, text }));
  const parsed = await parser.parse(sources.filter(({ path }) => /\.(tf|tofu)(\.json)?$/.test(path)));
  return readConfiguration(Object.keys(files), parsed, distribution);
}
const roots = (configuration: Awaited<ReturnType<typeof read>>) =>
  listRootModules(configuration).map(({ path }) => path);
const call = (...sources: string[]) =>
  sources.map((source, n) => `module "m${n}" {\n  source = "${source}"\n}\n`).join('');
const provider = 'provider "aws" {\n  region = "x"\n}\n';
const backend = (type: string, inside = '') => `terraform {\n  backend "${type}" {\n${inside}\n  }\n}\n`;

describe('root modules', () => {
  test('a directory nobody uses is one; a local module is none', async () => {
    const configuration = await read({
      'envs/prod/main.tf': call('../../net'),
      'net/main.tf': '',
      'docs/readme.md': '',
    });
    expect(roots(configuration)).toEqual(['envs/prod']);
  });

  test.each([
    ['a provider block', provider],
    ['a backend', backend('s3')],
    ['a cloud block', 'terraform {\n  cloud {\n    organization = "o"\n  }\n}\n'],
  ])('a local module with %s is one all the same', async (_what, text) => {
    expect(roots(await read({ 'a/main.tf': call('../b'), 'b/main.tf': text }))).toEqual(['a', 'b']);
  });

  test('below a folder called modules only what declares something is one', async () => {
    const configuration = await read({
      'modules/x/main.tf': '',
      'a/modules/y/examples/main.tf': '',
      'modules/z/main.tf': provider,
      'my-modules/main.tf': '',
      'main.tf': '',
    });
    expect(roots(configuration)).toEqual(['.', 'modules/z', 'my-modules']);
  });

  test('modules that use each other in a circle end, and so does one that uses itself', async () => {
    const configuration = await read({
      'a/x.tf': call('../b', '../a'),
      'b/x.tf': call('../c'),
      'c/x.tf': call('../a'),
      'd/x.tf': call('../d'),
    });
    expect(listLocalModules(configuration, 'a')).toEqual(['b', 'c']);
    expect(listModuleUsers(configuration, 'a')).toEqual(['b', 'c']);
    expect(roots(configuration)).toEqual(['d']);
  });

  test('users are found through modules; calls that lead nowhere or outside are kept apart', async () => {
    const configuration = await read({
      'envs/a/x.tf': call('../../m/one'),
      'envs/b/x.tf': call('../../m/two', '../../absent', '../../../outside', './sub/'),
      'm/one/x.tf': call('../two'),
      'm/two/x.tf': '',
      'envs/b/sub/x.tf': '',
    });
    expect(listModuleUsers(configuration, 'm/two')).toEqual(['envs/a', 'envs/b', 'm/one']);
    expect(listLocalModules(configuration, 'envs/b')).toEqual(['envs/b/sub', 'm/two']);
    expect(listCalledDirectories(configuration, 'envs/b')).toEqual(['../outside', 'absent', 'envs/b/sub', 'm/two']);
  });

  test("only Terraform's own beginnings make a source local", async () => {
    const configuration = await read({
      'a/x.tf': `${call('hashicorp/x/aws', 'git::https://h/x', './b')}module "v" {\n  source  = "o/n/p"\n  version = "~> 1"\n}\n`,
    });
    const directory = configuration.get('a');
    expect(directory?.localModules).toEqual([{ name: 'm2', source: './b', directory: 'a/b' }]);
    expect(directory?.remoteModules.at(-1)).toEqual({ name: 'v', source: 'o/n/p', version: '~> 1' });
  });

  test('JSON files say the same as HCL', async () => {
    const body = {
      module: [{ x: { source: '../b' } }],
      provider: { aws: [{}] },
      terraform: { backend: { gcs: {} }, required_version: '>= 1' },
    };
    const configuration = await read({ 'a/main.tf.json': JSON.stringify(body), 'b/x.tf': '' });
    expect(configuration.get('a')).toMatchObject({
      declaresProvider: true,
      backend: { kind: 'other', type: 'gcs' },
      requiredVersions: ['>= 1'],
    });
    expect(listLocalModules(configuration, 'a')).toEqual(['b']);
  });

  test('a malformed file is told, and the rest of its directory and of the repository is read', async () => {
    const configuration = await read({ 'a/bad.tf': 'resource "x" {', 'a/good.tf': provider, 'b/x.tf': '' });
    expect(configuration.get('a')).toMatchObject({ declaresProvider: true, problems: [{ path: 'a/bad.tf' }] });
    expect(roots(configuration)).toEqual(['a', 'b']);
  });

  test('a file that was not read is told', () => {
    expect(readConfiguration(['a/x.tf'], [], 'terraform').get('a')?.problems).toEqual([
      { path: 'a/x.tf', problem: 'a/x.tf was not read' },
    ]);
  });

  test('content that is nothing Terraform knows is passed over', async () => {
    const strange = {
      module: [1, 'x', { a: 'b', c: { source: 5 } }],
      terraform: 'no',
      provider: null,
      resource: { __proto__x: [] },
      constructor: 1,
    };
    const configuration = await read({
      'a/x.tf.json': JSON.stringify(strange),
      'b/x.tf': 'terraform = 1\nmodule = [1]\nprovider = {}\n',
    });
    expect(roots(configuration)).toEqual(['a', 'b']);
    expect(configuration.get('a')?.localModules).toEqual([]);
  });
});

describe('which files count', () => {
  const files = {
    'a/main.tf': call('../one'),
    'a/main.tofu': call('../two'),
    'one/x.tf': '',
    'two/x.tf': '',
    't/x.tofu': '',
    't/x.tofu.json': '{}',
  };

  test('Terraform reads no .tofu file, but a directory of nothing else is still seen', async () => {
    const configuration = await read(files);
    expect(listLocalModules(configuration, 'a')).toEqual(['one']);
    expect(configuration.get('a')).toMatchObject({ files: ['a/main.tf'], onlyOpenTofu: false });
    expect(configuration.get('t')).toMatchObject({ onlyOpenTofu: true });
  });

  test('OpenTofu reads x.tofu instead of x.tf', async () => {
    const configuration = await read({ ...files, 'a/other.tf': '', 'a/main.tf.json': '{}' }, 'opentofu');
    expect(listLocalModules(configuration, 'a')).toEqual(['two']);
    expect(configuration.get('a')?.files).toEqual(['a/main.tf.json', 'a/main.tofu', 'a/other.tf']);
  });

  test('override files come last and win', async () => {
    const configuration = await read({
      'a/z.tf': call('../one') + backend('s3'),
      'a/a_override.tf': call('../two'),
      'a/override.tf': backend('local'),
      'a/overrides.tf': '',
    });
    const directory = configuration.get('a');
    expect(directory?.files).toEqual(['a/overrides.tf', 'a/z.tf', 'a/a_override.tf', 'a/override.tf']);
    expect(directory?.localModules).toMatchObject([{ directory: 'two' }]);
    expect(directory?.backend.kind).toBe('local');
  });

  test("editors' leftovers and terraform.tfvars are no configuration; terragrunt.hcl is recognised", async () => {
    const configuration = await read({
      'a/.x.tf': '',
      'b/x.tf~': '',
      'c/#x.tf#': '',
      'd/x.tfvars': '',
      'e/terragrunt.hcl': '',
      'f/terragrunt.hcl': '',
      'f/x.tf': '',
    });
    expect([...configuration.keys()]).toEqual(['e', 'f']);
    expect(configuration.get('e')).toMatchObject({ terragrunt: true, files: [] });
    expect(roots(configuration)).toEqual(['f']);
  });
});

describe('backends', () => {
  test.each([
    ['none', '', { kind: 'none', type: undefined, workspace: undefined }],
    ['local', backend('local'), { kind: 'local', type: 'local', workspace: undefined }],
    ['s3', backend('s3'), { kind: 'other', type: 's3', workspace: undefined }],
    ['remote', backend('remote', 'workspaces {\n name = "w"\n}'), { kind: 'remote', type: 'remote', workspace: 'w' }],
    [
      'remote with a prefix',
      backend('remote', 'workspaces {\n prefix = "w-"\n}'),
      { kind: 'remote', type: 'remote', workspace: undefined },
    ],
    [
      'cloud',
      'terraform {\n  cloud {\n    workspaces {\n      name = "prod"\n    }\n  }\n}\n',
      { kind: 'cloud', type: 'cloud', workspace: 'prod' },
    ],
    [
      'cloud by tags',
      'terraform {\n  cloud {\n    workspaces {\n      tags = ["x"]\n    }\n  }\n}\n',
      { kind: 'cloud', type: 'cloud', workspace: undefined },
    ],
    [
      'cloud by a variable',
      'terraform {\n  cloud {\n    workspaces {\n      name = "${var.x}"\n    }\n  }\n}\n',
      { kind: 'cloud', type: 'cloud', workspace: undefined },
    ],
  ])('%s', async (_what, text, expected) => {
    expect((await read({ 'x.tf': text })).get('.')?.backend).toEqual(expected);
  });
});

describe('providers', () => {
  test('declared ones with their constraints, implied ones by their use, and nothing for the built-in one', async () => {
    const text = `
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
    old  = "~> 1"
    mine = {
      source = "registry.acme.test/Team/Mine"
    }
  }
}
provider "aws" {
  version = ">= 5.1"
}
resource "aws_instance" "x" {}
resource "random_id" "x" {}
data "google_project" "x" {
  provider = google-beta.eu
}
resource "terraform_data" "x" {}
`;
    const configuration = await read({
      'a/x.tf': `${text}${call('../b')}`,
      'b/x.tf':
        'ephemeral "vault_x" "y" {\n}\nterraform {\n  required_providers {\n    aws = {\n      source = "hashicorp/aws"\n      version = "< 6"\n    }\n  }\n}\n',
    });
    expect(configuration.get('a')?.requiredVersions).toEqual(['>= 1.5']);
    const host = 'registry.terraform.io/hashicorp';
    expect(listProviders(configuration, 'a')).toEqual([
      { name: 'mine', source: 'registry.acme.test/team/mine', versions: [], declared: true },
      { name: 'aws', source: `${host}/aws`, versions: ['~> 5.0', '>= 5.1', '< 6'], declared: true },
      { name: 'google-beta', source: `${host}/google-beta`, versions: [], declared: false },
      { name: 'old', source: `${host}/old`, versions: ['~> 1'], declared: true },
      { name: 'random', source: `${host}/random`, versions: [], declared: false },
      { name: 'vault', source: `${host}/vault`, versions: [], declared: false },
    ]);
  });

  test("OpenTofu's registry is another", async () => {
    const configuration = await read({ 'a/x.tofu': 'resource "random_id" "x" {}\n' }, 'opentofu');
    expect(listProviders(configuration, 'a')[0]?.source).toBe('registry.opentofu.org/hashicorp/random');
  });
});

describe('files named literally', () => {
  test('are found wherever they stand, from the directory they are meant from', async () => {
    const text = `
locals {
  a = file("\${path.module}/a.txt")
  b = [for x in [1] : templatefile( "./b.tpl", { y = filebase64("\${ path.root }/c.bin") })]
  d = "pre \${filesha256("\${path.cwd}/d.txt")} post"
  e = <<EOT
  \${file("e.txt")}
EOT
  f = { file("k.txt") = 1 }
  no1 = file("/etc/passwd")
  no2 = file("\${var.x}/x")
  no3 = file("\${path.module}-x")
  no4 = profile("p.txt")
  out = file("../../../out.txt")
}
`;
    const configuration = await read({ 'envs/prod/x.tf': call('../../m'), 'm/x.tf': text });
    expect(listReferencedFiles(configuration, 'envs/prod')).toEqual(
      ['m/a.txt', 'envs/prod/b.tpl', 'envs/prod/c.bin', 'envs/prod/d.txt', 'envs/prod/e.txt', 'envs/prod/k.txt'].sort(),
    );
  });
});

test('thousands of directories are described in little time', () => {
  const paths = Array.from({ length: 5_000 }, (_, n) => `d${n}/main.tf`);
  const parsed = paths.map((path, n) => ({
    path,
    body: { module: { x: { source: `../d${n + 1}` }, y: { source: '../m' } } },
  }));
  const started = performance.now();
  const configuration = readConfiguration(paths, parsed, 'terraform');
  expect(listRootModules(configuration).map(({ path }) => path)).toEqual(['d0']);
  expect(listModuleUsers(configuration, 'd4999').length).toBe(4_999);
  expect(listModuleUsers(configuration, 'm').length).toBe(5_000);
  expect(performance.now() - started).toBeLessThan(20_000);
});
