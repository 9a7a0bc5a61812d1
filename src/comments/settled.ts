import type { LeftOut } from '../core/reply.ts';
import type { DetailLevel } from './detail-level.ts';

/** More than this many projects are only counted. */
const MOST_NAMES = 10;

/** What `settled.hbs` is filled from: projects in which an apply found nothing left to do. */
export function settledOf({ applied, unchanged }: Pick<LeftOut, 'applied' | 'unchanged'>, level: DetailLevel) {
  const told = (titles: readonly string[]) => ({
    count: titles.length,
    names: titles.length <= Math.min(MOST_NAMES, level.items) ? titles : [],
  });
  return { applied: told(applied), unchanged: told(unchanged) };
}
