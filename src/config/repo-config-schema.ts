import { z } from 'zod';
import { joinPath, leavesRepository } from '../core/repository-path.ts';
import { problemOfWorkspace } from '../core/workspace-name.ts';
import { compileGlob, containsGlob } from '../lib/glob.ts';
import { projectDrift, repositoryDrift } from './drift-schema.ts';
import { WORKFLOW_STAGES, type ForeignKeys } from './foreign-keys.ts';
import {
  REQUIREMENTS,
  autodiscover,
  distribution,
  flag,
  repoLocks,
  requirements,
  slashedRegex,
  text,
  texts,
  wholeNumber,
} from './schema-parts.ts';
import { workflows } from './workflow-schema.ts';

const dir = text.transform((written, context) => {
  const path = joinPath('.', written);
  if (written.trim() === '') context.addIssue('cannot be blank');
  else if (leavesRepository(path)) context.addIssue("cannot contain '..' that leaves the repository");
  const glob = containsGlob(path) ? compileGlob(path) : undefined;
  if (glob && 'problem' in glob) context.addIssue(`invalid glob pattern: ${glob.problem}`);
  return path;
});

const name = text.superRefine((value, context) => {
  if (value === '') context.addIssue('if set cannot be empty');
  else if (containsGlob(value)) {
    context.addIssue("cannot contain glob pattern characters ('*', '?', '['); only `dir` can be a glob");
  } else if (!/^[A-Za-z0-9_.~/-]{1,200}$/.test(value)) {
    context.addIssue(`${JSON.stringify(value)} is not allowed: must contain only URL safe characters, 200 at most`);
  }
});

const workspace = text.superRefine((value, context) => {
  const problem = problemOfWorkspace(value);
  if (problem !== undefined) context.addIssue(problem);
});

/** An exact version; Atlantis takes `v1.9.0`, `1.9` and `1`, too. */
const version = text.transform((written, context) => {
  const match =
    /^v?(?<major>\d{1,5})(?:\.(?<minor>\d{1,5}))?(?:\.(?<patch>\d{1,5}))?(?<pre>-[0-9A-Za-z.-]{1,50})?$/.exec(written);
  if (!match?.groups) {
    context.addIssue(
      `version ${JSON.stringify(written)} could not be parsed: an exact version such as 1.9.8 is needed`,
    );
    return z.NEVER;
  }
  const { major, minor = '0', patch = '0', pre = '' } = match.groups;
  return `${major}.${minor}.${patch}${pre}`;
});

const whenModified = z.array(
  text.superRefine((pattern, context) => {
    const bare = pattern.trim().replace(/^!/, '');
    const glob = bare === '' ? { problem: 'it is empty' } : compileGlob(bare, 'ignore_file');
    if ('problem' in glob) context.addIssue(`invalid pattern: ${pattern}: ${glob.problem}`);
  }),
  { error: 'must be a list of patterns' },
);

