import { z } from 'zod';
import { text } from './schema-parts.ts';
import { absolutePath } from './server-values.ts';
import type { Path } from './yaml-file.ts';

export const environmentName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must have letters, digits and underscores only');

/** A secret as it is written, or where it stands. */
export const valueSource = z.union(
  [text, z.strictObject({ from_env: environmentName }), z.strictObject({ from_file: absolutePath })],
  { error: 'must be text, {from_env: NAME} or {from_file: PATH}' },
);

type ValueSource = z.output<typeof valueSource>;

/** Where a value may come from, and where it is told that it does not. */
interface Sources {
  problem(path: Path, message: string): void;
  readFile(path: Path, file: string): string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** undefined after a problem. */
export function resolveValue(source: ValueSource, path: Path, sources: Sources): string | undefined {
  if (typeof source === 'string') return source;
  if ('from_file' in source) return sources.readFile(path, source.from_file)?.replace(/\r?\n$/, '');
  const value = sources.environment[source.from_env];
  if (value === undefined) sources.problem(path, `the server’s environment has no variable ${source.from_env}`);
  return value;
}
