import { dirname } from 'node:path';
import type { ProjectRun } from './project-run.ts';
import { PLAN_FILE, POLICY_CHECK_FILE, type RunLayout, SHOW_FILE } from './run-layout.ts';

export type Phase = 'init' | 'plan' | 'apply' | 'show';
export type Stage = 'plan' | 'apply';

/**
 * Names that a step of a workflow may not set, since they decide which programs, providers or configuration are run, where they
 * talk to, or what they are told about us. Prefixes end in `*`.
 */
const REFUSED = [
  'TF_*',
  'LD_*',
  'DYLD_*',
  'GIT_*',
  'SSH_*',
  'HOLDFAST_*',
  'NODE_*',
  'PYTHON*',
  'PERL*',
  'RUBY*',
  'BASH_*',
  'GO*',
  'CURL_*',
  'SSL_*',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'CHECKPOINT_DISABLE',
  'ENV',
  'GCONV_PATH',
  'HOME',
  'IFS',
  'LOCPATH',
  'MALLOC_*',
  'NETRC',
  'PATH',
  'PS4',
  'SHELL',
  'SHELLOPTS',
  'TMPDIR',
  'XDG_*',
];
const ALLOWED_OF_REFUSED = /^TF_VAR_/;

/** Why a step may not set this variable; undefined when it may. */
export function variableRefusal(name: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    return `"${name.slice(0, 60)}" is no name for an environment variable.`;
  }
  const upper = name.toUpperCase();
  if (ALLOWED_OF_REFUSED.test(name)) return undefined;
  const rule = REFUSED.find((pattern) =>
    pattern.endsWith('*') ? upper.startsWith(pattern.slice(0, -1)) : upper === pattern,
  );
  if (rule === undefined) return undefined;
  const instead = upper.startsWith('TF_CLI_ARGS')
    ? 'Use `extra_args` of the step instead.'
    : "If it is needed, the operator can give it through the server's credentials.";
  return `A step may not set ${name}: it would change what is run, or how. ${instead}`;
}

/** The whole environment of one process: nothing is inherited. */
export function stepEnvironment(
  run: ProjectRun,
  layout: RunLayout,
  stage: Stage,
  phase: Phase,
  stepVariables: ReadonlyMap<string, string>,
): Record<string, string> {
  return {
    ...Object.fromEntries(stepVariables),
    ...credentialVariables(run, stage, phase),
    ...baseVariables(run, layout, phase),
    ...atlantisVariables(run, layout, stage),
  };
}

function baseVariables(run: ProjectRun, layout: RunLayout, phase: Phase): Record<string, string> {
  return {
    PATH: [
      dirname(run.terraform.path),
      '/usr/local/sbin',
      '/usr/local/bin',
      '/usr/sbin',
      '/usr/bin',
      '/sbin',
      '/bin',
    ].join(':'),
    HOME: phase === 'init' ? layout.initHome.inside : layout.home.inside,
    LANG: 'C.UTF-8',
    TF_IN_AUTOMATION: '1',
    TF_INPUT: '0',
    TF_CLI_CONFIG_FILE: layout.cliConfig.inside,
    CHECKPOINT_DISABLE: '1',
    // Modules are fetched with git: it must not ask, nor take configuration from a repository that lies around the modules.
    GIT_TERMINAL_PROMPT: '0',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CEILING_DIRECTORIES: layout.checkout.inside,
    GIT_ALLOW_PROTOCOL: 'git:http:https:ssh',
  };
}

/** Showing a plan starts providers to ask for their schemas, and needs no credential for it. */
function credentialVariables(run: ProjectRun, stage: Stage, phase: Phase): Record<string, string> {
  if (phase === 'show') return {};
  const given = { ...run.credentials[stage].env, ...(phase === 'init' ? run.credentials.init.env : {}) };
  return Object.fromEntries(Object.entries(given).map(([name, secret]) => [name, secret.reveal()]));
}

/** The variables that Atlantis documents for custom `run` steps. */
export function atlantisVariables(run: ProjectRun, layout: RunLayout, stage: Stage): Record<string, string> {
  const { facts, project, terraform } = run;
  const output = layout.output.inside;
  const planFolder = stage === 'apply' ? layout.plan.inside : output;
  const variables: Record<string, string | undefined> = {
    WORKSPACE: project.workspace,
    ATLANTIS_TERRAFORM_VERSION: terraform.version,
    ATLANTIS_TERRAFORM_DISTRIBUTION: terraform.distribution,
    DIR: layout.projectDirectory,
    REPO_REL_DIR: project.dir,
    PLANFILE: `${planFolder}/${PLAN_FILE}`,
    SHOWFILE: `${output}/${SHOW_FILE}`,
    POLICYCHECKFILE: `${output}/${POLICY_CHECK_FILE}`,
    PROJECT_NAME: project.name ?? '',
    BASE_REPO_NAME: facts.baseRepoName,
    BASE_REPO_OWNER: facts.baseRepoOwner,
    HEAD_REPO_NAME: facts.headRepoName,
    HEAD_REPO_OWNER: facts.headRepoOwner,
    HEAD_BRANCH_NAME: facts.headBranchName,
    HEAD_COMMIT: facts.headCommit,
    BASE_BRANCH_NAME: facts.baseBranchName,
    PULL_NUM: facts.pullNumber?.toString(),
    PULL_URL: facts.pullUrl,
    PULL_AUTHOR: facts.pullAuthor,
    USER_NAME: facts.userName,
    COMMENT_ARGS: run.commandArgs.map(escapeCommentArg).join(','),
    ATLANTIS_PR_APPROVED: facts.pullApproved?.toString(),
    ATLANTIS_PR_MERGEABLE: facts.pullMergeable?.toString(),
  };
  return Object.fromEntries(
    Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Atlantis puts a backslash before every character, so that a shell takes none of them as its own. */
function escapeCommentArg(arg: string): string {
  return [...arg].map((character) => `\\${character}`).join('');
}
