import { z } from 'zod';
import { compileGlob } from '../lib/glob.ts';
import { compileRegex } from '../lib/linear-regex.ts';

/** The pieces both schemas, the repository's and the server's, are put together from. Their messages are for people. */
export const text = z
  .union([z.string(), z.number(), z.boolean()], { error: (issue) => missingOr(issue.input, 'must be text') })
  .transform(String);

/** YAML 1.1's words as well, which Atlantis takes. */
export const flag = z
  .union([z.boolean(), z.string().regex(/^(?:true|false|yes|no|on|off)$/i, 'must be true or false')], {
    error: (issue) => missingOr(issue.input, 'must be true or false'),
  })
  .transform((value) => (typeof value === 'boolean' ? value : /^(?:true|yes|on)$/i.test(value)));

export const wholeNumber = z.int({ error: (issue) => missingOr(issue.input, 'must be a whole number') });

export const texts = z.array(text, { error: 'must be a list of texts' });

export const globs = z.array(
  text.superRefine((pattern, context) => {
    const glob = compileGlob(pattern);
    if ('problem' in glob) context.addIssue(`invalid pattern: ${pattern}: ${glob.problem}`);
  }),
  { error: 'must be a list of patterns' },
);

/** `/expression/`, given back without its slashes. */
export const slashedRegex = text.transform((value, context) => {
  if (value.length < 2 || !value.startsWith('/') || !value.endsWith('/')) {
    context.addIssue("must be a regular expression that begins and ends with a slash '/'");
    return z.NEVER;
  }
  const regex = compileRegex(value.slice(1, -1));
  if (!('problem' in regex)) return value.slice(1, -1);
  context.addIssue(`parsing ${value}: ${regex.problem}`);
  return z.NEVER;
});

export const REQUIREMENTS = ['approved', 'mergeable', 'undiverged'] as const;
export const requirements = z.array(z.enum(REQUIREMENTS), { error: 'must be a list of requirements' });

export const repoLocks = z.strictObject({
  mode: z
    .enum(['on_plan', 'on_apply', 'disabled'])
    .prefault('on_plan')
    .describe('When a project is locked: `on_plan`, `on_apply`, or `disabled`.'),
});

export const autodiscover = z
  .strictObject({
    mode: z
      .enum(['auto', 'enabled', 'disabled'])
      .prefault('auto')
      .describe(
        '`auto`: root modules are discovered where the config names no projects; `enabled`: always; `disabled`: never.',
      ),
    ignore_paths: globs.prefault([]).describe('Globs of directories that are never discovered.'),
  })
  .transform((value) => ({ mode: value.mode, ignorePaths: value.ignore_paths }));

export const distribution = z.enum(['terraform', 'opentofu']);

function missingOr(input: unknown, message: string): string {
  return input === undefined ? 'is required' : message;
}
