import { describe, expect, test } from 'vitest';
import type { RepositoryRule } from '../../../src/core/repository-rules.ts';
import { resolveProjects, type ResolvedProjects } from '../../../src/core/resolve-projects.ts';
import { buildDriftKeys } from '../../support/builders.ts';
import { backend, cloud, commit, CUSTOM, input, OPEN, reads, rules, uses, type Files } from './finder-fixture.ts';

type Keys = Partial<RepositoryRule>;

const planned = (resolved: ResolvedProjects) => resolved.autoplan.map((found) => found.project.dir);
const S3 = backend('s3');

const TREE: Files = {
  'prod/main.tf': { ...S3, ...uses('../modules/net') },
  'dev/main.tf': { ...S3, ...uses('../modules/net') },
  'lone/main.tf': { ...S3, ...reads('../lone/data.json') },
  'modules/net/main.tf': uses('../base'),
  'modules/base/main.tf': {},
  'prod/env/staging.tfvars': {},
  'lone/data.json': {},
};

function discover(changed: readonly string[], files: Files = TREE) {
  return resolveProjects(input({ head: commit(files), changed }));
}

describe('discovery', () => {
  test.each([
    [['prod/main.tf'], ['prod']],
    [['modules/net/main.tf'], ['dev', 'prod']],
    [['modules/base/outputs.tf'], ['dev', 'prod']],
    [['prod/env/staging.tfvars'], ['prod']],
    [['prod/x.auto.tfvars.json'], ['prod']],
    [['dev/.terraform.lock.hcl'], ['dev']],
    [['lone/data.json'], ['lone']],
    [['prod/readme.md'], []],
    [['prod/.tflint.hcl'], []],
    [['prod/terraform.tfstate', 'prod/terraform.tfstate.backup'], []],
    [['elsewhere/main.tfvars'], []],
    [['modules/gone/main.tf'], []],
  ])('%j plans %j', (changed, dirs) => {
    expect(planned(discover(changed))).toEqual(dirs);
  });

  test('says why', () => {
    const reasons = (changed: string) => discover([changed]).autoplan[0]?.reasons;
    expect(reasons('dev/main.tf')).toEqual(['dev/main.tf changed']);
    expect(reasons('modules/base/main.tf')).toEqual(['modules/base/main.tf changed, in the local module modules/base']);
    expect(reasons('lone/data.json')).toEqual(['lone/data.json changed, which it reads']);
  });

  test('a module without callers belongs to the root above its modules folder', () => {
    const files = { 'app/main.tf': {}, 'app/modules/x/main.tf': {} };
    expect(planned(discover(['app/modules/x/main.tf'], files))).toEqual(['app']);
    expect(planned(discover(['modules/x/main.tf'], { 'main.tf': {}, 'modules/x/main.tf': {} }))).toEqual(['.']);
    expect(planned(discover(['modules/x/main.tf'], { 'app/main.tf': {}, 'modules/x/main.tf': {} }))).toEqual([]);
  });

  test('all roots are there to be named, touched or not', () => {
    const { all } = discover(['prod/main.tf']);
    expect(all.map((found) => [found.project.dir, found.origin, found.reasons.length])).toEqual([
      ['dev', 'discovered', 0],
      ['lone', 'discovered', 0],
      ['prod', 'discovered', 1],
    ]);
  });

  test('modes and ignored paths, of the repository and of the server over it', () => {
    const all = (yaml: string | undefined, ...own: readonly Keys[]) =>
      resolveProjects(input({ head: commit(TREE, yaml), rules: rules(OPEN, ...own) })).all.map(
        (found) => found.project.dir,
      );
    expect(all('projects: [{dir: prod}]')).toEqual(['prod']);
    expect(all('projects: [{dir: prod}]\nautodiscover: {mode: enabled}')).toEqual(['prod', 'dev', 'lone']);
    expect(all('autodiscover: {mode: disabled}')).toEqual([]);
    expect(all("autodiscover: {ignore_paths: ['lo*']}")).toEqual(['dev', 'prod']);
    expect(all('autodiscover: {mode: disabled}', { autodiscover: { mode: 'enabled', ignorePaths: ['dev'] } })).toEqual([
      'lone',
      'prod',
    ]);
  });
});

