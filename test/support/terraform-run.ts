import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createBubblewrapSandbox } from '../../src/adapters/bubblewrap/bubblewrap-sandbox.ts';
import type { Progress } from '../../src/core/plan.ts';
import type { Project } from '../../src/core/project.ts';
import { DEFAULT_WORKFLOW } from '../../src/core/workflow.ts';
import { Secret } from '../../src/lib/secret.ts';
import type { Mount, Sandbox } from '../../src/ports/sandbox.ts';
import { DEFAULT_STEP_LIMITS, NO_CREDENTIALS, type ProjectRun } from '../../workers/steps/project-run.ts';
import { createTerraformFinder, type TerraformBinary } from '../../workers/steps/terraform-binary.ts';
import { buildFakecloud } from '../fakecloud/build-fakecloud.ts';

const DIGEST_KEY = new Secret<Uint8Array>(randomBytes(32));
const MEMORY_BYTES = 1024 ** 3;

/** A folder of its own with everything a project needs: checkout, cloud, state, and a slot of a real sandbox. */
export interface TerraformBench extends AsyncDisposable {
  readonly directory: string;
  readonly cloudDirectory: string;
  readonly stateDirectory: string;
  readonly lines: string[];
  readonly progress: Progress[];
  readonly sensitive: Set<string>;
  /** Writes files into the checkout. */
  write(files: Readonly<Record<string, string>>): Promise<void>;
  /** A run with a slot of its own; every call is another run on the same checkout. */
  run(overrides?: Partial<Omit<ProjectRun, 'project'>> & { readonly project?: Partial<Project> }): Promise<ProjectRun>;
}

let sandbox: Sandbox | undefined;

export function realSandbox(): Sandbox {
  if (sandbox === undefined) {
    const slotsDirectory = join(tmpdir(), `holdfast-test-slots-${process.pid}`);
    process.on('exit', () => rmSync(slotsDirectory, { recursive: true, force: true }));
    sandbox = createBubblewrapSandbox({ slotsDirectory, uidRange: { first: 410_000, count: 64 }, deniedAddresses: [] });
  }
  return sandbox;
}

export async function findTerraform(): Promise<TerraformBinary> {
  const finder = createTerraformFinder({ binaries: [], directories: (process.env['PATH'] ?? '').split(':') });
  const found = await finder.find({ distribution: 'terraform', version: undefined, requiredVersions: [] });
  if ('problem' in found) throw new Error(`${found.problem} The tests need Terraform 1.11 or later on the PATH.`);
  return found;
}

export const PROJECT: Project = {
  dir: '.',
  workspace: 'default',
  name: undefined,
  workflow: DEFAULT_WORKFLOW,
  terraformVersion: undefined,
  terraformDistribution: 'terraform',
  autoplan: { enabled: true, whenModified: [] },
  planRequirements: [],
  applyRequirements: [],
  executionOrderGroup: 0,
  dependsOn: [],
  repoLocks: 'on_plan',
};

export const FACTS = {
  baseRepoName: 'shop',
  baseRepoOwner: 'acme',
  headRepoName: 'shop',
  headRepoOwner: 'acme',
  headBranchName: 'feature',
  headCommit: 'a'.repeat(40),
  baseBranchName: 'main',
  pullNumber: 7,
  pullUrl: 'https://example.com/acme/shop/pull/7',
  pullAuthor: 'octocat',
  userName: 'hubot',
  pullApproved: true,
  pullMergeable: true,
} as const;

export async function createTerraformBench(): Promise<TerraformBench> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'holdfast-terraform-')));
  await chmod(directory, 0o755);
  const [checkout, cloudDirectory, stateDirectory] = ['checkout', 'cloud', 'state'].map((name) =>
    join(directory, name),
  );
  if (!checkout || !cloudDirectory || !stateDirectory) throw new Error('unreachable');
  for (const folder of [checkout, cloudDirectory, stateDirectory]) {
    await mkdir(folder);
    await chmod(folder, 0o777);
  }
  const [terraform, fakecloud] = await Promise.all([findTerraform(), buildFakecloud()]);
  const slots: AsyncDisposable[] = [];
  const lines: string[] = [];
  const progress: Progress[] = [];
  const sensitive = new Set<string>();
  const mounts: readonly Mount[] = [
    { source: cloudDirectory, mode: 'rw' },
    { source: stateDirectory, mode: 'rw' },
  ];
  return {
    directory,
    cloudDirectory,
    stateDirectory,
    lines,
    progress,
    sensitive,
    async write(files) {
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(checkout, path)), { recursive: true });
        await writeFile(join(checkout, path), text);
      }
    },
    async run({ project, ...overrides } = {}) {
      const slot = await realSandbox().openSlot({ memoryBytes: MEMORY_BYTES, processes: 200, diskBytes: MEMORY_BYTES });
      slots.push(slot);
      const own = join(directory, `run-${slots.length}`);
      await mkdir(own);
      return {
        slot,
        checkoutDirectory: checkout,
        directory: own,
        fixedPaths: true,
        project: { ...PROJECT, ...project },
        backend: undefined,
        facts: FACTS,
        terraform,
        credentials: NO_CREDENTIALS,
        network: 'none',
        mounts,
        providers: {
          mirrorDirectories: [fakecloud.mirrorDirectory],
          mounts: fakecloud.mounts.filter(({ source }) => source !== fakecloud.mirrorDirectory),
          direct: false,
        },
        limits: { ...DEFAULT_STEP_LIMITS, graceMs: 20_000, lockTimeoutSeconds: 1 },
        commandArgs: [],
        digestKey: DIGEST_KEY,
        observes: false,
        verifyIgnore: [],
        expectedResources: undefined,
        onLine: (line) => lines.push(line),
        onProgress: (now) => progress.push(now),
        onSensitiveValues: (values) => {
          for (const value of values) sensitive.add(value);
        },
        signal: new AbortController().signal,
        ...overrides,
      };
    },
    async [Symbol.asyncDispose]() {
      for (const slot of slots) await slot[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
