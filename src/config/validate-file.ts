import type { ConfigProblem } from '../core/reply.ts';
import { readServerConfig, type LoadOptions } from './load-server-config.ts';
import { readRepositoryConfig } from './repo-config.ts';
import type { Environment } from './server-environment.ts';

export type ConfigKind = 'repository' | 'server';

export interface Validation {
  readonly valid: boolean;
  /** For people: one problem or warning a line, with file and line number. */
  readonly lines: readonly string[];
}

/** What `holdfast validate` says of one file. The environment and files that a server's config points at are the caller's to give. */
export function validateFile(
  text: string,
  file: string,
  kind: ConfigKind,
  around: { readonly environment: Environment } & LoadOptions,
): Validation {
  const result =
    kind === 'repository' ? readRepositoryConfig(text, file) : readServerConfig(text, file, around.environment, around);
  const problems = 'problems' in result ? result.problems : [];
  const what = kind === 'repository' ? 'repository config' : 'server config';
  const verdict =
    problems.length === 0
      ? `${file}: valid ${what}`
      : `${file}: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`;
  return {
    valid: problems.length === 0,
    lines: [
      ...problems.map((problem) => formatProblem(problem, 'error')),
      ...result.warnings.map((warning) => formatProblem(warning, 'warning')),
      verdict,
    ],
  };
}

/** Which of the two a file is: a server's config names none of the repository's keys. */
export function guessKind(file: string): ConfigKind {
  return /(?:^|[/\\])(?:holdfast|atlantis)\.ya?ml$/.test(file) ? 'repository' : 'server';
}

/** `holdfast.yaml:3: error: projets: unknown key. Did you mean projects?` */
export function formatProblem(problem: ConfigProblem, severity: 'error' | 'warning'): string {
  const place = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}`;
  const hint = problem.suggestion === undefined ? '' : `. Did you mean ${problem.suggestion}?`;
  return `${place}: ${severity}: ${problem.message}${hint}`;
}
