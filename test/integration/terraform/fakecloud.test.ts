import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildFakecloud } from '../../fakecloud/build-fakecloud.ts';
import { startFakecloudServer } from '../../support/fakecloud-server.ts';

let folder: string;
let cloud: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-fakecloud-'));
  cloud = join(folder, 'cloud');
  await mkdir(cloud);
  const { mirrorDirectory } = await buildFakecloud();
  const rc = `provider_installation {\n  filesystem_mirror {\n    path = "${mirrorDirectory}"\n  }\n}\n`;
  await writeFile(join(folder, 'terraform.rc'), rc);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Output of both streams and the exit code. */
async function terraform(...args: string[]): Promise<{ text: string; exitCode: number | undefined }> {
  const env = { TF_CLI_CONFIG_FILE: join(folder, 'terraform.rc'), CHECKPOINT_DISABLE: '1' };
  const { all, exitCode } = await execa('terraform', args, {
    cwd: folder,
    env,
    reject: false,
    all: true,
    timeout: 60_000,
  });
  return { text: all ?? '', exitCode };
}

async function configure(resources: string, provider = `dir = "${cloud}"`): Promise<void> {
  const head = 'terraform {\n  required_providers {\n    fakecloud = { source = "holdfast/fakecloud" }\n  }\n}\n';
  await writeFile(join(folder, 'main.tf'), `${head}provider "fakecloud" {\n${provider}\n}\n${resources}\n`);
}

const apply = async () => {
  await terraform('init', '-no-color');
  return terraform('apply', '-auto-approve', '-no-color');
};
const object = (name: string) => `resource "fakecloud_object" "${name}" {\n  name = "${name}"\n}\n`;
const faults = (...list: readonly unknown[]) => writeFile(join(cloud, '.faults.json'), JSON.stringify(list));

describe('the fakecloud provider under real Terraform', () => {
  test('is built once, by however many at a time', async () => {
    const builds = await Promise.all(Array.from({ length: 4 }, () => buildFakecloud()));
    expect(new Set(builds.map(({ mirrorDirectory }) => mirrorDirectory)).size).toBe(1);
    expect(builds[0]?.mounts.map(({ mode }) => mode)).toEqual(['ro', 'ro']);
  });

  test('creates, reads, imports, changes and destroys', async () => {
    await configure(
      `${object('a')}data "fakecloud_object" "b" {\n name = "b"\n}\noutput "b" { value = data.fakecloud_object.b.content }`,
    );
    await writeFile(join(cloud, 'b.json'), '{"name": "b", "content": "hello", "version": 3}');
    expect((await apply()).text).toContain('b = "hello"');
    await configure(object('a') + object('b'));
    expect((await terraform('import', '-no-color', 'fakecloud_object.b', 'b')).text).toContain('Import successful');
    const { text } = await terraform('apply', '-auto-approve', '-no-color');
    expect(text).toContain('0 added, 1 changed, 0 destroyed');
    expect(JSON.parse(await readFile(join(cloud, 'b.json'), 'utf8'))).toMatchObject({ content: null, version: 4 });
    expect((await terraform('destroy', '-auto-approve', '-no-color')).text).toContain('2 destroyed');
    expect(await readdir(cloud)).toEqual([]);
  });

  test('lives behind HTTP, too', async () => {
    await using server = await startFakecloudServer();
    await configure(object('a'), `endpoint = "${server.endpoint}"\ntoken = "${server.token}"`);
    expect((await apply()).text).toContain('1 added');
    expect(server.objects.get('a')).toMatchObject({ name: 'a', version: 1 });
    expect((await terraform('destroy', '-auto-approve', '-no-color')).text).toContain('1 destroyed');
    await configure(object('a'), `endpoint = "${server.endpoint}"`);
    expect((await terraform('apply', '-auto-approve', '-no-color')).text).toContain('HTTP 401 no token');
  });

  test('fails as it is told: an error once, a crash, a warning, a write that is then called a failure', async () => {
    await configure(object('a'));
    await faults({ op: 'create', name: 'a', error: 'Quota exceeded', times: 1 });
    expect((await apply()).text).toContain('Quota exceeded');
    await faults({ op: 'plan', crash: true });
    expect((await apply()).text).toContain('plugin crashed');
    await faults({ op: 'after_create', error: 'Lost the answer', times: 1 }, { op: 'read', warning: 'Slow day' });
    expect((await apply()).text).toContain('Lost the answer');
    expect(await readdir(cloud)).toContain('a.json');
    const { text } = await terraform('plan', '-no-color');
    expect(text).toContain('is tainted, so must be replaced');
    expect(text).toContain('Slow day');
  });

  test('says what is wrong with its configuration', async () => {
    await configure(object('a').replace('name = "a"', 'name = ".a"'));
    expect((await apply()).text).toContain('name must not start with a dot');
    await configure(object('a'), '');
    expect((await apply()).text).toContain('No cloud configured');
  });

  test('is no program for people', async () => {
    const { mounts, mirrorDirectory } = await buildFakecloud();
    expect(mounts[0]?.source).toBe(mirrorDirectory);
    const versions = join(mirrorDirectory, 'registry.terraform.io/holdfast/fakecloud/1.0.0');
    const [platform = ''] = await readdir(versions);
    const program = join(versions, platform, 'terraform-provider-fakecloud_v1.0.0');
    expect(await execa(program, { reject: false, timeout: 10_000 })).toMatchObject({ exitCode: 1 });
  });
});
