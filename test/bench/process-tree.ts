import { readdir, readFile } from 'node:fs/promises';

/**
 * The proportional set sizes of a process and everything under it, bytes: pages that several processes share are divided among them, so the
 * sum is what the tree really takes. Processes that end meanwhile count nothing. See proc(5), smaps_rollup.
 */
export async function treeMemory(root: number): Promise<number> {
  const pids = await treeOf(root);
  const sizes = await Promise.all(pids.map(proportionalBytes));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function treeOf(root: number): Promise<readonly number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => '');
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
  }
  const tree = [root];
  for (const at of tree) for (const [pid, parent] of parents) if (parent === at) tree.push(pid);
  return tree;
}

async function proportionalBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1').catch(() => '');
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}
