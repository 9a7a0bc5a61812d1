import { defuse, defuseCommitIds } from './defuse.ts';
import { longestBacktickRun } from './markdown-fence.ts';
import { stripControl } from './strip-control.ts';

/** What means something within a line of GitHub's or GitLab's Markdown, `$` for formulas among it; parentheses only matter after `]`. */
const MARKDOWN = /[\\`*_[\]|~$]/g;
/** What means something at the beginning of a line only: headings, lists, underlines. */
const BLOCK = /^(?:[#+=-]|\d+(?=[.)](?:\s|$)))/;
const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
/** Where a bare address would become a link. */
const AUTOLINK = /:(?=\/\/)|(?<=mailto|xmpp):|(?<=www)\./gi;

/** One line of at most `max` UTF-16 units; a cut shows as an ellipsis. */
export function oneLine(text: string, max = Number.POSITIVE_INFINITY): string {
  return cutText(stripControl(text).replace(/\s+/g, ' ').trim(), max);
}

/** At most `max` UTF-16 units, an ellipsis among them where something was cut; never parts a surrogate pair. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${text
    .slice(0, Math.max(0, max - 1))
    .toWellFormed()
    .replace(/\uFFFD$/, '')}…`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => HTML[character] ?? character);
}

/** Hostile text for inside of HTML tags that Markdown leaves alone, such as `<summary>`. */
export function htmlText(text: string, max?: number): string {
  return escapeHtml(defuseCommitIds(defuse(oneLine(text, max))));
}

/** Hostile text as a code span on one line, for anywhere but a table cell: inside code nothing is linked, formatted or expanded. */
export function codeSpan(text: string, max?: number): string {
  return inBackticks(defuse(oneLine(text, max)));
}

/**
 * The same for a table cell: there a pipe ends the cell even inside a code span, unless it is escaped (GFM 4.10), while
 * everywhere else the backslash would be shown. A zero-width space keeps a backslash before it from escaping the escape.
 */
export function tableCode(text: string, max?: number): string {
  const line = defuse(oneLine(text, max));
  return inBackticks(line.replace(/\\(?=\|)/g, '\\\u200B').replaceAll('|', '\\|'));
}

function inBackticks(line: string): string {
  if (line === '') return '` `';
  const ticks = '`'.repeat(longestBacktickRun(line) + 1);
  const pad = /^`|`$/.test(line) ? ' ' : '';
  return `${ticks}${pad}${line}${pad}${ticks}`;
}

/**
 * Hostile text as a sentence on one line: no markup, no links, no HTML. Pairs of backticks stay code, because our own
 * explanations quote commands and paths that way. Not for table cells.
 */
export function prose(text: string, max?: number): string {
  const parts = oneLine(text, max).split(/`([^`]+)`/);
  return parts.map((part, at) => (at % 2 === 1 ? codeSpan(part) : escapeProse(part))).join('');
}

function escapeProse(text: string): string {
  return defuseCommitIds(defuse(text))
    .replace(AUTOLINK, (character) => `\u200B${character}`)
    .replace(/[&<>]/g, (character) => HTML[character] ?? character)
    .replace(MARKDOWN, '\\$&')
    .replace(BLOCK, (start) => (/\d/.test(start) ? `${start}\\` : `\\${start}`));
}

/** A link with our own text. Anything but http and https is left as the text alone. */
export function link(label: string, url: string | undefined): string {
  if (url === undefined || !URL.canParse(url)) return label;
  const { protocol, href } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return label;
  return `[${label}](${href.replace(/[()<>|\\\s`*_~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)})`;
}
