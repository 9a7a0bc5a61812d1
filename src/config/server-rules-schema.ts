import { z } from 'zod';
import { repositoryDrift } from './drift-schema.ts';
import type { ForeignKeys } from './foreign-keys.ts';
import { WORKFLOW_STAGES } from './foreign-keys.ts';
import {
  REQUIREMENTS,
  autodiscover,
  distribution,
  flag,
  globs,
  repoLocks,
  requirements,
  slashedRegex,
  text,
  texts,
} from './schema-parts.ts';
import { absolutePath, repositoryId } from './server-values.ts';
import { environmentName, valueSource } from './value-source.ts';

export const mount = z.strictObject({
  path: absolutePath.describe('A file or folder of this machine; at the same place inside.'),
  mode: z.enum(['ro', 'rw']).prefault('ro').describe('`ro` or `rw`.'),
});

export const verifyIgnore = z.strictObject({
  address: text.describe('Glob of resource addresses.'),
  attribute: text.prefault('*').describe('Glob of attributes.'),
});

export const terraformBinary = z.strictObject({
  distribution: distribution.prefault('terraform').describe('`terraform` or `opentofu`.'),
  version: text
    .pipe(z.string().regex(/^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/, 'must be an exact version such as 1.9.8'))
    .describe('Its version.'),
  path: absolutePath.describe('Where it is.'),
});

export const credential = z.strictObject({
  name: text.describe('For people: how it is called in logs.'),
  phases: z
    .array(z.enum(['init', 'plan', 'apply']))
    .min(1, 'at least one phase is needed')
    .describe('When it is given: `init`, `plan`, `apply`.'),
  selector: z
    .prefault(
      z.strictObject({
        repositories: globs.prefault([]).describe('Globs of `host/owner/name`.'),
        dirs: globs.prefault([]).describe('Globs of directories.'),
        workspaces: globs.prefault([]).describe('Globs of workspaces.'),
        projects: globs.prefault([]).describe('Globs of project names.'),
      }),
      {},
    )
    .describe('For which projects; a list that is empty matches all.'),
  env: z
    .record(environmentName, valueSource)
    .prefault({})
    .describe('Variables: a text, `{from_env: NAME}` of the server’s environment, or `{from_file: PATH}`.'),
  files: z
    .array(
      z.strictObject({
        source: absolutePath.describe('File of this machine.'),
        target: absolutePath.describe('Where the run sees it, read-only.'),
      }),
    )
    .prefault([])
    .describe('Files that are shown.'),
  command: texts
    .min(1, 'needs a program')
    .optional()
    .describe('Program on the server with its arguments; it prints `{"env": {"NAME": "value"}}`.'),
});

const team = text.pipe(z.string().regex(/^[\w.-]+\/[\w.-]+$/, 'must be organisation/team'));
const teamList = (command: string) => z.array(team).optional().describe(`Teams that may use \`${command}\`.`);

export const teams = z.strictObject({
  plan: teamList('plan'),
  apply: teamList('apply'),
  unlock: teamList('unlock'),
  cancel: teamList('cancel'),
  version: teamList('version'),
});

const ALLOWED_OVERRIDES = ['plan_requirements', 'apply_requirements', 'workflow', 'repo_locks'] as const;

/** Atlantis lets these be allowed, too. The keys themselves are not honoured, so allowing them changes nothing. */
const FOREIGN_OVERRIDES = [
  'import_requirements',
  'delete_source_branch_on_merge',
  'repo_locking',
  'policy_check',
  'custom_policy_check',
  'silence_pr_comments',
] as const;

const configFile = text.superRefine((value, context) => {
  if (value.startsWith('/')) context.addIssue("must not start with a slash '/'");
  else if (value.split('/').includes('..')) context.addIssue("must not contain parent directory path like '../'");
});

export const repositoryRule = z.strictObject({
  id: repositoryId.describe('`host/owner/name`, or a `/regular expression/` that matches somewhere in it.'),
  branch: slashedRegex
    .optional()
    .describe('`/regular expression/` of base branches; pull requests into others are left alone.'),
  repo_config_file: configFile
    .optional()
    .describe('Where the repository’s config is. Default: `holdfast.yaml`, else `atlantis.yaml`.'),
  plan_requirements: requirements.optional().describe('What a plan needs: `approved`, `mergeable`, `undiverged`.'),
  apply_requirements: requirements.optional().describe('What an apply needs: `approved`, `mergeable`, `undiverged`.'),
  workflow: text.optional().describe('Workflow of projects that name none.'),
  allowed_overrides: z
    .array(z.enum([...ALLOWED_OVERRIDES, ...FOREIGN_OVERRIDES]))
    .transform((names) => ALLOWED_OVERRIDES.filter((name) => names.includes(name)))
    .optional()
    .describe('Keys that the repository’s config may set.'),
  allowed_workflows: texts
    .optional()
    .describe('Workflows that the repository may choose. Default: all of the server’s.'),
  allow_custom_workflows: flag.optional().describe('Whether the repository may write workflows of its own.'),
  repo_locks: repoLocks.optional().describe('When projects are locked.'),
  autodiscover: autodiscover.optional().describe('Whether projects are discovered, whatever the repository says.'),
  permissions: teams.optional().describe('Per command the teams that may use it.'),
  drift: repositoryDrift.optional().describe('Drift checks of these repositories: keys as of `drift`.'),
});

const POLICIES = 'there are no policy checks; leaving this out would let through what it stops';
const HOOK = 'hooks are not run; use a `run` step in a workflow';
const NO_COMMAND = 'there is no such command';

/** Atlantis' server-side keys. What protects something is refused, because the operator has to know that it does not. */
export const SERVER_FOREIGN_KEYS: ForeignKeys = {
  '': {
    policies: { severity: 'error', why: POLICIES },
    team_authz: { severity: 'error', why: 'use `permissions`' },
    external_stores: { severity: 'warning', why: 'plans are kept encrypted in the database or `data_dir`' },
    metrics: { severity: 'warning', why: '/metrics is always there' },
  },
  'repos.*': {
    pre_workflow_hooks: { severity: 'error', why: HOOK },
    post_workflow_hooks: { severity: 'error', why: HOOK },
    policy_check: { severity: 'error', why: POLICIES, harmless: false },
    custom_policy_check: { severity: 'error', why: POLICIES, harmless: false },
    import_requirements: { severity: 'warning', why: NO_COMMAND, values: REQUIREMENTS },
    delete_source_branch_on_merge: { severity: 'warning', why: 'branches are never deleted' },
    silence_pr_comments: {
      severity: 'warning',
      why: 'there is one comment, edited in place',
      values: ['plan', 'apply'],
    },
    repo_locking: { severity: 'error', why: 'write `repo_locks: {mode: ...}`' },
  },
  ...WORKFLOW_STAGES,
};
