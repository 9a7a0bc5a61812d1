import type { TreeEntry } from '../../ports/repository-mirror.ts';
import { refuseLink, type LinkBudget } from './resolve-link.ts';

export interface Selection {
  readonly write: readonly TreeEntry[];
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
  readonly notes: readonly string[];
}

/** Linux' limits (limits.h: NAME_MAX, PATH_MAX) with room for the folder above. */
const NAME_BYTES = 255;
const PATH_BYTES = 3_500;
/** Parts of paths walked to judge all links of a tree, well under a second's work; one who wants us busy gets no more. */
const LINK_PARTS = 200_000;
/** Most paths: plain ASCII, and no part begins with a dot or a g. The thorough look costs more than all the rest. */
const HARMLESS_PATH = /^(?:[A-Za-fH-Zh-z0-9_-][\w.-]*\/)*[A-Za-fH-Zh-z0-9_-][\w.-]*$/;
/** Longer targets cannot be made on Linux. */
export const MAX_TARGET_BYTES = 4_095;

/**
 * What of a tree may be written to disk. Git lets a tree be made by hand that says anything: `..`, `.git/hooks/x`, a file
 * under a symlink, one name twice. Each such entry is refused with its reason and the rest is written.
 * `targets` holds the text of every symlink that is not longer than `MAX_TARGET_BYTES`.
 */
export function selectEntries(entries: readonly TreeEntry[], targets: ReadonlyMap<string, string>): Selection {
  const leaves = new Set(entries.map((entry) => entry.path));
  const write: TreeEntry[] = [];
  const refused: { path: string; reason: string }[] = [];
  const seen = new Set<string>();
  const budget = { parts: LINK_PARTS };
  for (const entry of entries) {
    const reason = seen.has(entry.path)
      ? 'a second entry of the same name'
      : (refuseName(entry.path) ?? refusePlace(entry.path, leaves) ?? refuseSymlink(entry, targets, budget));
    seen.add(entry.path);
    if (reason !== undefined) refused.push({ path: entry.path, reason });
    else if (entry.kind !== 'submodule') write.push(entry);
  }
  return { write, refused, notes: [...noteSubmodules(entries), ...noteCase(write)] };
}

/** A list of paths for people, cut to a length they will read. */
export function listSome(paths: readonly string[]): string {
  const shown = paths.slice(0, 10).map((path) => JSON.stringify(path.slice(0, 200)));
  return paths.length > shown.length ? `${shown.join(', ')} and ${paths.length - shown.length} more` : shown.join(', ');
}

function refuseName(path: string): string | undefined {
  if (path.length < NAME_BYTES && HARMLESS_PATH.test(path)) return undefined;
  if (path.includes('\u{FFFD}')) return 'a name that is not UTF-8';
  if (Buffer.byteLength(path) > PATH_BYTES) return 'a path that is too long';
  for (const part of path.split('/')) {
    if (part === '' || part === '.' || part === '..') return 'a path with an empty part, "." or ".." in it';
    if (Buffer.byteLength(part) > NAME_BYTES) return 'a name that is too long';
    if (isDotGit(part)) return "a name that some systems take for git's own folder";
  }
  return undefined;
}

/**
 * `.git` and what macOS and Windows read as `.git`: any case, ignorable characters inside, dots and blanks behind, a
 * stream name, the short name `git~1`. The rules of git's `verify_path` with both protections on, and somewhat more.
 */
function isDotGit(part: string): boolean {
  const plain = part
    .normalize('NFKC')
    .replace(/[\p{Cf}\p{Cc}]/gu, '')
    .toLowerCase();
  return plain.split('\\').some((name) => /^(?:\.git|git~1)(?:[. ]*$|[. ]*:)/.test(name));
}

function refusePlace(path: string, leaves: ReadonlySet<string>): string | undefined {
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    if (leaves.has(path.slice(0, slash))) return 'a path below a file or symlink';
  }
  return undefined;
}

function refuseSymlink(entry: TreeEntry, targets: ReadonlyMap<string, string>, budget: LinkBudget): string | undefined {
  if (entry.kind !== 'symlink') return undefined;
  const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
  if (/^\.git(?:modules|attributes|ignore)$/i.test(name)) return 'a settings file of git that is a symlink';
  if (!targets.has(entry.path)) return 'a symlink whose target is too long';
  return refuseLink(entry.path, targets, budget);
}

function noteSubmodules(entries: readonly TreeEntry[]): string[] {
  const paths = entries.filter((entry) => entry.kind === 'submodule').map((entry) => entry.path);
  return paths.length === 0 ? [] : [`Submodules are not fetched; their folders are missing: ${listSome(paths)}`];
}

function noteCase(entries: readonly TreeEntry[]): string[] {
  const first = new Map<string, string>();
  const pairs: string[] = [];
  for (const { path } of entries) {
    const key = path.toLowerCase().normalize('NFC');
    const other = first.get(key);
    if (other === undefined) first.set(key, path);
    else pairs.push(other, path);
  }
  return pairs.length === 0 ? [] : [`Names that differ only in case or accents: ${listSome([...new Set(pairs)])}`];
}
