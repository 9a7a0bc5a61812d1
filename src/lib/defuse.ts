/** Zero-width space: invisible, and no host's autolinker looks across it. */
const GAP = '\u200B';

const MENTION = /@(?=[\p{L}\p{N}_-])/gu;
/** `#12`, `owner/repo#12`, and GitLab's `!12`. */
const REFERENCE = /([#!])(?=\d)/g;
const GH_REFERENCE = /(?<![A-Za-z0-9])(gh-)(?=\d)/gi;
/** Addresses of issues, pull requests, merge requests, discussions and commits, on any host. */
const REFERENCE_URL = /(\/(?:issues|pulls?|merge_requests|discussions|commits?)\/)(?=[\da-f])/gi;
/** Entities that are `@` or `#` once Markdown has been read: an e-mail reply quotes them as they stand. */
const ENTITY = /&(?=#0*(?:64|35)\b|#x0*(?:40|23)\b|commat\b|num\b)/gi;
const COMMIT_ID = /\b([\da-f]{7})(?=[\da-f]{33}(?:[\da-f]{24})?\b)/gi;

/**
 * Makes hostile text harmless to people who are not part of the conversation: mentions nobody, refers to nothing, closes nothing.
 * Needed inside code fences, too: hosts do not link there, but a reply by e-mail quotes the text without its fence.
 * Expects text without invisible characters (`stripControl`), as one of them could part an `@` from its name.
 */
export function defuse(text: string): string {
  return text
    .replace(ENTITY, `&${GAP}`)
    .replace(MENTION, `@${GAP}`)
    .replace(REFERENCE, `$1${GAP}`)
    .replace(GH_REFERENCE, `$1${GAP}`)
    .replace(REFERENCE_URL, `$1${GAP}`);
}

/**
 * Commit ids become links in prose. Inside fences they do not, and there a digest is worth being copied whole,
 * so only text outside of fences gets this on top.
 */
export function defuseCommitIds(text: string): string {
  return text.replace(COMMIT_ID, `$1${GAP}`);
}

const FIRST_WORD = /^([ \t>*`-]*)([^\s:,.;`]+)/gm;

/** Breaks a command word at the beginning of a line, so that nothing that reads comments takes hostile output for a command. */
export function defuseTriggers(text: string, triggers: readonly string[]): string {
  const words = new Set(triggers.map((word) => word.toLowerCase()));
  return text.replace(FIRST_WORD, (found: string, before: string, word: string) =>
    words.has(word.toLowerCase()) ? `${before}${word.slice(0, 1)}${GAP}${word.slice(1)}` : found,
  );
}
