import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, lstat, mkdir, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { ProviderRequirement } from '../src/core/provider-requirement.ts';
import { meetsConstraint } from '../src/core/version-constraint.ts';
import type { Mount, NetworkMode, Sandbox, SandboxResult, SandboxSlot, SlotLimits } from '../src/ports/sandbox.ts';
import type { PhaseCredentials } from './steps/project-run.ts';
import type { TerraformBinary } from './steps/terraform-binary.ts';
import { parseTextDiagnostics } from './steps/terraform-events.ts';

export interface ProviderMirrorOptions {
  /** Holdfast's own mirror; made when missing. Runs see it read-only. */
  readonly directory: string;
  /** A filesystem mirror that the operator fills; it is asked first and never written to. */
  readonly operatorDirectory: string | undefined;
  /** Whether what is missing may be fetched from the providers' registries. */
  readonly download: boolean;
  readonly sandbox: Sandbox;
  /** The network fetching is done with; `none` means that nothing is fetched. */
  readonly network: NetworkMode;
  readonly slotLimits: SlotLimits;
  readonly timeoutMs: number;
}

export interface MirrorRequest {
  /** Of the root module and of everything it calls. Written by a pull request. */
  readonly requirements: readonly ProviderRequirement[];
  /** Text of `.terraform.lock.hcl`, whose versions are fetched exactly. Written by a pull request. */
  readonly lockFile: string | undefined;
  readonly terraform: TerraformBinary;
  /** Registry tokens and the like. */
  readonly credentials: PhaseCredentials;
  readonly signal: AbortSignal;
}

export interface ProviderMirror {
  /** For `ProviderSources.mirrorDirectories`. */
  readonly directories: readonly string[];
  /**
   * Fetches what the mirrors lack; safe to call from many runs and processes at a time. A provider that is there already in a fitting
   * version is not looked for again, so versions move with the lock file or the constraint and not by themselves.
   * @returns one sentence per provider that could not be had, for people; Terraform's init would fail on the same ones.
   */
  fill(request: MirrorRequest): Promise<readonly string[]>;
}

interface Wanted {
  readonly source: string;
  readonly constraint: string;
}

/** Host, namespace and type, as in Terraform's "Provider Source Addresses", ASCII only; it becomes a path and part of a configuration. */
const SOURCE =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?::\d{1,5})?\/[a-z0-9][a-z0-9_-]*\/[a-z0-9][a-z0-9-]*$/;
const CONSTRAINT = /^[\s\d.,<>=!~v+A-Za-z-]{0,200}$/;
const VERSION = /^\d+\.\d+\.\d+(?:-[\w.-]+)?(?:\+[\w.-]+)?$/;
const PLATFORM = `linux_${{ x64: 'amd64', arm64: 'arm64' }[arch() as string] ?? arch()}`;
const OUTPUT_BYTES = 1024 * 1024;
const GRACE_MS = 5_000;

/**
 * What makes providers shared between runs safe: a run can only read the mirror, and it is filled by `terraform providers mirror`
 * in a sandbox with no file of any pull request, on a made-up configuration of nothing but required providers. (A shared
 * `TF_PLUGIN_CACHE_DIR` could be written to by whoever's init or plan runs.) Packages stay packed, as lock files name checksums of
 * the packed ones for platforms other than the author's.
 */
export function createProviderMirror(options: ProviderMirrorOptions): ProviderMirror {
  const directories = [options.operatorDirectory, options.directory].filter((path) => path !== undefined);
  const underway = new Map<string, Promise<string | undefined>>();
  return {
    directories,
    async fill(request) {
      await mkdir(options.directory, { recursive: true, mode: 0o755 });
      const { wanted, problems } = readRequirements(request);
      const found = [...problems];
      for (const one of wanted) {
        if (await isMirrored(directories, one)) continue;
        const problem = cannotFetch(options, one) ?? (await shareFetch(underway, options, request, one));
        if (problem !== undefined) found.push(problem);
      }
      return found;
    },
  };
}

function readRequirements({ requirements, lockFile }: MirrorRequest): {
  readonly wanted: readonly Wanted[];
  readonly problems: readonly string[];
} {
  const locked = lockedVersions(lockFile ?? '');
  const bySource = Map.groupBy(requirements, ({ source }) => source);
  const wanted: Wanted[] = [];
  const problems: string[] = [];
  for (const [source, entries] of bySource) {
    const version = locked.get(source);
    const constraint = version === undefined ? entries.flatMap(({ versions }) => versions).join(', ') : `= ${version}`;
    if (SOURCE.test(source) && CONSTRAINT.test(constraint)) wanted.push({ source, constraint });
    else
      problems.push(
        `\`${source.slice(0, 100)}\` with version \`${constraint.slice(0, 100)}\` is no valid provider requirement.`,
      );
  }
  return { wanted, problems };
}

/** The lock file is written by Terraform in one form; anything else in it is not believed. */
export function lockedVersions(lockFile: string): ReadonlyMap<string, string> {
  const blocks = lockFile.matchAll(/^provider "([^"\n]{1,200})" \{\n\s*version\s*=\s*"([^"\n]{1,60})"$/gm);
  const entries = [...blocks].map(([, source = '', version = '']) => [source, version] as const);
  return new Map(entries.filter(([source, version]) => SOURCE.test(source) && VERSION.test(version)));
}

async function isMirrored(directories: readonly string[], { source, constraint }: Wanted): Promise<boolean> {
  for (const directory of directories) {
    const versions = await mirroredVersions(join(directory, source));
    if (versions.some((version) => constraint === '' || meetsConstraint(version, constraint) === true)) return true;
  }
  return false;
}

