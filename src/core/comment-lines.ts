/**
 * The lines of a comment that are the author's own words: without quotes, code fences and empty lines, and without
 * the blanks and backticks around them. Written here because a whole Markdown parser answers far more than is asked.
 */
export function listCommandLines(body: string): readonly string[] {
  const lines: string[] = [];
  let fence: string | undefined;
  for (const raw of body.split(/\r\n|\r|\n/)) {
    const line = raw.trim();
    const mark = fenceOf(line);
    if (fence !== undefined) {
      if (closes(line, fence)) fence = undefined;
    } else if (mark !== undefined) fence = mark;
    else if (!line.startsWith('>')) lines.push(trimBackticks(line));
  }
  return lines.filter((line) => line !== '');
}

/** A backtick fence has no backtick in its info text; otherwise it is a code span such as ```` ```x``` ````. */
function fenceOf(line: string): string | undefined {
  const match = /^(?<mark>`{3,}|~{3,})(?<info>.*)$/u.exec(line);
  const mark = match?.groups?.mark;
  return mark?.startsWith('`') && match?.groups?.info?.includes('`') ? undefined : mark;
}

function closes(line: string, fence: string): boolean {
  const mark = fenceOf(line);
  return mark !== undefined && mark === line && mark.startsWith(fence);
}

function trimBackticks(line: string): string {
  let start = 0;
  let end = line.length;
  while (start < end && isEdge(line.charAt(start))) start += 1;
  while (end > start && isEdge(line.charAt(end - 1))) end -= 1;
  return line.slice(start, end);
}

function isEdge(char: string): boolean {
  return char === '`' || /\s/.test(char);
}
