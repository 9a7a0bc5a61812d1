import { type DetailLevel, firstOf, mostDetailed } from './detail-level.ts';
import { hiddenMarker } from './hidden-marker.ts';
import { harmlessOutput } from './output-text.ts';
import { settledOf } from './settled.ts';
import { renderSections, type Section } from './sections.ts';
import { fillTidy } from './templates.ts';
import type { ApplyReplyView, ApplyResultView, ApplyRowView, Triggers } from './view.ts';
import { countOf, countsText, durationText } from './wording.ts';

/** What became of one `apply`, as a new comment of at most `limit` UTF-16 units (2,000 or more); outputs are cut before the summary is. */
export function renderApplyReply(
  view: ApplyReplyView,
  options: { readonly limit: number; readonly id: string },
): string {
  const marker = hiddenMarker('reply', options.id);
  const summary = mostDetailed(options.limit, (level) => {
    const model = { ...summaryOf(view, level), marker };
    const top = fillTidy('apply-reply', model);
    const end = fillTidy('apply-reply-end', model);
    return { top, end, length: top.length + end.length + 2 };
  });
  const sections = view.projects.flatMap((project) => applySection(project, view.triggers));
  const rendered = renderSections(sections, options.limit - summary.length, view.pageUrl);
  return [summary.top, rendered, summary.end]
    .filter((part) => part !== '')
    .join('\n')
    .trimEnd();
}

const RESULTS: Readonly<Record<ApplyResultView['kind'], readonly [icon: string, text: string, many: string]>> = {
  failed: ['❌', 'apply failed', 'failed'],
  interrupted: ['⚠️', 'interrupted, outcome unknown', 'interrupted'],
  difference: ['✋', 'not applied: it is not what was approved any more', 'not what was approved any more'],
  skipped: ['⏭️', 'not started', 'not started'],
  cancelled: ['⏹️', 'cancelled', 'cancelled'],
  applied: ['✅', 'applied', 'applied'],
  no_changes: ['✅', 'nothing to apply', 'with nothing to apply'],
};

function summaryOf(view: ApplyReplyView, level: DetailLevel) {
  const shown = firstOf(view.projects, level.rows);
  return {
    ...level,
    headline: headlineOf(view),
    actor: view.actor,
    commit: view.headSha.slice(0, 7),
    trigger: view.triggers[0],
    full: level.columns === 'full',
    rows: shown.items.map(rowOf),
    moreRows: shown.more,
    differences: firstOf(
      view.projects.flatMap((project) => differencesOf(project, 'difference')),
      level.destroys,
    ),
    overridden: firstOf(
      view.projects.flatMap((project) => differencesOf(project, 'applied')),
      level.destroys,
    ),
    notes: firstOf(view.projects.flatMap(noteOf), level.items),
    leftOut: firstOf(view.leftOut.unmet, level.items),
    settled: settledOf(view.leftOut, level),
    stillPlanned: firstOf(view.stillPlanned, level.items),
    merged: view.merge?.kind === 'merged',
    notMerged: view.merge?.kind === 'not_merged' ? view.merge.reason : undefined,
    pageUrl: view.pageUrl,
  };
}

function headlineOf({ projects, leftOut }: ApplyReplyView): string {
  const kinds = Object.keys(RESULTS) as ApplyResultView['kind'][];
  const counted = kinds.map(
    (kind) => [projects.filter(({ result }) => result.kind === kind).length, RESULTS[kind][2]] as const,
  );
  const words = counted.flatMap(([count, text]) => (count === 0 ? [] : [`${count} ${text}`]));
  const left = leftOut.unmet.length;
  if (left > 0) words.push(`${left} left out`);
  return `${countOf(projects.length + left, 'project')}: ${words.join(', ')}`;
}

function rowOf({ title, result, durationMs, url }: ApplyRowView) {
  const [icon, text] = RESULTS[result.kind];
  const changes = result.kind === 'applied' ? countsText(result.counts) : '';
  return { title, icon, text, changes, time: durationText(durationMs), url };
}

function differencesOf({ title, result }: ApplyRowView, kind: 'difference' | 'applied') {
  if ((result.kind !== 'difference' && result.kind !== 'applied') || result.kind !== kind) return [];
  return (result.differences ?? []).map(({ address, approved, now }) => ({
    title,
    address,
    approved: approved ?? 'nothing',
    now: now ?? 'nothing',
  }));
}

function noteOf({ title, result, explanation, erroredStateUrl }: ApplyRowView) {
  const reason = result.kind === 'skipped' ? result.reason : undefined;
  const interrupted = result.kind === 'interrupted';
  const said = result.kind === 'failed' ? undefined : explanation;
  const isEmpty = [reason, said, erroredStateUrl].every((part) => part === undefined) && !interrupted;
  return isEmpty ? [] : [{ title, reason, interrupted, explanation: said, erroredStateUrl }];
}

/** What an apply printed, or why it failed. */
export function applySection(
  project: Pick<ApplyRowView, 'title' | 'result' | 'outputText' | 'errorText' | 'explanation' | 'url'>,
  triggers: Triggers,
): readonly Section[] {
  const { title, result, outputText, errorText, explanation, url } = project;
  const failed = result.kind === 'failed';
  const text = harmlessOutput((failed ? (errorText ?? outputText) : outputText) ?? '', triggers);
  if (text === '' && !(failed && explanation !== undefined)) return [];
  const common = { title, text, url, info: 'text' } as const;
  if (failed) return [{ ...common, note: 'failed', open: true, explanation, rank: 0 }];
  return [{ ...common, note: '', open: false, explanation: undefined, rank: 1 }];
}