describe('the config', () => {
  const changedIn = (yaml: string, changed: readonly string[], files: Files = TREE) =>
    resolveProjects(input({ head: commit(files, yaml), changed }));

  test('without when_modified, files of the project, its modules and what it reads', () => {
    const yaml = 'projects: [{dir: prod}, {dir: lone}]';
    expect(planned(changedIn(yaml, ['prod/a/b.tf']))).toEqual(['prod']);
    expect(planned(changedIn(yaml, ['modules/base/main.tf']))).toEqual(['prod']);
    expect(planned(changedIn(yaml, ['lone/data.json']))).toEqual(['lone']);
    expect(planned(changedIn(yaml, ['main.tf']))).toEqual([]);
  });

  test('a written when_modified is obeyed to the letter', () => {
    const yaml = "projects: [{dir: prod, autoplan: {when_modified: ['*.tf', '!x.tf', '../lone/**']}}]";
    expect(planned(changedIn(yaml, ['prod/main.tf']))).toEqual(['prod']);
    expect(planned(changedIn(yaml, ['prod/x.tf']))).toEqual([]);
    expect(planned(changedIn(yaml, ['lone/data.json']))).toEqual(['prod']);
    expect(planned(changedIn(yaml, ['modules/net/main.tf']))).toEqual([]);
  });

  test('autoplan can be off; the project is touched all the same', () => {
    const resolved = changedIn('projects: [{dir: prod, autoplan: {enabled: false}}]', ['prod/main.tf']);
    expect(planned(resolved)).toEqual([]);
    expect(resolved.all[0]?.reasons).toEqual(['prod/main.tf changed']);
  });

  test('a glob is a project in every directory with Terraform files; a written place counts more', () => {
    const files = { ...TREE, 'envs/a/main.tf': {}, 'envs/b/x.tofu': {}, 'envs/c/notes.md': {} };
    const { all } = changedIn("projects: [{dir: 'envs/*', execution_order_group: 1}, {dir: envs/a}]", [], files);
    expect(all.map(({ project }) => [project.dir, project.executionOrderGroup])).toEqual([
      ['envs/a', 0],
      ['envs/b', 1],
    ]);
    const matched = changedIn("projects: [{dir: 'envs/*', glob_file_match: ['*.md']}]", [], files);
    expect(matched.all.map(({ project }) => project.dir)).toEqual(['envs/c']);
  });

  test('other base branches have other projects', () => {
    const yaml = 'projects: [{dir: prod, branch: /^release/}, {dir: dev}]';
    expect(changedIn(yaml, []).all.map(({ project }) => project.dir)).toEqual(['dev']);
    const release = resolveProjects(input({ head: commit(TREE, yaml), baseBranch: 'release-1' }));
    expect(release.all).toHaveLength(2);
  });

  test('a directory that does not exist has no project', () => {
    expect(
      changedIn('projects: [{dir: gone}, {dir: prod}]', ['gone/main.tf']).all.map(({ project }) => project.dir),
    ).toEqual(['prod']);
  });

  test('groups come in order, and everything of an entry is in its project', () => {
    const yaml =
      'projects: [{dir: prod, name: p, workspace: w, execution_order_group: 2, depends_on: [d], terraform_version: 1.2.3, terraform_distribution: opentofu}, {dir: dev, name: d}]';
    const { all } = changedIn(yaml, []);
    expect(all.map(({ project }) => project.name)).toEqual(['d', 'p']);
    expect(all[1]?.project).toMatchObject({
      workspace: 'w',
      terraformVersion: '1.2.3',
      terraformDistribution: 'opentofu',
      dependsOn: ['d'],
      executionOrderGroup: 2,
    });
  });

  test('what an entry says of drift checks comes along, and is no reason to plan', () => {
    const base = commit(TREE, 'projects: [{dir: prod}]');
    const head = commit(TREE, 'projects: [{dir: prod, drift: {every: 1h}}]');
    const resolved = resolveProjects(input({ base, head, changed: ['holdfast.yaml'] }));
    expect(resolved.autoplan).toEqual([]);
    const {
      report: _report,
      maxOpenIssues: _most,
      ...keys
    } = buildDriftKeys({
      schedule: { kind: 'every', everyMs: 3_600_000 },
    });
    expect(resolved.all.map((found) => found.drift)).toEqual([keys]);
  });

  test('a changed entry is a reason of its own', () => {
    const base = commit(TREE, 'projects: [{dir: prod}, {dir: dev}]');
    const head = commit(TREE, 'projects: [{dir: prod, terraform_version: 1.2.3}, {dir: dev}, {dir: lone}]');
    const resolved = resolveProjects(input({ base, head, changed: ['holdfast.yaml'] }));
    expect(resolved.autoplan.map((found) => [found.project.dir, found.reasons])).toEqual([
      ['prod', ['its entry in the config changed']],
    ]);
  });

  test('settings: merging from the base branch, the rest as both say', () => {
    const base = commit(TREE, 'automerge: true\nabort_on_execution_order_fail: true');
    const head = commit(TREE, 'automerge: false\nparallel_plan: false');
    expect(resolveProjects(input({ base, head })).settings).toEqual({
      automerge: true,
      parallelPlan: false,
      parallelApply: true,
      abortOnExecutionOrderFail: true,
    });
    expect(resolveProjects(input({ head: commit(TREE) })).settings).toMatchObject({
      automerge: undefined,
      parallelPlan: true,
      abortOnExecutionOrderFail: false,
    });
  });

  test('the name counts only where the base branch has several projects in one place', () => {
    const base = commit(TREE, 'projects: [{dir: prod, name: a}, {dir: prod, name: b}, {dir: dev, name: c}]');
    const head = commit(TREE, 'projects: [{dir: dev, name: c}, {dir: dev, name: d}]');
    const resolved = resolveProjects(input({ base, head }));
    expect(resolved.nameCounts({ dir: 'prod', workspace: 'default' })).toBe(true);
    expect(resolved.nameCounts({ dir: 'prod', workspace: 'w' })).toBe(false);
    expect(resolved.nameCounts({ dir: 'dev', workspace: 'default' })).toBe(false);
  });
});

