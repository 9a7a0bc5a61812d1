import { distance } from 'fastest-levenshtein';

/** The candidate that was probably meant: at most two letters away, and at most half of the word. */
export function suggest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > 60) return undefined;
  const written = word.toLowerCase();
  const ranked = candidates
    .map((candidate) => ({ candidate, away: distance(written, candidate.toLowerCase()) }))
    .filter(({ candidate, away }) => away <= allowedDistance(candidate))
    .sort((a, b) => a.away - b.away);
  return ranked[0]?.candidate;
}

function allowedDistance(candidate: string): number {
  return Math.min(2, Math.floor(candidate.length / 2));
}
