import { applySection } from '../apply-reply.ts';
import { firstOf, mostDetailed } from '../detail-level.ts';
import { replyMarker } from '../reply-comment.ts';
import { renderSections } from '../sections.ts';
import { fillTidy } from '../templates.ts';
import type { ApplyResultView } from '../view.ts';
import { countsText } from '../wording.ts';
import type { RemediationView } from './drift-view.ts';

const CHECKED = 'The project is checked again at once, which says where things stand.';

const RESULTS: Readonly<Record<ApplyResultView['kind'], readonly [icon: string, text: string, outlook?: string]>> = {
  applied: ['✅', 'applied', 'The project is checked again at once; this is closed when the drift is gone.'],
  no_changes: ['✅', 'nothing was left to do'],
  failed: ['❌', 'it failed', CHECKED],
  interrupted: ['⚠️', 'the worker died in the midst of it, and what it did is unknown', CHECKED],
  difference: ['✋', 'not done'],
  skipped: ['✋', 'not done'],
  cancelled: ['⏹️', 'cancelled'],
};

/** What became of putting drift right, as a new comment of at most `limit` UTF-16 units (2,000 or more). */
export function renderRemediationReply(
  view: RemediationView,
  options: { readonly limit: number; readonly id: string },
): string {
  const [icon, text, outlook] = RESULTS[view.result.kind];
  const top = mostDetailed(options.limit, (level) =>
    fillTidy('drift/remediation', {
      ...level,
      marker: replyMarker(options.id),
      icon,
      text,
      outlook: view.begun ? outlook : undefined,
      actor: view.actor,
      project: view.title,
      url: view.url,
      changes: view.result.kind === 'applied' ? countsText(view.result.counts) : undefined,
      unmet: firstOf(view.unmet, level.items),
      explanation: view.result.kind === 'failed' ? undefined : view.explanation,
      erroredStateUrl: view.erroredStateUrl,
    }),
  );
  const sections = renderSections(applySection(view, view.triggers), options.limit - top.length - 1, view.url);
  return [top, sections]
    .filter((part) => part !== '')
    .join('\n')
    .trimEnd();
}