/** Packed as `terraform-provider-NAME_VERSION_PLATFORM.zip`, unpacked as `VERSION/PLATFORM/`. */
async function mirroredVersions(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const packed = names.map((name) => /^terraform-provider-.+?_(\d[^_]*)_(\w+)\.zip$/.exec(name));
  const versions = packed.filter((match) => match?.[2] === PLATFORM).map((match) => match?.[1] ?? '');
  for (const name of names.filter((one) => VERSION.test(one))) {
    const unpacked = await access(join(folder, name, PLATFORM), constants.R_OK).then(
      () => true,
      () => false,
    );
    if (unpacked) versions.push(name);
  }
  return versions;
}

function cannotFetch(
  { download, network, operatorDirectory, directory }: ProviderMirrorOptions,
  wanted: Wanted,
): string | undefined {
  if (download && network !== 'none') return undefined;
  const why = download ? 'the sandbox has no network' : 'downloading is turned off on this server';
  const where = operatorDirectory ?? directory;
  return `The provider ${describe(wanted)} is not in the mirror, and ${why}. The operator can add it: \`terraform providers mirror -platform=${PLATFORM} ${where}\` in a folder whose configuration requires it.`;
}

function describe({ source, constraint }: Wanted): string {
  return constraint === '' ? source : `${source} (${constraint})`;
}

/** Two runs that want the same provider wait for one download. */
function shareFetch(
  underway: Map<string, Promise<string | undefined>>,
  options: ProviderMirrorOptions,
  request: MirrorRequest,
  wanted: Wanted,
): Promise<string | undefined> {
  const key = `${wanted.source} ${wanted.constraint}`;
  const running = underway.get(key) ?? fetchProvider(options, request, wanted).finally(() => underway.delete(key));
  underway.set(key, running);
  return running;
}

async function fetchProvider(
  options: ProviderMirrorOptions,
  request: MirrorRequest,
  wanted: Wanted,
): Promise<string | undefined> {
  // Beside the mirror: a rename must not cross file systems, and no run may see half a download.
  const staging = join(dirname(options.directory), `.${basename(options.directory)}-staging`, randomUUID());
  await using slot = await options.sandbox.openSlot(options.slotLimits);
  try {
    await mkdir(join(staging, 'work'), { recursive: true, mode: 0o755 });
    const work = await realpath(join(staging, 'work'));
    await writeFile(join(work, 'main.tf.json'), syntheticConfiguration(wanted));
    const result = await runMirrorCommand(options, request, slot, work);
    await slot.reclaim(work);
    if (result.exitCode !== 0) return explainFetch(wanted, result);
    return await installPackages(options.directory, join(work, 'mirror'), wanted);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

function syntheticConfiguration({ source, constraint }: Wanted): string {
  const provider = constraint === '' ? { source } : { source, version: constraint };
  return JSON.stringify({ terraform: { required_providers: { wanted: provider } } });
}

async function runMirrorCommand(
  options: ProviderMirrorOptions,
  { terraform, credentials, signal }: MirrorRequest,
  slot: SandboxSlot,
  work: string,
): Promise<SandboxResult> {
  await slot.own(work);
  const system: readonly Mount[] = terraform.path.startsWith('/usr/') ? [] : [{ source: terraform.path, mode: 'ro' }];
  const secrets = Object.entries(credentials.env).map(([name, secret]) => [name, secret.reveal()] as const);
  return slot.run({
    argv: [terraform.path, 'providers', 'mirror', `-platform=${PLATFORM}`, join(work, 'mirror')],
    cwd: work,
    env: {
      ...Object.fromEntries(secrets),
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: work,
      TF_CLI_CONFIG_FILE: '/dev/null',
      TF_IN_AUTOMATION: '1',
      CHECKPOINT_DISABLE: '1',
    },
    mounts: [{ source: work, mode: 'rw' }, ...system, ...credentials.mounts],
    network: options.network,
    timeoutMs: options.timeoutMs,
    graceMs: GRACE_MS,
    outputBytes: OUTPUT_BYTES,
    signal,
  });
}

function explainFetch(wanted: Wanted, result: SandboxResult): string {
  const title = `The provider ${describe(wanted)} could not be fetched from its registry`;
  if (result.stoppedBy !== undefined) return `${title}: it was stopped (${result.stoppedBy}).`;
  const error = parseTextDiagnostics(result.stderr).find(({ severity }) => severity === 'error');
  const detail = error?.detail.split('\n').filter(Boolean).slice(0, 4).join(' ');
  return `${title}: ${error === undefined ? `Terraform ended with ${result.exitCode}` : `${error.summary}. ${detail}`}`;
}

/** Takes packages of the wanted provider and nothing else; one that is in the mirror already stays as it is. */
async function installPackages(mirror: string, staged: string, wanted: Wanted): Promise<string | undefined> {
  const folder = join(staged, wanted.source);
  const type = wanted.source.split('/')[2] ?? '';
  const names = await readdir(folder).catch(() => []);
  const packages = names.filter(
    (name) => name.startsWith(`terraform-provider-${type}_`) && name.endsWith(`_${PLATFORM}.zip`),
  );
  if (packages.length === 0) return `The provider ${describe(wanted)} has no package for ${PLATFORM}.`;
  const target = join(mirror, wanted.source);
  await mkdir(target, { recursive: true, mode: 0o755 });
  for (const name of packages) {
    const from = join(folder, name);
    if (!(await lstat(from)).isFile()) return `The package ${name} is not a regular file.`;
    await chmod(from, 0o644);
    if (await exists(join(target, name))) continue;
    await rename(from, join(target, name));
  }
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
