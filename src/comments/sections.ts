import { fenceFor } from '../lib/markdown-fence.ts';
import { fill, fillTidy } from './templates.ts';
import { countOf } from './wording.ts';

/** One folded part of a comment that holds a program's text, which is cut when room is short. */
export interface Section {
  readonly title: string;
  /** Next to the title; ours. */
  readonly note: string;
  readonly open: boolean;
  /** Our own words above the text. */
  readonly explanation: string | undefined;
  /** Harmless by now, see `output-text.ts`. */
  readonly text: string;
  readonly info: 'diff' | 'text';
  readonly url: string | undefined;
  /** Lower goes first when there is not even room for every title. */
  readonly rank: number;
}

interface Cut {
  readonly shown: number;
  readonly total: number;
}

const LONGEST_TITLE = 120;
const LONGEST_EXPLANATION = 600;
const BETWEEN = '\n';

function renderSection(section: Section, text: string, cut: Cut | undefined): string {
  const shown = text.replace(/\n+$/, '');
  return fill('section', {
    ...section,
    titleLength: LONGEST_TITLE,
    explanationLength: LONGEST_EXPLANATION,
    text: shown,
    fence: fenceFor(section.text),
    cut: cut && { shown: cut.shown.toLocaleString('en-US'), total: countOf(cut.total, 'line') },
  });
}

function lineCount(text: string): number {
  return text === '' ? 0 : text.split('\n').length;
}

/** The first part of `text` in at most `room` UTF-16 units, up to a line end; a single longer line is cut between letters. */
function firstLines(text: string, room: number): string {
  const lineEnd = text.lastIndexOf('\n', room);
  if (lineEnd > 0) return text.slice(0, lineEnd);
  const broken = text.slice(0, room);
  return broken.isWellFormed() ? broken : broken.slice(0, -1);
}

/** The largest share such that nobody gets more and all fit: the longest texts are cut first. */
function fairShare(lengths: readonly number[], room: number): number {
  let left = room;
  const ascending = lengths.toSorted((a, b) => a - b);
  for (const [at, length] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - at));
    if (length > share) return share;
    left -= length;
  }
  return Number.POSITIVE_INFINITY;
}

/** All sections in at most `room` UTF-16 units, in order. When even their titles do not fit, it says how many are missing. */
export function renderSections(sections: readonly Section[], room: number, pageUrl: string | undefined): string {
  const whole = sections.map((section) => renderSection(section, section.text, undefined)).join(BETWEEN);
  if (whole.length <= room) return whole;
  const missing = (count: number) =>
    count === 0 ? '' : `${BETWEEN}${fillTidy('sections-missing', { count, pageUrl })}`;
  const frames = new Map(sections.map((section) => [section, frameLength(section)] as const));
  const kept = new Set<Section>();
  let left = room - missing(sections.length).length;
  for (const section of sections.toSorted((a, b) => a.rank - b.rank)) {
    const frame = frames.get(section) ?? 0;
    if (frame > left) break;
    left -= frame;
    kept.add(section);
  }
  const share = fairShare(
    [...kept].map((section) => section.text.length),
    Math.max(0, left),
  );
  const shown = sections.filter((section) => kept.has(section)).map((section) => renderCut(section, share));
  const rendered = shown.join(BETWEEN) + missing(sections.length - kept.size);
  return rendered.length <= room ? rendered : '';
}

/** What a section takes beside its text, whatever is cut. */
function frameLength(section: Section): number {
  const total = lineCount(section.text);
  return renderSection(section, 'x', { shown: total, total }).length + BETWEEN.length;
}

function renderCut(section: Section, share: number): string {
  if (section.text.length <= share) return renderSection(section, section.text, undefined);
  const text = firstLines(section.text, share);
  return renderSection(section, text, { shown: lineCount(text), total: lineCount(section.text) });
}
