import { dirname } from 'node:path';
import type { NetworkMode } from '../../ports/sandbox.ts';

/** One thing visible inside. `source` is canonical: no link on the way. */
export interface BoundPath {
  readonly source: string;
  readonly target: string;
  readonly mode: 'ro' | 'rw';
}

export interface RootLayout {
  /** Entries of the machine's root such as /bin, which are links to /usr on today's systems. */
  readonly links: readonly { readonly path: string; readonly to: string }[];
  /** System folders and files, read-only. */
  readonly system: readonly BoundPath[];
  readonly mounts: readonly BoundPath[];
}

/** File descriptors of the held launch; 0 to 2 are the program's own. */
export const OUTER_ARGUMENTS_FD = 3;
export const INNER_ARGUMENTS_FD = 4;
export const INNER_STATUS_FD = 5;
export const SECCOMP_FD = 6;
export const OUTER_STATUS_FD = 7;
export const HOLD_FD = 8;

/** The uid every program sees, whatever uid the slot really has: what is written in its /etc/passwd. */
export const INSIDE_UID = 1000;

/**
 * A bubblewrap in front of the one that makes the sandbox, where one is not enough, as each costs milliseconds.
 * As root: it assembles the file system while every source can still be reached, when the slot's uid may not search the folders above one.
 * As an ordinary user with `ownNetwork`: it makes the network namespace in a user namespace in which its routes can still be set.
 */
export function outerArguments(layout: RootLayout, as: 'root' | 'user', ownNetwork: boolean): string[] {
  return [
    ...(as === 'user' ? ['--unshare-user', '--uid', '0', '--gid', '0', '--cap-add', 'ALL'] : []),
    ...(ownNetwork ? ['--unshare-net'] : []),
    '--die-with-parent',
    '--perms',
    '1777',
    '--dir',
    '/tmp',
    '--dev-bind',
    '/dev',
    '/dev',
    '--bind',
    '/proc',
    '/proc',
    ...rootArguments(layout, (path) => path.source),
    '--json-status-fd',
    String(OUTER_STATUS_FD),
    '--chdir',
    '/',
  ];
}

export interface InnerOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly network: NetworkMode;
  /** The network namespace was already made by the bubblewrap in front. */
  readonly networkMade: boolean;
  /** There was a bubblewrap in front: everything is already at its target. */
  readonly assembled: boolean;
  readonly tmpBytes: number;
  readonly sharedMemoryBytes: number;
}

/**
 * The bubblewrap that makes the sandbox, itself without any privilege: every namespace of its own, no capability, the system call filter, nothing writable
 * but the given mounts and two bounded memory file systems. The environment travels here and not in the launcher's own environment, because
 * /proc/1/environ inside shows that one, and because root's programs must not be steered by a run's LD_* variables.
 */
export function innerArguments(layout: RootLayout, options: InnerOptions): string[] {
  const keepsNetwork = options.network === 'host' || options.networkMade;
  return [
    '--unshare-user',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    ...(keepsNetwork ? [] : ['--unshare-net']),
    '--uid',
    String(INSIDE_UID),
    '--gid',
    String(INSIDE_UID),
    '--hostname',
    'sandbox',
    '--die-with-parent',
    '--new-session',
    '--cap-drop',
    'ALL',
    '--size',
    String(options.tmpBytes),
    '--perms',
    '1777',
    '--tmpfs',
    '/tmp',
    ...deviceArguments(options.sharedMemoryBytes),
    '--proc',
    '/proc',
    ...rootArguments(layout, (path) => (options.assembled ? path.target : path.source)),
    // A memory file system without a bound of its own: whatever could be written there would not count.
    '--remount-ro',
    '/',
    '--clearenv',
    ...Object.entries(options.env).flatMap(([name, value]) => ['--setenv', name, value]),
    '--chdir',
    options.cwd,
    '--json-status-fd',
    String(INNER_STATUS_FD),
    '--seccomp',
    String(SECCOMP_FD),
    '--block-fd',
    String(HOLD_FD),
  ];
}

/** Not `--dev`: its pseudo-terminals make bubblewrap nest a second user namespace, into which slirp4netns cannot follow. */
function deviceArguments(sharedMemoryBytes: number): string[] {
  const devices = ['null', 'zero', 'full', 'random', 'urandom'].map((name) => `/dev/${name}`);
  const links = ['fd:', 'stdin:/0', 'stdout:/1', 'stderr:/2'].map((entry) => entry.split(':'));
  return [
    '--size',
    '65536',
    '--tmpfs',
    '/dev',
    ...devices.flatMap((path) => ['--dev-bind', path, path]),
    ...links.flatMap(([name, fd]) => ['--symlink', `/proc/self/fd${fd}`, `/dev/${name}`]),
    '--size',
    String(sharedMemoryBytes),
    '--perms',
    '1777',
    '--tmpfs',
    '/dev/shm',
    '--remount-ro',
    '/dev',
  ];
}

function rootArguments(layout: RootLayout, source: (path: BoundPath) => string): string[] {
  const paths = [...layout.system, ...layout.mounts];
  return [
    ...layout.links.flatMap((link) => ['--symlink', link.to, link.path]),
    ...foldersAbove(paths).flatMap((folder) => ['--perms', '0755', '--dir', folder]),
    ...paths.flatMap((path) => [path.mode === 'rw' ? '--bind' : '--ro-bind', source(path), path.target]),
  ];
}

/** Named one by one because bubblewrap gives the folders it makes on the way a mode that only root passes. */
function foldersAbove(paths: readonly BoundPath[]): string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let folder = dirname(path.target); folder !== '/'; folder = dirname(folder)) folders.add(folder);
  }
  folders.delete('/tmp');
  return [...folders].sort();
}
