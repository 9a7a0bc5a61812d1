import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_REPO_CONFIG_BYTES, readRepositoryConfig } from '../../../src/config/repo-config.ts';
import type { RepositoryConfig } from '../../../src/core/repository-config.ts';
import { DEFAULT_WORKFLOW } from '../../../src/core/workflow.ts';

function read(text: string): RepositoryConfig {
  const result = readRepositoryConfig(text, 'holdfast.yaml');
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

function problems(text: string): readonly string[] {
  const result = readRepositoryConfig(text, 'holdfast.yaml');
  const found = 'problems' in result ? result.problems : [];
  return found.map(
    ({ line, message, suggestion }) => `${line}: ${message}${suggestion === undefined ? '' : ` -> ${suggestion}`}`,
  );
}

function warnings(text: string): readonly string[] {
  return readRepositoryConfig(text, 'holdfast.yaml').warnings.map(({ line, message }) => `${line}: ${message}`);
}

const project = (body: string) => `version: 3\nprojects:\n- dir: a\n  ${body}\n`;

describe('what is read', () => {
  test('a file with every key', () => {
    const text = `
version: 3
automerge: true
parallel_plan: no
parallel_apply: off
abort_on_execution_order_fail: yes
autodiscover: {mode: enabled, ignore_paths: [x/**]}
repo_locks: {mode: on_apply}
projects:
- name: web
  dir: ./infra/web/
  branch: /^main$/
  workspace: staging
  workflow: custom
  terraform_version: v1.10
  terraform_distribution: opentofu
  autoplan: {enabled: false, when_modified: ['*.tf', '!x.tf', ../mod/**]}
  plan_requirements: [approved]
  apply_requirements: [mergeable, undiverged]
  execution_order_group: 2
  depends_on: [net]
  repo_locks: {mode: disabled}
- {name: net, dir: net}
- {dir: 'envs/*', glob_file_match: ['*.tf']}
workflows:
  custom:
    plan: {steps: [init, plan]}
  empty:
  none: {apply: {steps: []}, plan: }
`;
    const config = read(text);
    expect(config).toMatchObject({
      file: 'holdfast.yaml',
      automerge: true,
      parallelPlan: false,
      parallelApply: false,
      abortOnExecutionOrderFail: true,
      autodiscover: { mode: 'enabled', ignorePaths: ['x/**'] },
      repoLocks: 'on_apply',
    });
    expect(config.projects[0]).toEqual({
      line: 10,
      dir: 'infra/web',
      globFileMatch: undefined,
      name: 'web',
      branch: '^main$',
      workspace: 'staging',
      workflow: 'custom',
      terraformVersion: '1.10.0',
      terraformDistribution: 'opentofu',
      autoplan: { enabled: false, whenModified: ['*.tf', '!x.tf', '../mod/**'] },
      planRequirements: ['approved'],
      applyRequirements: ['mergeable', 'undiverged'],
      executionOrderGroup: 2,
      dependsOn: ['net'],
      repoLocks: 'disabled',
    });
    expect(config.projects[2]).toMatchObject({ dir: 'envs/*', globFileMatch: ['*.tf'], workspace: 'default' });
    expect(config.workflows.get('empty')).toEqual({ ...DEFAULT_WORKFLOW, name: 'empty' });
    expect(config.workflows.get('none')).toMatchObject({ plan: DEFAULT_WORKFLOW.plan, apply: [] });
  });

  test('what is not written has its defaults', () => {
    const config = read('version: 3\nprojects: [{dir: .}]\nworkflows:\n');
    expect(config).toMatchObject({
      automerge: undefined,
      parallelPlan: undefined,
      autodiscover: undefined,
      repoLocks: undefined,
    });
    expect(config.projects[0]).toMatchObject({
      dir: '.',
      workspace: 'default',
      autoplan: { enabled: true, whenModified: undefined },
      executionOrderGroup: 0,
      dependsOn: [],
      applyRequirements: undefined,
    });
    expect(config.workflows.size).toBe(0);
    expect(read('version: 3\nautodiscover: {}\nrepo_locks:\n  mode:\n')).toMatchObject({
      autodiscover: { mode: 'auto', ignorePaths: [] },
      repoLocks: 'on_plan',
    });
  });

  test.each([
    ['/a/b/c', 'a/b/c'],
    ['./mydir/anotherdir/../', 'mydir'],
    ['././', '.'],
  ])('dir %s is %s', (written, dir) => {
    expect(read(`version: 3\nprojects: [{dir: '${written}'}]`).projects[0]?.dir).toBe(dir);
  });

  test.each([
    ['1', '1.0.0'],
    ['1.10', '1.10.0'],
    ['v0.11.0', '0.11.0'],
    ['1.9.0-beta1', '1.9.0-beta1'],
  ])('terraform_version %s is %s', (written, version) => {
    expect(read(project(`terraform_version: ${written}`)).projects[0]?.terraformVersion).toBe(version);
  });

  test('an empty workspace is the default one', () => {
    expect(read(project('workspace: ""')).projects[0]?.workspace).toBe('default');
  });

  test('a number is a text where a text is wanted', () => {
    expect(read(project('workspace: 1.20')).projects[0]?.workspace).toBe('1.20');
  });

  test('merge keys and aliases', () => {
    const config = read('version: 3\nprojects:\n- &a {dir: a, workspace: w}\n- <<: *a\n  dir: b\n');
    expect(config.projects[1]).toMatchObject({ dir: 'b', workspace: 'w' });
  });
});

describe('what is refused', () => {
  test('all problems at once, by line, with what was meant', () => {
    expect(
      problems(
        'version: 3\nprojets: []\nprojects:\n- dirr: a\n  workspace: a/b\n- dir: b\n  terraform_distribution: opentoful\n',
      ),
    ).toEqual([
      '2: projets: unknown key -> projects',
      '4: projects[0].dir: is required',
      '4: projects[0].dirr: unknown key -> dir',
      "5: projects[0].workspace: a workspace cannot contain '/' or '\\'",
      '7: projects[1].terraform_distribution: "opentoful" is not a valid value, only "terraform", "opentofu" are supported -> opentofu',
    ]);
  });

  test.each([
    ['', '1: version: is required: write `version: 3`'],
    ['version:\nprojects: []', '1: version: is required: write `version: 3`'],
    ['version: 2', '1: version: version 2 is not read: write `version: 3`'],
    ['version: 4', '1: version: only version 3 is supported: write `version: 3`'],
    ['version: "3"', '1: version: only version 3'],
    ['slkjds', '1: the file must be a mapping of keys'],
    ['[1]', '1: the file must be a mapping of keys'],
    ['version: 3\nprojects: value', '2: projects: must be a list'],
    ['version: 3\nprojects: [~]', '2: projects[0]: must be a mapping of keys'],
    ['version: 3\nparallel_apply: notabool', '2: parallel_apply: must be true or false'],
    ['version: 3\nversion: 3', '2: not valid YAML: Map keys must be unique'],
    ['version: 3\nautomerge: "x', '2: not valid YAML'],
    ['version: 3\nautodiscover: {mode: sometimes}', '2: autodiscover.mode: "sometimes" is not a valid value'],
    ['version: 3\nautodiscover: {ignore_paths: ["foo["]}', '2: autodiscover.ignore_paths[0]: invalid pattern: foo['],
    ['version: 3\nautodiscover: {ignore_paths: ["\\\\"]}', '2: autodiscover.ignore_paths[0]: invalid pattern: \\'],
    [
      'version: 3\nworkflows: {x: {plan: {steps: [oops]}}}',
      '2: workflows.x.plan.steps[0]: "oops" is not a valid step type',
    ],
    ['version: 3\nworkflows: {x: {plann: {}}}', '2: workflows.x.plann: unknown key -> plan'],
    ['version: 3\nworkflows: [x]', '2: workflows: must be a mapping of workflows by name'],
    [
      'version: 3\nworkflows: {x: {import: {steps: [oops]}}}',
      '2: workflows.x.import.steps[0]: "oops" is not a valid step type',
    ],
    [project('dir2: x'), '4: projects[0].dir2: unknown key -> dir'],
    [project('branch: main'), '4: projects[0].branch: must be a regular expression that begins and ends with a slash'],
    [project('branch: /(text/'), '4: projects[0].branch: parsing /(text/: missing closing )'],
    [project('terraform_version: ""'), '4: projects[0].terraform_version: version "" could not be parsed'],
    [project('terraform_version: ">= 1.0"'), '4: projects[0].terraform_version: version ">= 1.0" could not be parsed'],
    [project('name: ""'), '4: projects[0].name: if set cannot be empty'],
    [
      project('name: name with spaces'),
      '4: projects[0].name: "name with spaces" is not allowed: must contain only URL safe characters',
    ],
    [project('name: a*'), '4: projects[0].name: cannot contain glob pattern characters'],
    [
      project('apply_requirements: [unsupported]'),
      '4: projects[0].apply_requirements[0]: "unsupported" is not a valid value',
    ],
    [
      project('apply_requirements: [policies_passed]'),
      '4: projects[0].apply_requirements[0]: "policies_passed" is not a valid value',
    ],
    [project('import_requirements: [unsupported]'), '4: projects[0].import_requirements: known to Atlantis'],
    [project('autoplan: {when_modified: ["["]}'), '4: projects[0].autoplan.when_modified[0]: invalid pattern: ['],
    [project('autoplan: {when_modified: ["!"]}'), '4: projects[0].autoplan.when_modified[0]: invalid pattern: !'],
    [project('execution_order_group: 1.5'), '4: projects[0].execution_order_group: must be a whole number'],
    [project('depends_on: [b]'), '3: depends_on: there is no project with name "b"'],
    [
      project('glob_file_match: ["*.tf"]'),
      "4: projects[0].glob_file_match: can only be used when 'dir' contains a glob pattern",
    ],
    [
      'version: 3\nprojects: [{dir: "a/*", glob_file_match: []}]',
      '2: projects[0].glob_file_match: cannot be an empty list',
    ],
    [
      'version: 3\nprojects: [{dir: "a/*", glob_file_match: [b/c]}]',
      '2: projects[0].glob_file_match: invalid pattern: b/c',
    ],
    [
      'version: 3\nprojects: [{dir: "a/*", name: x}]',
      "2: projects[0].name: cannot be used with glob patterns in 'dir'",
    ],
    ['version: 3\nprojects: [{dir: ../x}]', "2: projects[0].dir: cannot contain '..' that leaves the repository"],
    ['version: 3\nprojects: [{dir: ""}]', '2: projects[0].dir: cannot be blank'],
    ['version: 3\nprojects: [{dir: "[abc"}]', '2: projects[0].dir: invalid glob pattern'],
    ['version: 3\nprojects: [{dir: [a]}]', '2: projects[0].dir: must be text'],
    [
      'version: 3\nprojects: [{dir: a, name: n}, {dir: b, name: n}]',
      '2: found two or more projects with name "n"; project names must be unique',
    ],
    [
      'version: 3\nprojects: [{dir: a, name: n}, {dir: a}]',
      '2: there are two or more projects with dir: "a" workspace: "default" that are not all named',
    ],
    [
      'version: 3\nprojects: [{dir: a, name: n, depends_on: [m]}, {dir: b, name: m, execution_order_group: 1}]',
      '2: depends_on: "m" is in a later execution_order_group (1)',
    ],
    [
      'version: 3\nprojects: [{dir: a, name: a, depends_on: [b]}, {dir: b, name: b, depends_on: [a]}]',
      '2: depends_on: these projects wait for each other: a -> b -> a',
    ],
    [
      'version: 3\nprojects: [{dir: x, name: x, depends_on: [a]}, {dir: a, name: a, depends_on: [a]}]',
      '2: depends_on: these projects wait for each other: a -> a',
    ],
  ])('%j', (text, wanted) => {
    const found = problems(text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(wanted);
  });

  test('two named projects may share a place', () => {
    expect(problems('version: 3\nprojects: [{dir: a, name: n}, {dir: a, name: m, depends_on: [n]}]')).toEqual([]);
    expect(problems('version: 3\nprojects: [{dir: a}, {dir: a, workspace: b}]')).toEqual([]);
  });
});

describe('keys of Atlantis that are not honoured', () => {
  test('are told, and nothing else is wrong', () => {
    const text = `version: 3
emoji_reaction: eyes
delete_source_branch_on_merge: true
projects:
- dir: a
  policy_check: true
  silence_pr_comments: [plan]
  import_requirements: [approved]
  repo_locking: false
workflows:
  x:
    policy_check: {steps: [show, policy_check]}
    state_rm: ~
`;
    expect(problems(text)).toEqual([]);
    expect(warnings(text).map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      '2: emoji_reaction:',
      '3: delete_source_branch_on_merge:',
      '6: projects[0].policy_check:',
      '7: projects[0].silence_pr_comments:',
      '8: projects[0].import_requirements:',
      '9: projects[0].repo_locking:',
      '12: workflows.x.policy_check:',
      '13: workflows.x.state_rm:',
    ]);
    expect(read(text).projects[0]?.repoLocks).toBe('disabled');
    expect(warnings(text)[0]).toContain('known to Atlantis, not honoured by Holdfast yet');
  });

  test('the newer key wins over the older', () => {
    expect(read(project('repo_locking: true')).projects[0]?.repoLocks).toBe('on_plan');
    expect(read(project('repo_locking: true\n  repo_locks: {mode: on_apply}')).projects[0]?.repoLocks).toBe('on_apply');
  });
});

describe('hostile files', () => {
  test.each([
    [
      'a bomb of aliases',
      `version: 3\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(8)}]\nc: &c [${'*b,'.repeat(8)}]\nd: &d [${'*c,'.repeat(8)}]\n`,
    ],
    ['deep flow', '['.repeat(50_000)],
    ['deep block', '- '.repeat(50_000)],
    ['a large file', `version: 3\n#${'x'.repeat(MAX_REPO_CONFIG_BYTES)}`],
    ['a strange key', 'version: 3\n__proto__: {automerge: true}\n'],
    ['a collection as key', '? [foo]\n: bar\nversion: 3\n'],
  ])('%s', (_name, text) => {
    expect(problems(text).length).toBeGreaterThan(0);
  });

  test('more problems than anyone reads are counted', () => {
    const text = `version: 3\nprojects:\n${'- {}\n'.repeat(150)}`;
    expect(problems(text)).toHaveLength(101);
    expect(problems(text).at(-1)).toContain('and 50 more problems');
  });

  test('never throws, and every problem has a line', () => {
    const piece = fc.constantFrom(
      'version: 3\n',
      'projects:\n',
      '- dir: a\n',
      '  name: x\n',
      '  workspace: ',
      'workflows:\n',
      '  x:\n',
      '    plan:\n',
      '&a ',
      '*a',
      '<<: ',
      '[',
      ']',
      '{',
      '}',
      ': ',
      '- ',
      '~\n',
      '"',
      '!!set ',
      '\t',
      '? ',
      '|\n',
      '__proto__: ',
      'constructor: ',
      '\u0000',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 6 })), { maxLength: 25 }), (pieces) => {
        const result = readRepositoryConfig(pieces.join(''), 'f');
        if ('problems' in result) expect(result.problems.every((one) => one.message !== '')).toBe(true);
      }),
      { numRuns: 600 },
    );
  });
});
