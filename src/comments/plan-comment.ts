import { mostDetailed } from './detail-level.ts';
import { hiddenMarker } from './hidden-marker.ts';
import { harmlessDiff, harmlessOutput } from './output-text.ts';
import { planSummary } from './plan-summary.ts';
import { importance } from './project-result.ts';
import { renderSections, type Section } from './sections.ts';
import { fillTidy } from './templates.ts';
import type { PlanCommentView, ProjectRowView, Triggers } from './view.ts';
import { countsText } from './wording.ts';

/** What the comment starts with: an HTML comment that nobody sees. It counts only where we are the author. */
export function planMarker(id: string): string {
  return hiddenMarker('plan', id);
}

/**
 * The one comment of a pull request, of at most `limit` UTF-16 units (2,000 or more). The summary goes first: it is told in
 * fewer words when room is short and says so; then the longest texts are cut, each with a link to all of it.
 */
export function renderPlanComment(view: PlanCommentView, options: { readonly limit: number }): string {
  return render(view, options.limit, planMarker(view.id));
}

/** The same without marker, for a check run's summary. */
export function renderPlanReport(view: PlanCommentView, options: { readonly limit: number }): string {
  return render(view, options.limit, undefined);
}

function render(view: PlanCommentView, limit: number, marker: string | undefined): string {
  const summary = mostDetailed(limit, (level) => {
    const model = { ...planSummary(view, level), marker };
    const top = fillTidy('plan-comment', model);
    const end = fillTidy('plan-comment-end', model);
    return { top, end, length: top.length + end.length + 2 };
  });
  const sections = renderSections(
    view.projects.flatMap((project) => sectionsOf(project, view.triggers)),
    limit - summary.length,
    view.pageUrl,
  );
  return [summary.top, sections, summary.end]
    .filter((part) => part !== '')
    .join('\n')
    .trimEnd();
}

function sectionsOf(project: ProjectRowView, triggers: Triggers): Section[] {
  const common = { title: project.title, url: project.url };
  return [...failureOf(project, triggers), ...planOf(project, triggers)].map((section) => ({ ...common, ...section }));
}

type Part = Omit<Section, 'title' | 'url'>;

function failureOf(project: ProjectRowView, triggers: Triggers): Part[] {
  if (project.state.kind !== 'failed') return [];
  const text = harmlessOutput(project.errorText ?? errorsOf(project), triggers);
  if (text === '' && project.explanation === undefined) return [];
  const note = `${project.state.operation} failed`;
  return [{ note, open: true, explanation: project.explanation, text, info: 'text', rank: 0 }];
}

function errorsOf(project: ProjectRowView): string {
  const errors = project.diagnostics.filter(({ severity }) => severity === 'error');
  return errors
    .map(({ summary, detail, location }) => [`Error: ${summary}`, location, detail].filter(Boolean).join('\n'))
    .join('\n\n');
}

/** States in which the plan on record says nothing that would help. */
const WITHOUT_PLAN = new Set<ProjectRowView['state']['kind']>(['no_changes', 'discarded']);

function planOf(project: ProjectRowView, triggers: Triggers): Part[] {
  const { state, planText, plan } = project;
  const beingPlanned =
    (state.kind === 'queued' || state.kind === 'running' || state.kind === 'failed') && state.operation === 'plan';
  if (planText === undefined || planText.trim() === '' || WITHOUT_PLAN.has(state.kind) || beingPlanned) return [];
  const note = plan === undefined ? '' : countsText(plan.counts);
  const rank = 1 + importance(project);
  return [{ note, open: false, explanation: undefined, text: harmlessDiff(planText, triggers), info: 'diff', rank }];
}
