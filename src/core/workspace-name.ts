/**
 * What is wrong with the name of a workspace; undefined when nothing is. It becomes an argument and a part of keys and
 * addresses, never a path of ours, so most signs are harmless; Terraform itself refuses more.
 */
export function problemOfWorkspace(name: string): string | undefined {
  if (name.includes('/') || name.includes('\\')) return "a workspace cannot contain '/' or '\\'";
  if (name.includes('..')) return "a workspace cannot contain '..'";
  if (/[\s\p{Cc}\p{Cf}]/u.test(name)) return 'a workspace cannot contain whitespace or control characters';
  if (name.startsWith('-')) return "a workspace cannot start with '-'";
  return name.length > 200 ? 'a workspace may have 200 characters at most' : undefined;
}

/** In a comment a shell's habits are refused as well: whoever writes `~` or `$HOME` expects it to be replaced, and nothing here does. */
export function problemOfTypedWorkspace(name: string): string | undefined {
  if (name === '') return 'a workspace needs a name';
  if (name.startsWith('~')) return "a workspace cannot start with '~'";
  if (name.includes('$')) return "a workspace cannot contain '$'";
  return problemOfWorkspace(name);
}
