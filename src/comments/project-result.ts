import type { ProjectRowView } from './view.ts';
import { countOf, progressBar, progressText } from './wording.ts';

/** What became of one project so far. `bar` is there while the extent of the work is known. */
export interface ProjectResult {
  readonly icon: string;
  readonly text: string;
  readonly bar: string | undefined;
}

const just = (icon: string, text: string): ProjectResult => ({ icon, text, bar: undefined });

export function projectResult({ state, lock }: Pick<ProjectRowView, 'state' | 'lock'>): ProjectResult {
  switch (state.kind) {
    case 'queued':
      return just('⏳', state.position === undefined ? 'queued' : `queued, number ${state.position} in line`);
    case 'running':
      return { icon: '⏳', text: progressText(state.progress), bar: progressBar(state.progress) };
    case 'planned':
      return lock === undefined ? just('✅', 'planned') : just('🔒', 'planned, but locked');
    case 'plan_only':
      return just('👀', 'planned, never applied here');
    case 'no_changes':
      return just('✅', 'no changes');
    case 'applied':
      return just('✅', 'applied');
    case 'failed':
      return just('❌', `${state.operation} failed`);
    case 'cancelled':
      return just('⏹️', `${state.operation} cancelled`);
    case 'interrupted':
      return just('⚠️', 'apply interrupted, outcome unknown');
    case 'outdated':
      return just('⚠️', 'plan outdated');
    case 'discarded':
      return just('🗑️', 'plan given up');
  }
}

/** Groups of states as the headline counts them, in the order in which they are told. */
const GROUPS: readonly (readonly [words: string, has: (project: ProjectRowView) => boolean])[] = [
  ['interrupted', ({ state }) => state.kind === 'interrupted'],
  ['failed', ({ state }) => state.kind === 'failed'],
  ['running', ({ state }) => state.kind === 'running'],
  ['queued', ({ state }) => state.kind === 'queued'],
  ['to apply', ({ state, lock }) => state.kind === 'planned' && lock === undefined],
  ['locked', ({ state, lock }) => state.kind === 'planned' && lock !== undefined],
  ['only planned', ({ state }) => state.kind === 'plan_only'],
  ['applied', ({ state }) => state.kind === 'applied'],
  ['without changes', ({ state }) => state.kind === 'no_changes'],
  ['outdated', ({ state }) => state.kind === 'outdated'],
  ['cancelled', ({ state }) => state.kind === 'cancelled'],
  ['given up', ({ state }) => state.kind === 'discarded'],
];

/** `3 projects: 1 failed, 2 to apply`. */
export function headline(projects: readonly ProjectRowView[]): string {
  if (projects.length === 0) return 'No project to plan';
  const counted = GROUPS.map(([words, has]) => [projects.filter(has).length, words] as const).filter(
    ([count]) => count > 0,
  );
  return `${countOf(projects.length, 'project')}: ${counted.map(([count, words]) => `${count} ${words}`).join(', ')}`;
}

/** Lower is more important: where there is room for some projects only, these are told first. */
export function importance(project: ProjectRowView): number {
  const at = GROUPS.findIndex(([, has]) => has(project));
  const destroys = (project.plan?.counts.destroy ?? 0) > 0 ? 0 : 0.5;
  return (at === -1 ? GROUPS.length : at) + destroys;
}
