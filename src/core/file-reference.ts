import type { JsonObject, JsonValue } from './configuration-file.ts';

/** A literal path in `file()`, `templatefile()` or one of their kin. `root`: relative to the root module that is run; `module`: to the directory that says it. */
export interface FileReference {
  readonly base: 'root' | 'module';
  readonly path: string;
}

/**
 * Terraform's functions whose first argument names a file. A path that is put together from anything but
 * `path.module`, `path.root` and `path.cwd` is not literal and is not found.
 */
const CALL =
  /\b(?:file|filebase64|filemd5|filesha1|filesha256|filesha512|filebase64sha256|filebase64sha512|fileexists|templatefile)\(\s*"(?:\$\{\s*path\.(?<variable>module|root|cwd)\s*\})?(?<path>[^"\\$%\n]+)"/g;

/** Finds file references anywhere in a parsed body. A text that only looks like a call is found as well: one input too many does no harm. */
export function findFileReferences(body: JsonValue): readonly FileReference[] {
  const found = new Map<string, FileReference>();
  for (const text of listTexts(body)) {
    for (const match of text.matchAll(CALL)) {
      const reference = toReference(match.groups?.variable, match.groups?.path ?? '');
      if (reference) found.set(`${reference.base} ${reference.path}`, reference);
    }
  }
  return [...found.values()];
}

function toReference(variable: string | undefined, path: string): FileReference | undefined {
  if (variable === undefined) return path.startsWith('/') ? undefined : { base: 'root', path };
  if (!path.startsWith('/')) return undefined;
  return { base: variable === 'module' ? 'module' : 'root', path: path.slice(1) };
}

/** Keys are expressions too. An own stack instead of recursion, because the nesting is the pull request's choice. */
function listTexts(body: JsonValue): string[] {
  const texts: string[] = [];
  const pending: JsonValue[] = [body];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (typeof value === 'string') texts.push(value);
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, inner] of Object.entries<JsonValue>(value as JsonObject)) {
      texts.push(key);
      pending.push(inner);
    }
  }
  return texts;
}
