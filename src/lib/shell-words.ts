/**
 * Splits a line into words like google/shlex, which Atlantis uses: quotes, backslashes, `#` starts a remark.
 * The packages for this either know no escapes or take an unclosed quote for closed; here it is a problem to be told.
 */
export function splitWords(line: string): readonly string[] | { readonly problem: string } {
  const state: State = { words: [], word: undefined, quote: undefined };
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === '\\' && state.quote !== "'") {
      at += 1;
      if (at >= line.length) return { problem: 'nothing follows the last backslash' };
      state.word = (state.word ?? '') + line.charAt(at);
    } else if (char === '#' && state.word === undefined && state.quote === undefined) break;
    else take(state, char);
  }
  if (state.quote !== undefined) return { problem: `the quote ${state.quote} is never closed` };
  return state.word === undefined ? state.words : [...state.words, state.word];
}

/** A word as it has to be typed, so that `splitWords` gives it back. Control characters have no such form. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./*?[\]{}!~^&;-]+$/.test(word) ? word : `"${word.replaceAll(/[\\"]/g, '\\$&')}"`;
}

interface State {
  words: string[];
  word: string | undefined;
  quote: string | undefined;
}

function take(state: State, char: string): void {
  if (state.quote !== undefined) {
    if (char === state.quote) state.quote = undefined;
    else state.word = (state.word ?? '') + char;
  } else if (char === '"' || char === "'") {
    state.quote = char;
    state.word ??= '';
  } else if (/\s/.test(char)) {
    if (state.word !== undefined) state.words.push(state.word);
    state.word = undefined;
  } else state.word = (state.word ?? '') + char;
}
