import { oneLine } from '../lib/markdown-text.ts';
import { type DetailLevel, firstOf } from './detail-level.ts';
import { headline, importance, projectResult } from './project-result.ts';
import { canBeApplied, suggestedCommands } from './suggested-commands.ts';
import type { PlanCommentView, ProjectRowView } from './view.ts';
import { countOf, countsText, durationText, isNothing, REQUIREMENTS, reasonText, sumOfCounts } from './wording.ts';

/** What `plan-comment.hbs` and `plan-comment-end.hbs` are filled from, at one level of detail. */
export function planSummary(view: PlanCommentView, level: DetailLevel) {
  const shown = rowsToShow(view.projects, level.rows);
  return {
    ...level,
    pullNumber: view.pullNumber,
    headline: headlineOf(view),
    totals: totalsOf(view.projects),
    commit: view.headSha.slice(0, 7),
    baseRef: view.baseRef,
    mergeNote: view.mergeNote,
    full: level.columns === 'full',
    rows: shown.map(tableRow),
    moreRows: view.projects.length - shown.length,
    shortened: level.columns !== 'full' || shown.length < view.projects.length,
    drifting: { ...firstOf(view.drifting, level.items), total: view.drifting.length },
    notes: firstOf(view.projects.flatMap(notesOf), level.items),
    destroys: destroysOf(view.projects, level),
    warnings: firstOf(view.projects.flatMap(warningsOf), level.items),
    removedRoots: firstOf(view.removedRoots, level.items),
    explanations: firstOf(view.explanations, level.items),
    configProblems: firstOf(view.configProblems, level.items),
    requirements: firstOf(view.requirements, level.items),
    demands: level.items === 0 ? [] : demandsOf(view.projects),
    commands: suggestedCommands(view),
    sandboxNone: view.sandbox === 'none',
    pageUrl: view.pageUrl,
  };
}

/** Without a project it says why there is none. */
function headlineOf({ projects, conflicting, configProblems, baseRef }: PlanCommentView): string {
  if (conflicting === true) return `Conflicts with ${oneLine(baseRef)}`;
  if (projects.length === 0 && configProblems.length > 0) return 'The configuration has problems';
  return headline(projects);
}

/** In their own order; when there are too many, the more important ones. */
function rowsToShow(projects: readonly ProjectRowView[], count: number): readonly ProjectRowView[] {
  if (projects.length <= count) return projects;
  const chosen = new Set(projects.toSorted((a, b) => importance(a) - importance(b)).slice(0, count));
  return projects.filter((project) => chosen.has(project));
}

function totalsOf(projects: readonly ProjectRowView[]): string | undefined {
  const plans = projects.flatMap((project) => (project.plan === undefined ? [] : [project.plan.counts]));
  const sum = sumOfCounts(plans);
  return isNothing(sum) ? undefined : countsText(sum);
}

function tableRow(project: ProjectRowView) {
  const counts = project.plan?.counts;
  return {
    title: project.title,
    result: projectResult(project),
    changes: counts === undefined || isNothing(counts) ? '' : countsText(counts),
    replace: counts === undefined || counts.replace === 0 ? '' : String(counts.replace),
    time: durationText(project.durationMs),
    url: project.url,
  };
}

/** What the table has no room for: why something did not start or cannot be applied, and what a plan would undo. */
function notesOf(project: ProjectRowView) {
  const { title, state, lock, wouldUndo, explanation } = project;
  const reason = state.kind === 'outdated' ? state.reason : undefined;
  const drifted = project.plan?.drifted.length ?? 0;
  const drift = drifted === 0 ? undefined : countOf(drifted, 'resource');
  const said = state.kind === 'failed' ? undefined : explanation;
  const note = { title, lock, wouldUndo, reason, drift, explanation: said, interrupted: state.kind === 'interrupted' };
  const isEmpty = [lock, wouldUndo, reason, drift, said].every((part) => part === undefined) && !note.interrupted;
  return isEmpty ? [] : [note];
}

const LOSSES: Readonly<Record<string, string>> = { delete: 'destroy', replace: 'replace', forget: 'forget' };

const NEVER_TO_COME = new Set<ProjectRowView['state']['kind']>(['applied', 'discarded', 'plan_only']);

/** What would be lost, by address, of the plans that are still to be applied. */
function destroysOf(projects: readonly ProjectRowView[], level: DetailLevel) {
  const open = projects.filter(({ state }) => !NEVER_TO_COME.has(state.kind));
  const losses = open.flatMap(({ title, plan }) =>
    (plan?.changes ?? []).flatMap(({ address, action, reason }) => {
      const verb = LOSSES[action];
      return verb === undefined ? [] : [{ verb, title: oneLine(title), address, reason: reasonText(reason) }];
    }),
  );
  const counted = Object.values(LOSSES).map(
    (verb) => [losses.filter((loss) => loss.verb === verb).length, verb] as const,
  );
  return {
    ...firstOf(losses, level.destroys),
    total: losses.length,
    severe: losses.some(({ verb }) => verb !== 'forget'),
    severalProjects: projects.length > 1,
    words: counted
      .flatMap(([count, verb]) => (count === 0 ? [] : [`${verb} ${countOf(count, 'resource')}`]))
      .join(', '),
  };
}

/** Titles are named only where not every project that could be applied asks for the same. */
const MOST_TITLES = 3;

/** What an apply of the plans that could be applied will ask the host. */
function demandsOf(projects: readonly ProjectRowView[]) {
  const ready = projects.filter(canBeApplied);
  return Object.entries(REQUIREMENTS).flatMap(([requirement, text]) => {
    const asking = ready.filter(({ applyRequirements }) => applyRequirements.some((one) => one === requirement));
    if (asking.length === 0) return [];
    const some = asking.length === ready.length ? [] : asking.map(({ title }) => title);
    return [{ text, only: firstOf(some, MOST_TITLES) }];
  });
}

function warningsOf(project: ProjectRowView) {
  const { title, plan, diagnostics } = project;
  const warnings = diagnostics.filter(({ severity }) => severity === 'warning');
  return [
    ...warnings.map(({ summary, location, address }) => ({ title, summary, place: location ?? address })),
    ...(plan?.checks ?? []).map((check) => ({ title, summary: check, place: undefined })),
  ];
}
