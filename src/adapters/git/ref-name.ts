import { createHash } from 'node:crypto';

/** Git's rules for a full ref name, https://git-scm.com/docs/git-check-ref-format, without a process for it. */
export function isRefName(ref: string): boolean {
  if (!ref.startsWith('refs/') || ref.length > 1_000 || ref !== ref.toWellFormed()) return false;
  if (/[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|[/.]$/u.test(ref)) return false;
  return ref.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));
}

/**
 * Where the mirror keeps what it fetched from a ref. A digest, because `a` and `a/b` cannot both be refs at a time, and
 * a branch may have been the one yesterday and be the other today.
 */
export function privateRef(ref: string): string {
  return `refs/mirror/${createHash('sha256').update(ref).digest('hex').slice(0, 40)}`;
}
