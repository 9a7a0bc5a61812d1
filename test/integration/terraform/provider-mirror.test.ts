import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProviderRequirement } from '../../../src/core/provider-requirement.ts';
import { Secret } from '../../../src/lib/secret.ts';
import { createProviderMirror, type ProviderMirrorOptions } from '../../../workers/provider-mirror.ts';
import { planProject } from '../../../workers/steps/plan-project.ts';
import type { PhaseCredentials } from '../../../workers/steps/project-run.ts';
import { buildFakecloud } from '../../fakecloud/build-fakecloud.ts';
import { type ProviderRegistry, startProviderRegistry } from '../../support/provider-registry.ts';
import { createTerraformBench, findTerraform, realSandbox } from '../../support/terraform-run.ts';

const PLATFORM = `linux_${arch() === 'x64' ? 'amd64' : arch()}`;
const LIMITS = { memoryBytes: 1024 ** 3, processes: 100, diskBytes: 1024 ** 3 };

describe('the provider mirror', () => {
  let folder: string;
  let registry: ProviderRegistry;
  let credentials: PhaseCredentials;

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-mirror-')));
    const { mirrorDirectory } = await buildFakecloud();
    const versions = join(mirrorDirectory, 'registry.terraform.io/holdfast/fakecloud/1.0.0');
    registry = await startProviderRegistry(join(versions, PLATFORM, 'terraform-provider-fakecloud_v1.0.0'), PLATFORM);
    await writeFile(join(folder, 'registry.pem'), registry.certificatePem);
    credentials = {
      env: { SSL_CERT_FILE: new Secret(join(folder, 'registry.pem')) },
      mounts: [{ source: join(folder, 'registry.pem'), mode: 'ro' }],
    };
  });

  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const createMirror = (name: string, options: Partial<ProviderMirrorOptions> = {}) =>
    createProviderMirror({
      directory: join(folder, name),
      operatorDirectory: undefined,
      download: true,
      sandbox: realSandbox(),
      network: 'host',
      slotLimits: LIMITS,
      timeoutMs: 30_000,
      ...options,
    });

  const require = (source: string, ...versions: string[]): ProviderRequirement => ({
    name: 'fakecloud',
    source,
    versions,
    declared: true,
  });

  const request = async (requirements: readonly ProviderRequirement[], lockFile?: string) => ({
    requirements,
    lockFile,
    terraform: await findTerraform(),
    credentials,
    signal: new AbortController().signal,
  });

  test('fetches once what several runs need, and a run without network plans with it', async () => {
    const mirror = createMirror('shared');
    const source = `${registry.host}/acme/fakecloud`;
    const asked = await request([require(source, '~> 1.0')]);
    expect(await Promise.all([mirror.fill(asked), mirror.fill(asked)])).toEqual([[], []]);
    const zip = join(folder, 'shared', source, `terraform-provider-fakecloud_1.0.0_${PLATFORM}.zip`);
    expect((await stat(zip)).mode & 0o777).toBe(0o644);
    expect(registry.requests.filter((path) => path.endsWith('/versions'))).toHaveLength(1);
    expect(await mirror.fill(asked)).toEqual([]);
    expect(registry.requests.filter((path) => path.endsWith('/versions'))).toHaveLength(1);
    expect((await readdir(folder)).filter((name) => name.endsWith('-staging'))).toHaveLength(1);
    expect(await readdir(join(folder, '.shared-staging'))).toEqual([]);

    await using bench = await createTerraformBench();
    await bench.write({
      'main.tf': `terraform {
        required_providers { fakecloud = { source = "${source}" } }
      }
      provider "fakecloud" { dir = "${bench.cloudDirectory}" }
      resource "fakecloud_object" "a" { name = "a" }`,
    });
    const base = await bench.run();
    const outcome = await planProject({
      ...base,
      providers: { ...base.providers, mirrorDirectories: mirror.directories },
    });
    expect(outcome).toMatchObject({ kind: 'planned', summary: { counts: { add: 1 } } });
  });

  test('says what cannot be had: unknown provider, unknown version, no network, downloads turned off', async () => {
    const mirror = createMirror('unknown');
    const source = `${registry.host}/acme/fakecloud`;
    const [missing] = await mirror.fill(await request([require(`${registry.host}/acme/nothing`)]));
    expect(missing).toMatch(/acme\/nothing could not be fetched from its registry/);
    const lock = `provider "${source}" {\n  version = "9.9.9"\n}\n`;
    const [version] = await mirror.fill(await request([require(source, '~> 1.0')], lock));
    expect(version).toContain('= 9.9.9');
    const [offline] = await createMirror('unknown', { network: 'none' }).fill(await request([require(source)]));
    expect(offline).toContain('the sandbox has no network');
    const [off] = await createMirror('unknown', { download: false }).fill(await request([require(source)]));
    expect(off).toContain('downloading is turned off');
  });

  test("uses the operator's mirror as it is", async () => {
    const { mirrorDirectory } = await buildFakecloud();
    const mirror = createMirror('own', { operatorDirectory: mirrorDirectory, network: 'none' });
    const source = 'registry.terraform.io/holdfast/fakecloud';
    expect(await mirror.fill(await request([require(source, '~> 1.0')]))).toEqual([]);
    expect(mirror.directories).toEqual([mirrorDirectory, join(folder, 'own')]);
    const [other] = await mirror.fill(await request([require(source, '~> 2.0')]));
    expect(other).toContain('~> 2.0');
  });

  test.each([
    '../../etc/passwd',
    'registry.terraform.io/../../x',
    'example.com/a/b"\n}\nresource "x" "y" {',
    'example.com/a/$'.concat('{file("/etc/passwd")}'),
    'Example.com/A/B',
  ])('nothing is fetched for the source %j', async (source) => {
    const [problem] = await createMirror('strict').fill(await request([require(source)]));
    expect(problem).toContain('no valid provider requirement');
    expect(await readdir(join(folder, 'strict'))).toEqual([]);
  });

  /** The attack: code that runs during one pull request's plan replaces the provider that the next one will use. */
  const poison = (place: string) => `
    data "fakecloud_program" "attack" {
      program = ["/bin/sh", "-c", "find ${place} -type f | head -1 | while read f; do echo poisoned > $f; done; touch ${place}/poisoned; true"]
    }`;

  test('a pull request can poison a cache that all may write, and cannot poison the mirror', async () => {
    const mirror = createMirror('victim');
    const source = `${registry.host}/acme/fakecloud`;
    expect(await mirror.fill(await request([require(source)]))).toEqual([]);
    const shared = join(folder, 'victim');
    await using bench = await createTerraformBench();
    const configuration = (cloud: string) => `terraform {
        required_providers { fakecloud = { source = "${source}" } }
      }
      provider "fakecloud" { dir = "${cloud}" }`;
    await bench.write({ 'main.tf': configuration(bench.cloudDirectory) + poison(shared) });
    const zip = join(shared, source, `terraform-provider-fakecloud_1.0.0_${PLATFORM}.zip`);
    const before = await readFile(zip);
    const base = await bench.run();
    const providers = { ...base.providers, mirrorDirectories: mirror.directories };
    expect(await planProject({ ...base, providers })).toMatchObject({ kind: 'planned' });
    expect(await readFile(zip)).toEqual(before);
    expect(await readdir(shared)).not.toContain('poisoned');

    // The same pull request where runs share a cache that they may write, as a naive TF_PLUGIN_CACHE_DIR is.
    const cache = join(folder, 'naive-cache');
    await mkdir(cache, { mode: 0o777 });
    await using naiveBench = await createTerraformBench();
    const naiveRun = await naiveBench.run();
    await naiveRun.slot.own(cache);
    await naiveBench.write({ 'main.tf': configuration(naiveBench.cloudDirectory) + poison(cache) });
    const naive = {
      ...naiveRun,
      providers,
      mounts: [...naiveRun.mounts, { source: cache, mode: 'rw' as const }],
      credentials: {
        ...naiveRun.credentials,
        plan: { env: { TF_PLUGIN_CACHE_DIR: new Secret(cache) }, mounts: [] },
      },
    };
    expect(await planProject(naive)).toMatchObject({ kind: expect.stringMatching(/planned|failed/) });
    const cached = join(cache, source, '1.0.0', PLATFORM, 'terraform-provider-fakecloud_v1.0.0');
    expect(await readFile(cached, 'utf8')).toBe('poisoned\n');
  });
});
