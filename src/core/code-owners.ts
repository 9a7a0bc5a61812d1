import { compileGlob } from '../lib/glob.ts';

/** Where the file is looked for; the first that exists counts. */
export const CODE_OWNERS_PATHS: readonly string[] = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS'];

/** GitHub ignores larger files. */
export const CODE_OWNERS_MAX_BYTES = 3 * 1024 * 1024;

/** Who owns which files. */
export interface CodeOwners {
  /** As they are written: `@login`, `@organisation/team`, or an address; nobody, when no pattern matches or the last that does names none. */
  ownersOf(path: string): readonly string[];
}

/** Compiling more would hold the program up for longer than the answer is worth. */
const MAX_RULES = 10_000;

interface Rule {
  readonly owners: readonly string[];
  matches(path: string): boolean;
}

/**
 * Reads a CODEOWNERS file by GitHub's rules: patterns of `.gitignore` without `!`, `[ ]` and `\#`, case counts, the last that matches
 * decides, one without owners takes them away, and a line that is not valid is passed over.
 * https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
 * undefined: the file is too long to be read.
 */
export function readCodeOwners(text: string): CodeOwners | undefined {
  const lines = text.split(/\r?\n/).flatMap((line) => readLine(line) ?? []);
  if (lines.length > MAX_RULES) return undefined;
  const rules = lines.flatMap(({ pattern, owners }) => compile(pattern, owners) ?? []);
  return { ownersOf: (path) => rules.findLast((rule) => rule.matches(path))?.owners ?? [] };
}

/** Of all these files together, whoever owns most of them first. */
export function ownersOfAll(owners: CodeOwners, paths: readonly string[]): readonly string[] {
  const owned = Map.groupBy(
    paths.flatMap((path) => owners.ownersOf(path)),
    (owner) => owner,
  );
  return [...owned]
    .toSorted(([a, some], [b, others]) => others.length - some.length || (a < b ? -1 : 1))
    .map(([owner]) => owner);
}

interface Line {
  readonly pattern: string;
  readonly owners: readonly string[];
}

const OWNER = /^(?:@[A-Za-z0-9][A-Za-z0-9_-]*(?:\/[A-Za-z0-9._-]+)?|[^@\s]+@[^@\s]+\.[^@\s]+)$/;

/** undefined: a remark, an empty line or one that is not valid. */
function readLine(line: string): Line | undefined {
  const words = line.match(/(?:\\.|[^\s\\])+/g) ?? [];
  const remark = words.findIndex((word) => word.startsWith('#'));
  const [pattern, ...owners] = remark < 0 ? words : words.slice(0, remark);
  if (pattern === undefined || /[![\]]|^\\#|\*{3}/.test(pattern)) return undefined;
  return owners.every((owner) => OWNER.test(owner)) ? { pattern, owners } : undefined;
}

function compile(pattern: string, owners: readonly string[]): Rule | undefined {
  const glob = compileGlob(toGlob(pattern));
  return 'problem' in glob ? undefined : { owners, matches: (path) => glob.matches(path) };
}

/**
 * With a slash at its start or in its middle a pattern is about the top of the repository, otherwise about any folder. It means what
 * lies below as well, but for a last `*`, which means the files of one folder.
 */
function toGlob(written: string): string {
  const pattern = written.replaceAll(/(?<!\\)[{}]/g, '\\$&');
  const bare = pattern.replace(/^\//, '').replace(/\/(?:\*\*\/?)?$/, '');
  const anchored = /\/(?!$)/.test(pattern);
  const start = anchored || bare === '**' ? bare : `**/${bare}`;
  if (/\/(?:\*\*\/?)?$/.test(pattern)) return `${start}/**/*`;
  return /(?:^|\/)\*{1,2}$/.test(pattern) ? start : `${start}/**`;
}
