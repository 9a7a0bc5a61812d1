/** Linux follows at most 40 links for one path (path_resolution(7)); more is a loop. */
const MAX_FOLLOWED = 40;
/** Parts looked at for one link; far above any honest path, and a bound on what a hostile tree can make us do. */
const MAX_PARTS = 1_000;

const TOO_MANY = 'a symlink among so many that they cannot all be followed';

/** What all links of one tree may take together; counted down. An honest repository needs a few hundred. */
export interface LinkBudget {
  parts: number;
}

/**
 * Why a symlink may not be written, in words; undefined when it stays inside. Followed as the kernel would, part by
 * part through the other links of the same tree, so that `a -> b/..` is judged by where `b` leads. At no point may it
 * be above the top, not even to come back.
 */
export function refuseLink(path: string, targets: ReadonlyMap<string, string>, budget: LinkBudget): string | undefined {
  if (budget.parts < 0) return TOO_MANY;
  const at = path.split('/').slice(0, -1);
  const target = targets.get(path) ?? '';
  if (target === '') return 'a symlink that leads nowhere';
  const pending: string[] = [];
  if (!push(pending, target, budget)) return 'a symlink to an absolute path';
  let followed = 0;
  for (let parts = 0; pending.length > 0; parts += 1) {
    if (parts > MAX_PARTS) return 'a symlink whose way is too long to follow';
    if (budget.parts < 0) return TOO_MANY;
    const part = pending.pop() ?? '';
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at.pop() === undefined) return 'a symlink that leaves the repository';
      continue;
    }
    at.push(part);
    const through = targets.get(at.join('/'));
    if (through === undefined) continue;
    followed += 1;
    if (followed > MAX_FOLLOWED) return 'a symlink that goes in circles';
    at.pop();
    if (!push(pending, through, budget)) return 'a symlink that leads through one to an absolute path';
  }
  return undefined;
}

/** Puts a target's parts on the stack of what is still to be walked; false for an absolute one. */
function push(pending: string[], target: string, budget: LinkBudget): boolean {
  if (target.startsWith('/')) return false;
  const parts = target.split('/', MAX_PARTS + 1);
  budget.parts -= parts.length;
  for (let index = parts.length - 1; index >= 0; index -= 1) pending.push(parts[index] ?? '');
  return true;
}
