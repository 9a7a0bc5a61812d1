import { oneLine } from '../lib/markdown-text.ts';
import { renderPlanReport } from './plan-comment.ts';
import { headline } from './project-result.ts';
import { canBeApplied } from './suggested-commands.ts';
import type { CheckRunView, PlanCommentView } from './view.ts';

const LONGEST_TITLE = 255;

/**
 * The check run of a pull request. Buttons are shown by the host once the run is completed, three at most; labels are kept
 * within 20, descriptions within 40 and identifiers within 20 characters (GitHub's REST description, checks/create).
 */
export function renderCheckRun(view: PlanCommentView, options: { readonly limit: number }): CheckRunView {
  return {
    title: oneLine(headline(view.projects), LONGEST_TITLE),
    summary: renderPlanReport(view, options),
    actions: buttonsOf(view),
  };
}

function buttonsOf(view: PlanCommentView): CheckRunView['actions'] {
  if (view.pullState !== 'open' || view.projects.length === 0) return [];
  const ready = view.projects.filter(canBeApplied).length;
  const apply = {
    label: ready === 1 ? 'Apply' : 'Apply all',
    description: `Apply ${ready === 1 ? 'the plan' : `all ${ready} plans`}`,
    identifier: 'apply',
  } as const;
  const plan = { label: 'Plan again', description: 'Plan every project again', identifier: 'plan' } as const;
  const unlock = { label: 'Unlock', description: 'Give up the plans and their locks', identifier: 'unlock' } as const;
  return ready > 0 ? [apply, plan, unlock] : [plan, unlock];
}
