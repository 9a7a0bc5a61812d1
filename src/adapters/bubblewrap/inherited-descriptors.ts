import { openSync, readdirSync, readFileSync } from 'node:fs';

/** The close-on-exec flag in /proc/self/fdinfo/N, octal: see proc_pid_fdinfo(5). */
const CLOSE_ON_EXEC = 0o2000000;

export interface CoveredDescriptor {
  readonly fd: number;
  /** What the child gets in its place. */
  readonly cover: number;
}

let covered: readonly CoveredDescriptor[] | undefined;

/**
 * Descriptors from `first` on that this program was started with and would hand on to every child: a supervisor's socket or pipe. Node closes
 * only the first ones. As they cannot be closed, they are covered by /dev/null. They never become more, so they are looked for once.
 */
export function inheritedDescriptors(first: number): readonly CoveredDescriptor[] {
  covered ??= findInherited();
  return covered.filter((entry) => entry.fd >= first);
}

function findInherited(): CoveredDescriptor[] {
  const found = readdirSync('/proc/self/fd').map(Number).filter(isInherited);
  if (found.length === 0) return [];
  const cover = openSync('/dev/null', 'r+');
  return found.map((fd) => ({ fd, cover }));
}

function isInherited(fd: number): boolean {
  if (fd <= 2) return false;
  try {
    const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    return false; // It was the descriptor of the listing itself.
  }
}
