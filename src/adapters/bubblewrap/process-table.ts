import { readdirSync, readFileSync } from 'node:fs';

/** One line of /proc/PID/stat, see proc(5). Everybody may read it, whatever a process does to hide. */
export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  readonly threads: number;
  /** Clock ticks since boot: with the pid it names one process for ever. */
  readonly startedAt: number;
  readonly residentPages: number;
}

/** Synchronous on purpose: /proc is memory, and forty awaits per process cost more than the reading. */
export function readProcesses(): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const row = readProcess(pid);
    if (row) rows.push(row);
  }
  return rows;
}

export function readProcess(pid: number): ProcessRow | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The program's name stands in parentheses and may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    state: fields[0] ?? 'X',
    parent: Number(fields[1]),
    threads: Number(fields[17]),
    startedAt: Number(fields[19]),
    residentPages: Number(fields[21]),
  };
}

/** `root` and everything under it. A process of a pid namespace cannot leave its init's tree: orphans go to that init. */
export function processTree(rows: readonly ProcessRow[], root: number): ProcessRow[] {
  const children = Map.groupBy(rows, (row) => row.parent);
  const tree = rows.filter((row) => row.pid === root);
  for (let at = 0; at < tree.length; at += 1) {
    const row = tree[at];
    if (row) tree.push(...(children.get(row.pid) ?? []));
  }
  return tree;
}

/** The program that a namespace's init started: the first of its children; later ones are orphans that came to it. */
export function firstChild(init: number): number | undefined {
  const children = readProcesses().filter((row) => row.parent === init);
  return children.sort((a, b) => a.startedAt - b.startedAt || a.pid - b.pid)[0]?.pid;
}

/** Processes that have `uid` as real, effective, saved or file system uid. Zombies are not among them. */
export function processesOfUid(uid: number): number[] {
  return readProcesses()
    .filter((row) => row.state !== 'Z' && uidsOf(row.pid).includes(uid))
    .map((row) => row.pid);
}

function uidsOf(pid: number): number[] {
  try {
    const line = /^Uid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '';
    return line.split(/\s+/).map(Number);
  } catch {
    return [];
  }
}
