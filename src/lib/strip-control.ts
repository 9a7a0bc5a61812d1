import { stripVTControlCharacters } from 'node:util';

/** OSC, DCS, SOS, PM and APC strings with their content up to BEL, ST or the end of the line: titles, hyperlinks, clipboards. */
const TERMINAL_STRINGS =
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  /(?:\u001B[\]PX^_]|[\u009D\u0090\u0098\u009E\u009F])[^\n\u0007\u001B\u009C]*(?:\u0007|\u001B\\|\u009C|(?=\n)|$)/g;
/** Line ends that some readers honour and others do not would let a line look like two, or two like one. */
const LINE_ENDS = /\r\n?|[\u0085\u2028\u2029]/g;
/**
 * Controls but tab and newline, every format character (bidi overrides and isolates, zero-width, soft hyphen, tags),
 * and the letters that Unicode draws as nothing.
 */
const INVISIBLE = /[\p{Cf}\u115F\u1160\u3164\uFFA0]|(?![\t\n])\p{Cc}/gu;

/**
 * Leaves what a person sees: no terminal sequences, no control or invisible characters, `\n` as the only line end,
 * well-formed UTF-16. Do this before masking: a colour code in the midst of a secret would hide it from the masker.
 */
export function stripControl(text: string): string {
  return stripVTControlCharacters(text.replace(TERMINAL_STRINGS, ''))
    .replace(LINE_ENDS, '\n')
    .replace(INVISIBLE, '')
    .toWellFormed();
}