describe('what decides comes from the base branch', () => {
  const DEMANDS =
    'projects: [{dir: prod, name: p, workflow: custom, plan_requirements: [mergeable], apply_requirements: [approved], repo_locks: {mode: on_apply}}]';

  function project(baseYaml: string | undefined, headYaml: string | undefined, ...own: readonly Keys[]) {
    const resolved = resolveProjects(
      input({
        base: commit(TREE, baseYaml),
        head: commit(TREE, headYaml),
        rules: rules(...(own.length > 0 ? own : [OPEN])),
      }),
    );
    const found = resolved.all.find((one) => one.project.dir === 'prod');
    if (!found) throw new Error(JSON.stringify(resolved.problems));
    return found;
  }

  const KEPT = {
    workflow: CUSTOM,
    planRequirements: ['mergeable'],
    applyRequirements: ['approved'],
    repoLocks: 'on_apply',
  };

  test.each([
    ['unchanged', DEMANDS],
    ['its demands dropped', 'projects: [{dir: prod, name: p}]'],
    ['renamed', 'projects: [{dir: prod, name: other}]'],
    ['without its name', 'projects: [{dir: prod}]'],
    ['removed and discovered', 'projects: [{dir: dev}]\nautodiscover: {mode: enabled}'],
    ['without any config', undefined],
    ['moved under a glob', "projects: [{dir: 'p*'}]"],
  ])('an entry %s keeps its demands', (_how, head) => {
    expect(project(DEMANDS, head).project).toMatchObject(KEPT);
  });

  test('of several projects in one place a new one has all demands', () => {
    const base =
      'projects: [{dir: prod, name: a, apply_requirements: [approved]}, {dir: prod, name: b, apply_requirements: [mergeable]}]';
    expect(project(base, 'projects: [{dir: prod, name: c}]').project.applyRequirements).toEqual([
      'approved',
      'mergeable',
    ]);
    expect(project(base, 'projects: [{dir: prod, name: b}]').project.applyRequirements).toEqual(['mergeable']);
  });

  test('another workspace of the directory is another project', () => {
    const base = 'projects: [{dir: prod, workspace: w, apply_requirements: [approved], repo_locks: {mode: on_apply}}]';
    expect(project(base, 'projects: [{dir: prod}]').project).toMatchObject({
      applyRequirements: [],
      repoLocks: 'on_plan',
    });
  });

  test('of several entries the first that says when to lock counts, then the file', () => {
    const entries = '{dir: prod, name: a}, {dir: prod, name: b, repo_locks: {mode: disabled}}';
    const base = `repo_locks: {mode: on_apply}\nprojects: [${entries}]`;
    expect(project(base, 'projects: [{dir: prod, name: c}]').project.repoLocks).toBe('disabled');
    expect(project(base, 'projects: [{dir: prod, name: a}]').project.repoLocks).toBe('on_apply');
  });

  test('a list of workflows holds where the base branch has no config', () => {
    const head = 'projects: [{dir: prod, workflow: custom}]';
    const resolved = resolveProjects(
      input({ base: commit(TREE), head: commit(TREE, head), rules: rules({ ...OPEN, allowedWorkflows: ['other'] }) }),
    );
    expect(resolved.problems).toHaveLength(1);
    expect(resolved.all).toEqual([]);
  });

  test('a pull request may demand more, not less', () => {
    const head = 'projects: [{dir: prod, name: p, apply_requirements: [undiverged]}]';
    expect(project(DEMANDS, head).project.applyRequirements).toEqual(['approved', 'undiverged']);
  });

  test('the base branch overrides the server where it may, and only there', () => {
    const server = { applyRequirements: ['mergeable'], planRequirements: ['approved'], repoLocks: 'disabled' } as const;
    expect(project('projects: [{dir: prod, apply_requirements: []}]', undefined, OPEN, server).project).toMatchObject({
      applyRequirements: [],
      planRequirements: ['approved'],
      repoLocks: 'disabled',
    });
    expect(project(DEMANDS, undefined, server).project).toMatchObject({
      workflow: { name: 'default' },
      applyRequirements: ['mergeable'],
      planRequirements: ['approved'],
      repoLocks: 'disabled',
    });
    expect(
      project('projects: [{dir: dev}]', 'projects: [{dir: prod, apply_requirements: []}]', OPEN, server).project
        .applyRequirements,
    ).toEqual(['mergeable']);
  });

  test('repo_locks of the whole file', () => {
    expect(project('repo_locks: {mode: on_apply}', undefined).project.repoLocks).toBe('on_apply');
    expect(project(undefined, 'repo_locks: {mode: disabled}').project.repoLocks).toBe('on_plan');
    expect(project('repo_locks: {mode: on_apply}', undefined, {}).project.repoLocks).toBe('on_plan');
  });

  test('workflows of a pull request do not run', () => {
    const mine = 'workflows: {mine: {plan: {steps: [{run: evil}]}}}\nprojects: [{dir: prod, workflow: mine}]';
    expect(project(undefined, mine)).toMatchObject({
      unplannable: expect.stringContaining('"mine" is not on the base branch yet'),
      project: { workflow: { name: 'default' } },
    });
    const redefined =
      'workflows: {custom: {plan: {steps: [{run: evil}]}}, default: {plan: {steps: [{run: evil}]}}}\nprojects: [{dir: prod, workflow: custom}]';
    expect(project(undefined, redefined).project.workflow).toBe(CUSTOM);
    expect(
      project(undefined, 'workflows: {default: {plan: {steps: [{run: evil}]}}}').project.workflow.plan,
    ).toHaveLength(2);
  });

  test('workflows of the base branch do, where they are allowed', () => {
    const base =
      'workflows: {own: {plan: {steps: [plan]}}, default: {plan: {steps: [show]}}}\nprojects: [{dir: prod, workflow: own}, {dir: dev}]';
    expect(project(base, base).project.workflow.plan).toEqual([{ kind: 'plan', extraArgs: [] }]);
    const resolved = resolveProjects(input({ head: commit(TREE, base) }));
    expect(resolved.all.find((one) => one.project.dir === 'dev')?.project.workflow.plan).toEqual([
      { kind: 'show', extraArgs: [] },
    ]);
    expect(project(base, undefined, { allowedOverrides: ['workflow'] }).unplannable).toContain('"own"');
    expect(project(base, undefined, { allowCustomWorkflows: true }).project.workflow.name).toBe('default');
  });

  test('a new project may choose a workflow that is there, if it is on the list', () => {
    const head = 'projects: [{dir: prod, workflow: custom}]';
    expect(project(undefined, head).project.workflow).toBe(CUSTOM);
    expect(project(head, undefined, { ...OPEN, allowedWorkflows: ['other'] }).project.workflow.name).toBe('default');
    expect(project(head, undefined, { ...OPEN, allowedWorkflows: ['custom'] }).project.workflow).toBe(CUSTOM);
  });

  test('a base branch whose config is broken blocks applies', () => {
    expect(resolveProjects(input({ head: commit(TREE), baseConfigUnreadable: true })).applyBlock).toContain(
      'cannot be read',
    );
    expect(resolveProjects(input({ head: commit(TREE) })).applyBlock).toBeUndefined();
  });
});

