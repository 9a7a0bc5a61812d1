import { createHash } from 'node:crypto';
import { cutText } from '../../lib/markdown-text.ts';
import { canonicalText } from '../canonical-text.ts';
import type { Place } from './differing-places.ts';
import type { ValueTexts } from './drift.ts';

/** UTF-16 units of one value that are kept. */
export const VALUE_LENGTH = 300;
/** Stands for what must not be shown; Terraform's own words. */
export const SENSITIVE_VALUE = '(sensitive value)';
const PATH_LENGTH = 400;
/** Far beyond what is kept, so that a secret is never cut in two before it is masked. */
const MASKED_LENGTH = 16_384;
const MARK_LENGTH = 8;

export type Mask = (text: string) => string;

/** @param mask takes known secrets out of a text. */
export function valueTexts(
  { values, unknown, sensitive }: Pick<Place, 'values' | 'unknown' | 'sensitive'>,
  mask: Mask,
): ValueTexts {
  const text = (value: unknown) => {
    if (value === undefined) return undefined;
    return sensitive
      ? SENSITIVE_VALUE
      : cutText(mask(String(canonicalText(value)).slice(0, MASKED_LENGTH)), VALUE_LENGTH);
  };
  const [applied, live, wanted] = values;
  return { applied: text(applied), live: text(live), wanted: unknown ? undefined : text(wanted), unknown, sensitive };
}

/** Map keys are anyone's choice. What is cut keeps a mark of its own, so that two paths stay two. */
export function pathText(path: string): string {
  if (path.length <= PATH_LENGTH) return path;
  const mark = createHash('sha256').update(path).digest('hex').slice(0, MARK_LENGTH);
  return `${cutText(path, PATH_LENGTH)}${mark}`;
}
