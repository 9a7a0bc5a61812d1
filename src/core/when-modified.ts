import { compileGlob, escapeGlob, type Glob } from '../lib/glob.ts';
import { joinPath } from './repository-path.ts';

interface Rule {
  readonly glob: Glob;
  readonly excludes: boolean;
}

/**
 * `when_modified` in the sense of a .dockerignore, relative to the project's directory (`../` may leave it): the last
 * pattern that matches a file or one of the directories above it decides, and `!` excludes. Returns the files that count.
 */
export function findModified(dir: string, patterns: readonly string[], files: readonly string[]): readonly string[] {
  const rules = patterns.flatMap((pattern) => toRule(dir, pattern) ?? []);
  const confined = patterns.every((pattern) => !pattern.includes('..'));
  const candidates = confined && dir !== '.' ? files.filter((file) => file.startsWith(`${dir}/`)) : files;
  return candidates.filter((file) => counts(rules, file));
}

function toRule(dir: string, pattern: string): Rule | undefined {
  const trimmed = pattern.trim();
  const excludes = trimmed.startsWith('!');
  const bare = excludes ? trimmed.slice(1) : trimmed;
  const glob = compileGlob(joinPath(escapeGlob(dir), bare), 'ignore_file');
  return 'problem' in glob ? undefined : { glob, excludes };
}

function counts(rules: readonly Rule[], file: string): boolean {
  const paths = withParents(file);
  const last = rules.findLast((rule) => paths.some((path) => rule.glob.matches(path)));
  return last !== undefined && !last.excludes;
}

function withParents(file: string): readonly string[] {
  const segments = file.split('/');
  return segments.map((_segment, index) => segments.slice(0, index + 1).join('/'));
}