describe('keys the server does not allow', () => {
  test.each([
    ['projects: [{dir: prod, plan_requirements: []}]', "'plan_requirements'"],
    ['projects: [{dir: prod, apply_requirements: [approved]}]', "'apply_requirements'"],
    ['projects: [{dir: prod, workflow: custom}]', "'workflow'"],
    ['projects: [{dir: prod, repo_locks: {mode: disabled}}]', "'repo_locks'"],
    ['repo_locks: {mode: disabled}', "'repo_locks'"],
    ['workflows: {x: }', 'allow_custom_workflows: true'],
  ])('%s stops everything and is told', (yaml, words) => {
    const resolved = resolveProjects(input({ head: commit(TREE, yaml), rules: rules(), changed: ['prod/main.tf'] }));
    expect(resolved.problems.map((one) => one.message)).toEqual([expect.stringContaining(words)]);
    expect(resolved.all).toEqual([]);
    expect(resolveProjects(input({ head: commit(TREE, yaml) })).problems).toEqual([]);
  });

  test('workflows that are nowhere, or not on the list', () => {
    const messages = (yaml: string, own: Keys) =>
      resolveProjects(input({ head: commit(TREE, yaml), rules: rules(own) })).problems.map(
        (one) => `${one.line} ${one.message}`,
      );
    expect(messages('projects:\n- {dir: prod, workflow: nowhere}', OPEN)).toEqual([
      '3 workflow "nowhere" is not defined anywhere',
    ]);
    expect(messages('projects: [{dir: prod, workflow: custom}]', { ...OPEN, allowedWorkflows: ['x'] })[0]).toContain(
      'is not allowed for this repository',
    );
    expect(
      messages('workflows: {own: }\nprojects: [{dir: prod, workflow: own}]', { ...OPEN, allowedWorkflows: ['x'] }),
    ).toEqual([]);
    expect(messages('projects: [{dir: prod, workflow: default}]', OPEN)).toEqual([]);
  });
});

