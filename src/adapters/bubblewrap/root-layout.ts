import { lstat, mkdir, readlink, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { type Mount, type NetworkMode, SandboxUnavailableError } from '../../ports/sandbox.ts';
import { type BoundPath, INSIDE_UID, type RootLayout } from './launch-arguments.ts';

/** The name server that slirp4netns offers: the second usable address after its gateway. */
const EGRESS_NAME_SERVER = '10.0.2.3';

/** Certificates for TLS, links that /usr/bin relies on, the loader's cache. Only where the machine has them. */
const SYSTEM_PATHS = ['/etc/ssl/certs', '/etc/pki', '/etc/ca-certificates', '/etc/alternatives', '/etc/ld.so.cache'];
const ROOT_ENTRIES = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
const RESERVED = ['/', '/tmp', '/etc', '/dev', '/proc', '/sys', '/usr', ...ROOT_ENTRIES];

const NONE_FILES = {
  passwd: `run:x:${INSIDE_UID}:${INSIDE_UID}::/tmp:/bin/sh\n`,
  group: `run:x:${INSIDE_UID}:\n`,
  hosts: '127.0.0.1 localhost sandbox\n::1 localhost\n',
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'resolv.conf': '',
};

/** What a launch sees of the machine, apart from its own mounts. Read once: the machine's root does not change while the program runs. */
export interface SystemLayout {
  readonly links: RootLayout['links'];
  readonly paths: readonly BoundPath[];
  /** The folder with the made /etc files of each network mode. */
  readonly etc: string;
}

/** Writes the small made-up /etc under `directory` and looks at the machine's root. */
export async function prepareSystemLayout(directory: string): Promise<SystemLayout> {
  const etc = join(directory, 'etc');
  await writeEtc(join(etc, 'none'), NONE_FILES);
  await writeEtc(join(etc, 'egress'), { ...NONE_FILES, 'resolv.conf': `nameserver ${EGRESS_NAME_SERVER}\n` });
  const links: { path: string; to: string }[] = [];
  const paths: BoundPath[] = [{ source: '/usr', target: '/usr', mode: 'ro' }];
  for (const path of ROOT_ENTRIES) {
    const entry = await lstat(path).catch(() => undefined);
    if (entry?.isSymbolicLink()) links.push({ path, to: await readlink(path) });
    else if (entry?.isDirectory()) paths.push({ source: path, target: path, mode: 'ro' });
  }
  for (const path of SYSTEM_PATHS) {
    const source = await realpath(path).catch(() => undefined);
    if (source) paths.push({ source, target: path, mode: 'ro' });
  }
  return { links, paths, etc };
}

async function writeEtc(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text, { mode: 0o644 });
}

export async function rootLayout(
  system: SystemLayout,
  mounts: readonly Mount[],
  network: NetworkMode,
): Promise<RootLayout> {
  const bound = await Promise.all(mounts.map(boundMount));
  refuseNesting(bound);
  return { links: system.links, system: [...system.paths, ...(await etcFiles(system, network))], mounts: bound };
}

/** Why these mounts would be refused, one by one and, when each is good, together. */
export async function mountProblems(mounts: readonly Mount[]): Promise<readonly string[]> {
  const tried = await Promise.allSettled(mounts.map(boundMount));
  const problems = tried.flatMap((one) => (one.status === 'rejected' ? [reasonOf(one.reason)] : []));
  if (problems.length > 0) return problems;
  try {
    refuseNesting(tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
    return [];
  } catch (error) {
    return [reasonOf(error)];
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function etcFiles(system: SystemLayout, network: NetworkMode): Promise<BoundPath[]> {
  const folder = join(system.etc, network === 'egress' ? 'egress' : 'none');
  const names = Object.keys(NONE_FILES);
  const files = names.map((name): BoundPath => ({ source: join(folder, name), target: `/etc/${name}`, mode: 'ro' }));
  if (network !== 'host') return files;
  return Promise.all(
    files.map(async (file) => {
      const hosts = file.target === '/etc/resolv.conf' || file.target === '/etc/hosts';
      const source = hosts ? await realpath(file.target).catch(() => file.source) : file.source;
      return { ...file, source };
    }),
  );
}

/** Refuses, in words, a mount whose source is missing or not the place it seems to be, and a target that would cover the system. */
async function boundMount(mount: Mount): Promise<BoundPath> {
  const target = mount.target ?? mount.source;
  for (const path of [mount.source, target]) {
    if (!isAbsolute(path) || normalize(path) !== path || path.endsWith('/') || path.includes('\0'))
      throw new SandboxUnavailableError(
        `The mount path ${JSON.stringify(path)} must be absolute and without "..", "//" or "/" at its end.`,
      );
  }
  const real = await realpath(mount.source).catch(() => undefined);
  if (real === undefined) throw new SandboxUnavailableError(`The mount ${mount.source} does not exist.`);
  // A link could have been put there by an earlier run, and root would follow it.
  if (real !== mount.source)
    throw new SandboxUnavailableError(
      `The mount ${mount.source} leads through a link to ${real}: name that path instead.`,
    );
  if (!isMountable(target))
    throw new SandboxUnavailableError(
      `Nothing can be mounted at ${target} in a sandbox: it belongs to the system there.`,
    );
  await stat(real);
  return { source: real, target, mode: mount.mode };
}

function isMountable(target: string): boolean {
  if (RESERVED.includes(target)) return false;
  const made = Object.keys(NONE_FILES).map((name) => `/etc/${name}`);
  if (made.includes(target)) return false;
  return !['/dev/', '/proc/', '/sys/', '/usr/', ...ROOT_ENTRIES.map((entry) => `${entry}/`)].some((prefix) =>
    target.startsWith(prefix),
  );
}

/**
 * A mount inside another one would make the first bubblewrap, which may be root, create its mount point in a tree that a run can fill with
 * links.
 */
function refuseNesting(mounts: readonly BoundPath[]): void {
  for (const outer of mounts) {
    const inner = mounts.find((mount) => mount !== outer && `${mount.target}/`.startsWith(`${outer.target}/`));
    if (inner)
      throw new SandboxUnavailableError(
        `The mounts ${outer.target} and ${inner.target} lie in one another: mount only one of them.`,
      );
  }
}

/** Whether a user who owns nothing may search every folder above the sources. */
export async function isReachable(layout: RootLayout, uid: number): Promise<boolean> {
  const folders = new Set<string>();
  for (const { source } of [...layout.system, ...layout.mounts]) {
    for (let folder = dirname(source); folder !== '/'; folder = dirname(folder)) folders.add(folder);
  }
  const searchable = await Promise.all([...folders].map((folder) => isSearchable(folder, uid)));
  return searchable.every(Boolean);
}

async function isSearchable(folder: string, uid: number): Promise<boolean> {
  const entry = await stat(folder);
  return (entry.mode & (entry.uid === uid ? 0o100 : 0o001)) !== 0;
}
