/** The length of the longest unbroken run of backticks. */
export function longestBacktickRun(text: string): number {
  let longest = 0;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  return longest;
}

/**
 * A code fence that its content cannot close: one backtick longer than the longest run inside, at least three.
 * Tildes need no care, because only backticks close a fence that backticks opened (CommonMark 0.31, 4.5).
 */
export function fenceFor(text: string): string {
  return '`'.repeat(Math.max(3, longestBacktickRun(text) + 1));
}
