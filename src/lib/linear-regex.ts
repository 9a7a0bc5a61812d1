import { RE2JS } from 're2js';

/** A regular expression whose answer takes time proportional to the text, whoever wrote either. */
export interface LinearRegex {
  readonly source: string;
  /** True when it matches somewhere in the text. */
  test(text: string): boolean;
  /** Every match replaced by a literal text. */
  replace(text: string, replacement: string): string;
}

/**
 * Compiles in Go's syntax, the one Atlantis' users have written theirs in. JavaScript's own engine backtracks,
 * so that an expression in a pull request could hold the whole program for minutes; RE2 cannot.
 */
export function compileRegex(source: string): LinearRegex | { readonly problem: string } {
  try {
    const compiled = RE2JS.compile(source);
    return {
      source,
      test: (text) => compiled.test(text),
      replace: (text, replacement) => compiled.matcher(text).replaceAll(replacement.replaceAll('$', () => '$$')),
    };
  } catch (error) {
    return { problem: error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error) };
  }
}
