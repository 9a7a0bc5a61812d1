import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

const FORMAT = /:(\d+):([0-9a-f]{8})-(\d+)$/;

/**
 * Names this process among all workers: `machine:pid:place-start`. Place is a hash of the boot and the pid namespace, start the moment
 * the process was started in clock ticks (proc(5), field 22 of stat), so that a reused pid is another name.
 */
export function createWorkerId(): string {
  return `${hostname()}:${process.pid}:${place()}-${readProcess(process.pid)?.start ?? '0'}`;
}

/**
 * Whether a worker ran where this process runs and is gone for certain. False when it lives, and when that cannot be seen from here:
 * another machine, another container, another boot.
 */
export function isGoneFromHere(workerId: string): boolean {
  const [, pid = '', itsPlace = '', start = ''] = FORMAT.exec(workerId) ?? [];
  if (pid === '' || itsPlace !== place()) return false;
  if (!exists(Number(pid))) return true;
  const found = readProcess(Number(pid));
  // Hidden from us (hidepid), so it is not for us to say.
  if (found === undefined) return false;
  return found.start !== start || found.ended;
}

let knownPlace: string | undefined;

/** Random where there is no /proc: then nobody's death is certain to anybody, and leases have to run out. */
function place(): string {
  knownPlace ??= readPlace();
  return knownPlace;
}

function readPlace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
    return createHash('sha256')
      .update(`${boot}${readlinkSync('/proc/self/ns/pid')}`)
      .digest('hex')
      .slice(0, 8);
  } catch {
    return randomUUID().slice(0, 8);
  }
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function readProcess(pid: number): { readonly start: string; readonly ended: boolean } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { start: fields[19] ?? '', ended: fields[0] === 'Z' || fields[0] === 'X' };
  } catch {
    return undefined;
  }
}
