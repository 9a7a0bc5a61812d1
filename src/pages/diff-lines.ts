export interface DiffLine {
  readonly text: string;
  readonly tone: 'add' | 'remove' | 'change' | 'replace' | 'note' | undefined;
}

const TONES: readonly (readonly [RegExp, DiffLine['tone']])[] = [
  [/^ *(?:-\/\+|\+\/-)(?: |$)/, 'replace'],
  [/^ *\+(?: |$)/, 'add'],
  [/^ *-(?: |$)/, 'remove'],
  [/^ *~(?: |$)/, 'change'],
  [/^ *#/, 'note'],
];

/** Terraform's text of a plan, line by line, each with what colours it; the marker in the text says the same without colour. */
export function diffLines(planText: string): readonly DiffLine[] {
  const lines = planText.replace(/^\n+|\s+$/g, '').split('\n');
  return lines.map((text) => ({ text, tone: TONES.find(([pattern]) => pattern.test(text))?.[1] }));
}
