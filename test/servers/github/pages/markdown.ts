import { Marked } from 'marked';
import sanitize from 'sanitize-html';

const DIFF_CLASSES: Readonly<Record<string, string>> = { '+': 'add', '-': 'del', '!': 'chg', '#': 'rem', '@': 'rem' };

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** GitHub colours a line of a diff fence by its first character, and nothing else. */
function diffLine(line: string): string {
  const kind = DIFF_CLASSES[line.charAt(0)];
  return kind === undefined ? escape(line) : `<span class="diff-${kind}">${escape(line)}</span>`;
}

/** A patch, coloured like a diff fence. */
export function renderPatch(text: string): string {
  return `<pre><code>${text.split('\n').map(diffLine).join('\n')}\n</code></pre>\n`;
}

const marked = new Marked({
  gfm: true,
  breaks: true,
  renderer: {
    code({ text, lang }) {
      return lang === 'diff' ? renderPatch(text) : `<pre><code>${escape(text)}\n</code></pre>\n`;
    },
  },
});

const TAGS = [
  'h1 h2 h3 h4 h5 h6 br b i strong em a pre code img tt div ins del sup sub p picture ol ul table thead',
  'tbody tfoot blockquote dl dt dd kbd q samp var hr ruby rt rp li tr td th s strike summary details',
  'caption figure figcaption abbr bdo cite dfn mark small source span time wbr input',
].flatMap((line) => line.split(' '));

/** GitHub's allow-list of tags and attributes (its HTML pipeline's sanitisation filter): no style, script or class. */
const ALLOWED: sanitize.IOptions = {
  allowedTags: TAGS,
  allowedAttributes: {
    a: ['href', 'title'],
    img: ['src', 'alt', 'title', 'width', 'height', 'align'],
    input: [{ name: 'type', values: ['checkbox'] }, 'checked', 'disabled'],
    details: ['open'],
    td: ['align', 'colspan', 'rowspan'],
    th: ['align', 'colspan', 'rowspan'],
    p: ['align'],
    div: ['align'],
    ol: ['start'],
    span: [],
  },
  allowedClasses: {
    span: ['diff-add', 'diff-del', 'diff-chg', 'diff-rem'],
    div: ['alert', 'alert-note', 'alert-tip', 'alert-important', 'alert-warning', 'alert-caution'],
  },
  allowedSchemes: ['http', 'https', 'mailto'],
  transformTags: { a: (tagName, attribs) => ({ tagName, attribs: { ...attribs, rel: 'nofollow' } }) },
};

/** `> [!WARNING]` at the start of a quote makes it an alert. */
function alerts(html: string): string {
  return html.replaceAll(
    /<blockquote>\s*<p>\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\](?:<br>|<br \/>|\s)*([\s\S]*?)<\/blockquote>/g,
    (_whole, kind: string, rest: string) => {
      const word = kind.charAt(0) + kind.slice(1).toLowerCase();
      return `<div class="alert alert-${kind.toLowerCase()}"><strong>${word}</strong><p>${rest}</div>`;
    },
  );
}

/** A comment as GitHub shows it: GitHub-flavoured Markdown, comments and forbidden HTML dropped. */
export function renderMarkdown(text: string): string {
  const html = marked.parse(text, { async: false });
  return sanitize(alerts(html), ALLOWED);
}
