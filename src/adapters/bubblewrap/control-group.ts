import { access, constants, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SlotLimits } from '../../ports/sandbox.ts';

/** The sandbox's init counts in the group. */
const OWN_PROCESSES = 1;
const EMPTY_PATIENCE_MS = 5_000;

/** How often a limit was hit since the group was made. */
export interface GroupEvents {
  readonly memory: number;
  readonly processes: number;
}

/** Folders in which groups can be made: one on cgroup v2, one for each controller on v1. See cgroups(7). */
export interface GroupPlace {
  readonly version: 1 | 2;
  readonly memory: string;
  readonly pids: string;
}

/** One slot's control group: the limits count for all its processes together, and the kernel holds them. */
export class ControlGroup {
  readonly #place: GroupPlace;

  private constructor(place: GroupPlace) {
    this.#place = place;
  }

  /** Makes the group under `place`; one of the same name that a dead program left is emptied and used again. */
  static async create(place: GroupPlace, name: string, limits: SlotLimits): Promise<ControlGroup> {
    const own = { ...place, memory: join(place.memory, name), pids: join(place.pids, name) };
    const group = new ControlGroup(own);
    await group.remove();
    for (const folder of group.#folders()) await mkdir(folder);
    const memory = String(limits.memoryBytes);
    if (place.version === 2) {
      await writeFile(join(own.memory, 'memory.max'), memory);
      await writeFile(join(own.memory, 'memory.swap.max'), '0').catch(() => {}); // Absent where the kernel does not count swap.
    } else {
      await writeFile(join(own.memory, 'memory.limit_in_bytes'), memory);
      await writeFile(join(own.memory, 'memory.memsw.limit_in_bytes'), memory).catch(() => {}); // The same.
    }
    await writeFile(join(own.pids, 'pids.max'), String(limits.processes + OWN_PROCESSES));
    return group;
  }

  async add(pid: number): Promise<void> {
    await Promise.all(this.#folders().map((folder) => writeFile(join(folder, 'cgroup.procs'), String(pid))));
  }

  async events(): Promise<GroupEvents> {
    const memoryFile = this.#place.version === 2 ? 'memory.events' : 'memory.oom_control';
    const [memory, processes] = await Promise.all([
      readCount(join(this.#place.memory, memoryFile), 'oom_kill'),
      readCount(join(this.#place.pids, 'pids.events'), 'max'),
    ]);
    return { memory, processes };
  }

  /** Kills what is left in it and removes it. Nothing happens when it does not exist. */
  async remove(): Promise<void> {
    for (const folder of this.#folders()) await removeGroup(folder);
  }

  #folders(): string[] {
    return [...new Set([this.#place.memory, this.#place.pids])];
  }
}

async function removeGroup(folder: string): Promise<void> {
  const deadline = Date.now() + EMPTY_PATIENCE_MS;
  for (;;) {
    const members = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => undefined);
    if (members === undefined) return;
    for (const pid of members.split('\n').filter(Boolean)) killQuietly(Number(pid));
    const gone = await rmdir(folder).then(
      () => true,
      () => false,
    );
    if (gone) return;
    if (Date.now() > deadline) throw new Error(`The control group ${folder} does not become empty.`);
    await delay(5);
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

async function readCount(path: string, name: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

/**
 * Where this program may make groups, or why it may not. Only below its own group (or beside it, where a service manager put it into a
 * group of its own named "server", as systemd's `DelegateSubgroup=server` does): anything else would escape limits that were set for us.
 */
export async function findGroupPlace(): Promise<GroupPlace | { readonly why: string }> {
  const own = parseOwnGroups(await readFile('/proc/self/cgroup', 'utf8').catch(() => ''));
  const mounts = parseGroupMounts(await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''));
  const v1 = { memory: locate(own, mounts, 'memory'), pids: locate(own, mounts, 'pids') };
  if (v1.memory && v1.pids) {
    const writable = (await isWritable(v1.memory)) && (await isWritable(v1.pids));
    return writable
      ? { version: 1, memory: v1.memory, pids: v1.pids }
      : { why: 'the control groups belong to another user' };
  }
  const unified = locate(own, mounts, '');
  if (!unified) return { why: 'no control groups are mounted' };
  return findUnifiedPlace(unified);
}

async function findUnifiedPlace(unified: string): Promise<GroupPlace | { readonly why: string }> {
  const beside = unified.endsWith('/server') ? [join(unified, '..')] : [];
  for (const folder of [...beside, unified]) {
    if (!(await isWritable(folder))) continue;
    const control = join(folder, 'cgroup.subtree_control');
    await writeFile(control, '+memory +pids').catch(() => {}); // Whether it worked is read next.
    const controllers = (await readFile(control, 'utf8').catch(() => '')).trim().split(' ');
    if (controllers.includes('memory') && controllers.includes('pids'))
      return { version: 2, memory: folder, pids: folder };
  }
  return { why: 'this program was not given a control group of its own to divide' };
}

async function isWritable(folder: string): Promise<boolean> {
  return access(join(folder, 'cgroup.procs'), constants.W_OK)
    .then(() => access(folder, constants.W_OK))
    .then(
      () => true,
      () => false,
    );
}

/** controller -> path; '' is the unified hierarchy. */
export function parseOwnGroups(text: string): Map<string, string> {
  const groups = new Map<string, string>();
  for (const line of text.split('\n').filter(Boolean)) {
    const [, controllers = '', ...path] = line.split(':');
    for (const controller of controllers.split(',')) groups.set(controller, path.join(':'));
  }
  return groups;
}

interface GroupMount {
  readonly root: string;
  readonly point: string;
}

/** The same keys as `parseOwnGroups`. Format: proc_pid_mountinfo(5). */
export function parseGroupMounts(text: string): Map<string, GroupMount> {
  const mounts = new Map<string, GroupMount>();
  for (const line of text.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '', point = ''] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    if (type === 'cgroup2') mounts.set('', { root, point });
    if (type === 'cgroup') for (const option of options.split(',')) mounts.set(option, { root, point });
  }
  return mounts;
}

function locate(own: Map<string, string>, mounts: Map<string, GroupMount>, controller: string): string | undefined {
  const path = own.get(controller);
  const mount = mounts.get(controller);
  if (path === undefined || !mount) return undefined;
  // In a container the mount shows only a part of the tree.
  const inside = mount.root !== '/' && path.startsWith(mount.root) ? path.slice(mount.root.length) : path;
  return join(mount.point, inside);
}