const project = z
  .strictObject({
    dir: dir.describe(
      'Directory from the top of the repository. A glob stands for one project in every directory with Terraform files that it matches.',
    ),
    name: name.optional().describe('Name for `-p`; unique in the file.'),
    branch: slashedRegex
      .optional()
      .describe('`/regular expression/`: only for pull requests into matching base branches.'),
    workspace: workspace.optional().describe('Terraform workspace; `default` when not written.'),
    workflow: text.optional().describe('Name of a workflow. Needs the server’s `allowed_overrides: [workflow]`.'),
    terraform_version: version.optional().describe('Exact version to use.'),
    terraform_distribution: distribution.optional().describe('`terraform` or `opentofu`.'),
    autoplan: z
      .strictObject({
        enabled: flag.prefault(true).describe('Whether a change plans the project by itself.'),
        when_modified: whenModified
          .optional()
          .describe('Patterns as in a .dockerignore, relative to `dir`; `!` excludes.'),
      })
      .optional()
      .describe('When the project is planned by itself.'),
    plan_requirements: requirements
      .optional()
      .describe('`approved`, `mergeable`, `undiverged`. Needs the server’s `allowed_overrides`.'),
    apply_requirements: requirements
      .optional()
      .describe('`approved`, `mergeable`, `undiverged`. Needs the server’s `allowed_overrides`.'),
    execution_order_group: wholeNumber.prefault(0).describe('Groups run one after the other, lowest first.'),
    depends_on: texts.prefault([]).describe('Names of projects that are applied before this one.'),
    repo_locks: repoLocks.optional().describe('When the project is locked. Needs the server’s `allowed_overrides`.'),
    glob_file_match: texts
      .min(1, 'cannot be an empty list')
      .optional()
      .describe('With a glob in `dir`: a directory counts when it has a file of such a name.'),
    drift: projectDrift
      .optional()
      .describe('Drift checks of this project, where they are other than the repository’s: keys as of `drift`.'),
  })
  .superRefine((value, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const glob = containsGlob(value.dir);
    if (glob && value.name !== undefined) {
      issue(
        'name',
        "cannot be used with glob patterns in 'dir'; glob patterns expand to multiple projects which cannot share the same name",
      );
    }
    if (!glob && value.glob_file_match) issue('glob_file_match', "can only be used when 'dir' contains a glob pattern");
    for (const pattern of value.glob_file_match ?? []) {
      const compiled = pattern.includes('/')
        ? { problem: 'it must be the pattern of a file name' }
        : compileGlob(pattern);
      if ('problem' in compiled) issue('glob_file_match', `invalid pattern: ${pattern}: ${compiled.problem}`);
    }
  });

export const repositoryConfig = z
  .strictObject(
    {
      version: z
        .unknown()
        .superRefine((value, context) => {
          if (value === undefined) context.addIssue('is required: write `version: 3`');
          else if (value === 2)
            context.addIssue(
              'version 2 is not read: write `version: 3`; `run` steps are then given to the shell as they are written',
            );
          else if (value !== 3) context.addIssue('only version 3 is supported: write `version: 3`');
        })
        .meta({ const: 3, description: 'Always 3.' }),
      automerge: flag.optional().describe('Merge the pull request when all its plans are applied.'),
      parallel_plan: flag.optional().describe('Whether plans of one order group run side by side.'),
      parallel_apply: flag.optional().describe('Whether applies of one order group run side by side.'),
      abort_on_execution_order_fail: flag.prefault(false).describe('Whether a failure stops the later order groups.'),
      autodiscover: autodiscover.optional().describe('Whether projects are discovered beside those named here.'),
      repo_locks: repoLocks.optional().describe('When projects are locked. Needs the server’s `allowed_overrides`.'),
      drift: repositoryDrift.optional().describe('Drift checks: what really runs, compared with the tracked branch.'),
      projects: z.array(project).prefault([]).describe('The projects of this repository.'),
      workflows: workflows.optional().describe('Workflows by name. Needs the server’s `allow_custom_workflows`.'),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? 'the file must be a mapping of keys' : undefined) },
  )
  .meta({ title: 'holdfast.yaml' });

export type RawRepositoryConfig = z.output<typeof repositoryConfig>;

const NO_COMMAND = 'there is no such command';
const NO_POLICIES = 'there are no policy checks';
const PROJECT_KEYS: ForeignKeys[string] = {
  import_requirements: { severity: 'warning', why: NO_COMMAND, values: REQUIREMENTS },
  delete_source_branch_on_merge: { severity: 'warning', why: 'branches are never deleted' },
  policy_check: { severity: 'warning', why: NO_POLICIES },
  custom_policy_check: { severity: 'warning', why: NO_POLICIES },
  silence_pr_comments: { severity: 'warning', why: 'there is one comment, edited in place', values: ['plan', 'apply'] },
};

export const FOREIGN_KEYS: ForeignKeys = {
  '': {
    delete_source_branch_on_merge: { severity: 'warning', why: 'branches are never deleted' },
    emoji_reaction: { severity: 'warning', why: 'the reactions are fixed' },
    allowed_regexp_prefixes: { severity: 'warning', why: '-p takes a name' },
    silence_pr_comments: {
      severity: 'warning',
      why: 'there is one comment, edited in place',
      values: ['plan', 'apply'],
    },
    policies: { severity: 'warning', why: NO_POLICIES },
  },
  'projects.*': PROJECT_KEYS,
  ...WORKFLOW_STAGES,
};