describe('what is recognised and not planned', () => {
  test.each([
    ['cloud', cloud('x'), 'a `cloud` block'],
    ['remote', backend('remote'), 'the `remote` backend'],
  ])('%s', (_kind, body, words) => {
    const files = { 'a/main.tf': body, 'b/main.tf': body };
    const resolved = discover(['a/main.tf'], files);
    expect(planned(resolved)).toEqual([]);
    expect(resolved.explanations).toHaveLength(1);
    expect(resolved.explanations[0]).toContain(words);
  });

  test('a cloud block names the workspace', () => {
    expect(discover([], { 'a/main.tf': cloud('ws') }).all[0]?.project.workspace).toBe('ws');
    expect(discover([], { 'a/main.tf': S3 }).all[0]?.project.workspace).toBe('default');
  });

  test('Terragrunt alone, in the config or not', () => {
    const files = { 'a/terragrunt.hcl': {}, 'b/main.tf': S3 };
    expect(discover(['a/terragrunt.hcl'], files).explanations).toEqual([
      expect.stringContaining('a is not planned: it has a terragrunt.hcl'),
    ]);
    expect(discover(['b/main.tf'], files).explanations).toEqual([]);
    const named = (workflow: string) =>
      resolveProjects(input({ head: commit(files, `projects: [{dir: a${workflow}}]`), changed: ['a/terragrunt.hcl'] }));
    expect(named('').explanations).toEqual([expect.stringContaining('a is not planned')]);
    expect(planned(named(', workflow: custom'))).toEqual(['a']);
    expect(named(', workflow: custom').explanations).toEqual([]);
  });

  test('files of OpenTofu only, for Terraform', () => {
    const files = { 'a/main.tofu': S3 };
    expect(discover(['a/main.tofu'], files).explanations[0]).toContain('terraform_distribution: opentofu');
    expect(
      planned(resolveProjects(input({ head: commit(files), changed: ['a/main.tofu'], distribution: 'opentofu' }))),
    ).toEqual(['a']);
  });
});

describe('roots that the pull request deletes', () => {
  const base = commit(TREE, 'projects: [{dir: prod}, {dir: prod, workspace: w}]');
  const { 'prod/main.tf': _gone, ...rest } = TREE;

  test('are told with their workspaces', () => {
    expect(resolveProjects(input({ base, head: commit(rest), changed: ['prod/main.tf'] })).removedRoots).toEqual([
      { dir: 'prod', workspaces: ['default', 'w'] },
    ]);
    expect(
      resolveProjects(input({ base: commit(TREE), head: commit(rest), changed: ['prod/main.tf'] })).removedRoots,
    ).toEqual([{ dir: 'prod', workspaces: ['default'] }]);
  });

  test('only when this pull request did it, and the directory has none left', () => {
    expect(resolveProjects(input({ base, head: commit(rest), changed: ['dev/main.tf'] })).removedRoots).toEqual([]);
    const renamed = commit({ ...rest, 'prod/other.tf': S3 });
    expect(
      resolveProjects(input({ base, head: renamed, changed: ['prod/main.tf', 'prod/other.tf'] })).removedRoots,
    ).toEqual([]);
  });
});
