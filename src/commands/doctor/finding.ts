/**
 * What was looked at and how it is: `good`; a `note` stands in nobody's way, but is better known; with a `problem` Holdfast
 * would not work, and `mend` says what to do.
 */
export interface Finding {
  readonly level: 'good' | 'note' | 'problem';
  /** One sentence or a few words; may have several lines. */
  readonly text: string;
  readonly mend?: string;
}

export const good = (text: string): Finding => ({ level: 'good', text });
export const note = (text: string, mend?: string): Finding => make('note', text, mend);
export const problem = (text: string, mend?: string): Finding => make('problem', text, mend);

function make(level: Finding['level'], text: string, mend: string | undefined): Finding {
  return mend === undefined ? { level, text } : { level, text, mend };
}

/** The message of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
