import { formatCommand } from '../core/command.ts';
import { defuse } from '../lib/defuse.ts';
import { stripControl } from '../lib/strip-control.ts';
import type { PlanCommentView, ProjectRowView } from './view.ts';

export interface SuggestedCommand {
  readonly purpose: string;
  readonly command: string;
}

const MOST_COMMANDS = 3;
const LONGEST_COMMAND = 120;

/** Whether `apply` would find a plan here that it could take. */
export function canBeApplied(project: Pick<ProjectRowView, 'state' | 'lock'>): boolean {
  return project.state.kind === 'planned' && project.lock === undefined;
}

function isBusy(project: ProjectRowView): boolean {
  return project.state.kind === 'queued' || project.state.kind === 'running';
}

/** The two or three commands that make sense now. */
export function suggestedCommands(
  view: Pick<PlanCommentView, 'pullState' | 'projects' | 'triggers' | 'requirements'>,
): SuggestedCommand[] {
  if (view.pullState !== 'open' || view.projects.length === 0) return [];
  if (view.projects.some(isBusy)) return [{ purpose: 'Stop what is running', command: `${view.triggers[0]} cancel` }];
  const candidates = [...interruptedFirst(view), ...applying(view), ...planning(view), ...unlocking(view)];
  return candidates.filter((candidate) => canBeTyped(candidate.command)).slice(0, MOST_COMMANDS);
}

type Situation = Pick<PlanCommentView, 'projects' | 'triggers' | 'requirements'>;

function interruptedFirst({ projects, triggers }: Situation): SuggestedCommand[] {
  const interrupted = projects.find((project) => project.state.kind === 'interrupted');
  if (interrupted === undefined) return [];
  return [
    { purpose: 'See what the interrupted apply left behind', command: formatCommand(triggers[0], 'plan', interrupted) },
  ];
}

function applying({ projects, triggers, requirements }: Situation): SuggestedCommand[] {
  const ready = projects.filter(canBeApplied);
  const [first] = ready;
  if (first === undefined) return [];
  const isAsked = requirements.length > 0 || ready.some(({ applyRequirements }) => applyRequirements.length > 0);
  const then = isAsked ? ', when nothing is missing any more' : '';
  const all = {
    purpose: `Apply ${ready.length === 1 ? 'the plan' : `all ${ready.length} plans`}${then}`,
    command: `${triggers[0]} apply`,
  };
  if (ready.length === 1) return [all];
  return [all, { purpose: 'Apply one of them', command: formatCommand(triggers[0], 'apply', first) }];
}

function planning({ projects, triggers }: Situation): SuggestedCommand[] {
  const failed = projects.filter((project) => project.state.kind === 'failed' && project.state.operation === 'plan');
  const [first] = failed;
  if (first !== undefined && failed.length === 1 && projects.length > 1) {
    return [{ purpose: 'Plan the failed project again', command: formatCommand(triggers[0], 'plan', first) }];
  }
  return [{ purpose: 'Plan again', command: `${triggers[0]} plan` }];
}

function unlocking({ projects, triggers }: Situation): SuggestedCommand[] {
  const holds = projects.some((project) => project.lock === undefined && project.state.kind !== 'discarded');
  return holds ? [{ purpose: 'Give up the plans and their locks', command: `${triggers[0]} unlock` }] : [];
}

/** A command is for copying, so it is shown as it is or not at all: a directory called `@someone` would have to be defused. */
function canBeTyped(command: string): boolean {
  return command.length <= LONGEST_COMMAND && defuse(stripControl(command)) === command && !/[`\n]/.test(command);
}
