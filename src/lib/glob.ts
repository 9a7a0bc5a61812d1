import { compileRegex } from './linear-regex.ts';

export interface Glob {
  readonly pattern: string;
  matches(path: string): boolean;
}

/**
 * `paths`: the way of bmatcuk/doublestar, which Atlantis uses for `dir`, `-d` and `ignore_paths`: `**` is a whole segment,
 * `{a,b}` are alternatives. `ignore_file`: the way of a .dockerignore (moby/patternmatcher), which it uses for
 * `when_modified`: no alternatives, and `**` may stand anywhere.
 */
export type GlobDialect = 'paths' | 'ignore_file';

const MAX_LENGTH = 1_000;

/**
 * Compiles a glob over `/`-separated paths; names that start with a dot are names like any other. picomatch and
 * @balena/dockerignore translate to JavaScript's backtracking expressions: six stars against a name of a hundred letters
 * hold the program for ten seconds, and both pattern and names are a pull request's choice. This translates to RE2.
 */
export function compileGlob(pattern: string, dialect: GlobDialect = 'paths'): Glob | { readonly problem: string } {
  if (pattern.length > MAX_LENGTH) return { problem: `a pattern may have ${MAX_LENGTH} characters at most` };
  const translation = translate(pattern, dialect);
  if (typeof translation !== 'string') return translation;
  const regex = compileRegex(`(?s)^(?:${translation})$`);
  if ('problem' in regex) return regex;
  return { pattern, matches: (path) => regex.test(path) };
}

/** Whether `dir` stands for several directories; what Atlantis looks at, too. */
export function containsGlob(text: string): boolean {
  return /[*?[]/.test(text);
}

/** Makes a pattern that matches this text only. */
export function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]{}!]/g, '\\$&');
}

interface Cursor {
  readonly pattern: string;
  readonly dialect: GlobDialect;
  at: number;
  depth: number;
}

function translate(pattern: string, dialect: GlobDialect): string | { readonly problem: string } {
  const cursor: Cursor = { pattern, dialect, at: 0, depth: 0 };
  let out = '';
  while (cursor.at < pattern.length) {
    const piece = nextPiece(cursor);
    if (piece === undefined) return { problem: problemAt(pattern, cursor) };
    out += piece;
  }
  return cursor.depth > 0 ? { problem: `\`{\` without its \`}\` in ${JSON.stringify(pattern)}` } : out;
}

/** undefined: the pattern is broken here. */
function nextPiece(cursor: Cursor): string | undefined {
  const char = cursor.pattern.charAt(cursor.at);
  if (char === '*') return stars(cursor);
  if (char === '[') return characterClass(cursor);
  if (char === '{' || char === '}' || char === ',') return alternative(cursor, char);
  if (char === '/' && cursor.dialect === 'paths' && cursor.pattern.slice(cursor.at) === '/**') {
    cursor.at += 3;
    return '(?:/.*)?';
  }
  if (char === '\\') return escaped(cursor);
  cursor.at += 1;
  return char === '?' ? '[^/]' : quote(char);
}

function stars(cursor: Cursor): string {
  const start = cursor.at;
  while (cursor.pattern[cursor.at] === '*') cursor.at += 1;
  if (cursor.at - start < 2) return '[^/]*';
  return cursor.dialect === 'paths' ? pathStars(cursor, start) : ignoreStars(cursor, start);
}

function pathStars(cursor: Cursor, start: number): string {
  const before = cursor.pattern[start - 1];
  const after = cursor.pattern[cursor.at];
  const segment = (before === undefined || '/{,'.includes(before)) && (after === undefined || '/},'.includes(after));
  if (!segment) return '[^/]*';
  if (after !== '/') return '.*';
  cursor.at += 1;
  return '(?:[^/]+/)*';
}

function ignoreStars(cursor: Cursor, start: number): string {
  if (cursor.pattern[cursor.at] === '/') cursor.at += 1;
  else if (start === 0) return '.*';
  return cursor.at >= cursor.pattern.length ? '.*' : '(?:.*/)?';
}

function alternative(cursor: Cursor, char: string): string | undefined {
  const literal = cursor.dialect === 'ignore_file' || (char !== '{' && cursor.depth === 0);
  cursor.at += 1;
  if (literal) return quote(char);
  if (char === ',') return '|';
  cursor.depth += char === '{' ? 1 : -1;
  return char === '{' ? '(?:' : ')';
}

const CLASS = /\[(?<not>[!^]?)(?<body>(?:\\.|[^\]\\])+)\]/y;

function characterClass(cursor: Cursor): string | undefined {
  CLASS.lastIndex = cursor.at;
  const match = CLASS.exec(cursor.pattern);
  if (!match?.groups) return undefined;
  cursor.at = CLASS.lastIndex;
  const body = (match.groups.body ?? '').replaceAll(/\\(.)/gs, '$1').replaceAll(/[\\[\]^&~]/g, '\\$&');
  return match.groups.not ? `[^/${body}]` : `[${body}]`;
}

function escaped(cursor: Cursor): string | undefined {
  const next = cursor.pattern[cursor.at + 1];
  if (next === undefined) return undefined;
  cursor.at += 2;
  return quote(next);
}

function problemAt(pattern: string, cursor: Cursor): string {
  const char = pattern.charAt(cursor.at);
  const what = char === '[' ? '`[` without its `]`' : 'nothing follows the last `\\`';
  return `${what} in ${JSON.stringify(pattern)}`;
}

function quote(char: string): string {
  return /[\\^$.*+?()[\]{}|]/.test(char) ? `\\${char}` : char;
}
