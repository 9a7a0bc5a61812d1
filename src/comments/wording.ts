import type { PlanCounts, Progress } from '../core/plan.ts';
import type { Requirement } from '../core/project.ts';

/** `1 project`, `3 projects`. */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** `2026-11-21 13:52 UTC`: the same for every reader and however old the comment is. */
export function timeText(instant: Date | string): string {
  const time = new Date(instant);
  return Number.isNaN(time.getTime()) ? 'unknown' : `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** `0.4 s`, `12 s`, `3 min 5 s`, `2 h 4 min`. */
export function durationText(ms: number | undefined): string {
  if (ms === undefined) return '';
  if (ms < 9_950) return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `+2 ~1 -0`, then what is rarer: imports, moves, what Terraform only forgets, outputs when nothing else changes. */
export function countsText(counts: PlanCounts): string {
  const parts = [`+${counts.add} ~${counts.change} -${counts.destroy}`];
  if (counts.import > 0) parts.push(countOf(counts.import, 'import'));
  if (counts.move > 0) parts.push(countOf(counts.move, 'move'));
  if (counts.forget > 0) parts.push(`${counts.forget} forgotten`);
  if (counts.outputs > 0) parts.push(countOf(counts.outputs, 'output'));
  return parts.join(', ');
}

export function isNothing(counts: PlanCounts): boolean {
  return Object.values(counts).every((count) => count === 0);
}

export function sumOfCounts(all: readonly PlanCounts[]): PlanCounts {
  const sum = (of: (counts: PlanCounts) => number) => all.reduce((total, counts) => total + of(counts), 0);
  return {
    add: sum((counts) => counts.add),
    change: sum((counts) => counts.change),
    destroy: sum((counts) => counts.destroy),
    replace: sum((counts) => counts.replace),
    import: sum((counts) => counts.import),
    move: sum((counts) => counts.move),
    forget: sum((counts) => counts.forget),
    outputs: sum((counts) => counts.outputs),
  };
}

/** What an apply asks the host, for people who have not asked yet. */
export const REQUIREMENTS: Readonly<Record<Requirement, string>> = {
  approved: 'an approval by somebody with write permission who is neither the author nor the last to push',
  mergeable: 'that the host would merge it now, whatever it says of our own checks',
  undiverged: 'that the base branch has not moved in files of the project since the plan',
};

const PHASES: Readonly<Record<Progress['phase'], string>> = {
  queued: 'waiting',
  checkout: 'checking out',
  init: 'initialising',
  plan: 'planning',
  show: 'reading the plan',
  verify: 'checking that the plan still holds',
  apply: 'applying',
  custom: 'running custom steps',
};
const BAR_CELLS = 10;

/** `▰▰▰▱▱▱▱▱▱▱`; undefined while the total is not known. */
export function progressBar(progress: Progress): string | undefined {
  const { done, total } = progress;
  if (total === undefined || total <= 0) return undefined;
  const full = Math.min(BAR_CELLS, Math.max(0, Math.floor((done / total) * BAR_CELLS)));
  return '▰'.repeat(full) + '▱'.repeat(BAR_CELLS - full);
}

/** `refreshed 12 of 40`, `applied 3 of 9`, or the name of a phase that has no count. */
export function progressText(progress: Progress): string {
  const counted = { plan: 'refreshed', verify: 'refreshed', apply: 'applied' } as Readonly<Record<string, string>>;
  const verb = counted[progress.phase];
  if (verb === undefined || (progress.total === undefined && progress.done === 0)) return PHASES[progress.phase];
  if (progress.total === undefined) return `${verb} ${progress.done}`;
  return `${verb} ${Math.min(progress.done, progress.total)} of ${progress.total}`;
}

/** Terraform's `action_reason` (JSON output format 1.2) in words; an unknown one is shown as it is, without underscores. */
export function reasonText(reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : (REASONS[reason] ?? reason.replaceAll('_', ' '));
}

const REASONS: Readonly<Record<string, string>> = {
  replace_because_tainted: 'it is tainted',
  replace_because_cannot_update: 'it cannot be updated in place',
  replace_by_request: 'asked for with -replace',
  replace_by_triggers: 'replace_triggered_by',
  delete_because_no_resource_config: 'it is not in the configuration any more',
  delete_because_no_module: 'its module is not in the configuration any more',
  delete_because_no_move_target: 'what it was moved to is not in the configuration',
  delete_because_wrong_repetition: 'count or for_each was added or taken away',
  delete_because_count_index: 'its index is beyond count',
  delete_because_each_key: 'its key is not in for_each any more',
};
