import { oneLine } from '../lib/markdown-text.ts';

/**
 * A commit status' description in at most `length` UTF-16 units (140 on GitHub, which refuses longer ones with 422).
 * Hosts show it as plain text: nothing in it can be a link or a mention.
 */
export function cutStatus(description: string, length: number): string {
  return oneLine(description, length);
}
