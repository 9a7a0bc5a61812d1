import { defuse, defuseTriggers } from '../lib/defuse.ts';
import { stripControl } from '../lib/strip-control.ts';
import type { Triggers } from './view.ts';

/** Terraform's marker with the indentation before it; `<=` and comments stay where they are. */
const MARKED_LINE = /^( *)(-\/\+|\+\/-|[+~-])(?= |$)/gm;
/** Keeps every fence short: a run of backticks longer than this is parted by a zero-width space. */
const LONG_BACKTICK_RUN = /`{16}(?=`)/g;

/**
 * Moves the markers of a plan to the first column, where diff highlighting looks for them; `~` becomes `!`, which is
 * what is coloured as a change. The rest of the line keeps its column.
 */
export function asDiff(planText: string): string {
  return planText.replace(
    MARKED_LINE,
    (_, indent: string, marker: string) => `${marker === '~' ? '!' : marker}${indent}`,
  );
}

/** A program's output as it may stand inside a fence. Expensive for megabytes: once per comment and text. */
export function harmlessOutput(text: string, triggers: Triggers): string {
  const plain = stripControl(text)
    .replace(LONG_BACKTICK_RUN, '$&\u200B')
    .replace(/^\n+|\s+$/g, '');
  return defuseTriggers(defuse(plain), triggers);
}

export function harmlessDiff(planText: string, triggers: Triggers): string {
  return harmlessOutput(asDiff(stripControl(planText)), triggers);
}
