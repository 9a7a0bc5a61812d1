import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Stage, startStage } from '../support/e2e-stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;

const CONFIG = `
verify: warn
forks: plan
autoplan_drafts: true
credentials:
  - name: the cloud
    phases: [plan, apply]
    env: { TF_VAR_token: credential-of-the-cloud }
repos:
  - id: /.*/
    allowed_overrides: [workflow, apply_requirements, repo_locks]
    allow_custom_workflows: true
  - id: /acme\\/strict/
    allowed_overrides: []
    allow_custom_workflows: false
  - id: /acme\\/narrow/
    branch: /^main$/
`;

beforeAll(async () => {
  stage = await startStage({ config: CONFIG });
});
afterAll(() => stage[Symbol.asyncDispose]());
afterEach((context) => stage.check(context));

const objects = (name: string, dirs: readonly string[], content: string) =>
  Object.fromEntries(dirs.map((dir) => [`${dir}/main.tf`, stage.root(name, dir, { [dir]: content })]));

describe('the config file', () => {
  test('all its problems come in one comment, with lines and suggestions; the next commit mends them', async () => {
    const name = 'problems';
    const good = 'version: 3\nprojects:\n  - dir: app\n';
    const repository = await stage.repository(name, { ...objects(name, ['app'], 'one'), 'holdfast.yaml': good });
    const pull = await stage.open(repository, {
      ...objects(name, ['app'], 'two'),
      'holdfast.yaml':
        'version: 3\nprojects:\n  - dir: app\n    workspce: staging\n    autoplan:\n      enabeld: true\n  - dir: ../out\nparalel_plan: true\n',
    });
    const body = stage.planComment(pull);
    expect(body).toContain('The configuration has problems');
    expect(body).toMatch(/`holdfast.yaml`, line 4: .*workspce.*did you mean `workspace`/);
    expect(body).toMatch(/`holdfast.yaml`, line 6: .*enabeld.*did you mean `enabled`/);
    expect(body).toMatch(/`holdfast.yaml`, line 7: /);
    expect(body).toMatch(/`holdfast.yaml`, line 8: .*paralel.*did you mean `parallel_plan`/);
    expect(await stage.runs(pull)).toEqual([]);
    expect(stage.statuses(pull)).toEqual([
      'holdfast/apply: failure nothing can be planned, so nothing can be applied',
      "holdfast/plan: failure 4 problems in the repository's config",
    ]);
    await stage.say(pull, 'ann', 'holdfast plan -d app');
    expect(stage.lastReply(pull)).toContain('The configuration has problems, so nothing was planned');
    expect(stage.lastReply(pull)).toMatch(/`holdfast.yaml`, line 4: .*workspce/);
    expect(await stage.runs(pull)).toEqual([]);
    await stage.push(pull, { 'holdfast.yaml': good });
    expect(stage.planComment(pull)).toContain('1 project: 1 to apply');
    expect(stage.planComment(pull)).not.toContain('Problems in the configuration');
  });

  test('atlantis.yaml is read where there is no holdfast.yaml; workspaces are made; foreign keys are said', async () => {
    const name = 'atlantis';
    const repository = await stage.repository(name, {
      ...objects(name, ['app'], 'one'),
      'atlantis.yaml':
        'version: 3\ndelete_source_branch_on_merge: true\nprojects:\n  - name: staging\n    dir: app\n    workspace: staging\n  - name: main\n    dir: app\n',
    });
    const pull = await stage.open(repository, objects(name, ['app'], 'two'));
    const body = stage.planComment(pull);
    expect(body).toContain('`staging: app (staging)`');
    expect(body).toContain('`main: app`');
    expect(body).toContain('2 projects: 2 to apply');
    expect(body).toContain('branches are never deleted');
    expect((await stage.locks(repository)).map(({ workspace }) => workspace)).toEqual(['default', 'staging']);
    await stage.say(pull, 'ann', 'holdfast apply -p main');
    expect(stage.lastReply(pull)).toContain('`main: app` | ✅ applied');
    expect(stage.lastReply(pull)).toContain('Still to be applied: `staging: app (staging)`');
    await stage.say(pull, 'ann', 'holdfast plan -d app -d nowhere');
    expect(stage.planComment(pull)).toContain('There are no Terraform files in "nowhere".');
    await stage.say(pull, 'ann', 'holdfast version -d nowhere');
    expect(stage.lastReply(pull)).toContain('there is no such project');
  });

  test('who may and what runs is read from the base branch: the head adds demands and takes none away', async () => {
    const name = 'trusted';
    const config = (extra: string) => `version: 3\nprojects:\n  - dir: app\n${extra}`;
    const repository = await stage.repository(name, {
      ...objects(name, ['app'], 'one'),
      'holdfast.yaml': config('    apply_requirements: [approved]\n'),
    });
    const pull = await stage.open(repository, {
      ...objects(name, ['app'], 'two'),
      'holdfast.yaml':
        config('    apply_requirements: []\n    workflow: mine\n') +
        'workflows:\n  mine:\n    plan:\n      steps:\n        - run: echo HEAD-WORKFLOW-RAN\n',
    });
    expect(stage.planComment(pull)).not.toContain('HEAD-WORKFLOW-RAN');
    await stage.say(pull, 'ann', 'holdfast apply');
    expect(stage.lastReply(pull)).toContain('it is not approved');
  });

  test('keys that the server does not allow are refused, not passed over', async () => {
    const name = 'strict';
    const repository = await stage.repository(name, objects(name, ['app'], 'one'));
    const pull = await stage.open(repository, {
      ...objects(name, ['app'], 'two'),
      'holdfast.yaml':
        'version: 3\nprojects:\n  - dir: app\n    apply_requirements: [approved]\nworkflows:\n  mine:\n    plan:\n      steps: [init]\n',
    });
    const body = stage.planComment(pull);
    expect(body).toContain("not allowed to set 'apply\\_requirements' key");
    expect(body).toContain('not allowed to define custom workflows');
    expect(await stage.runs(pull)).toEqual([]);
  });
});

describe('workflows', () => {
  test('run, env and multienv steps run in the sandbox and feed Terraform', async () => {
    const name = 'steps';
    const workflow = [
      'version: 3',
      'projects:',
      '  - dir: app',
      '    workflow: own',
      'workflows:',
      '  own:',
      '    plan:',
      '      steps:',
      '        - env: { name: TF_VAR_one, value: from-env }',
      "        - multienv: 'echo TF_VAR_two=from-multienv'",
      '        - run: echo "the step ran as $(id -u) in $(pwd) for $PROJECT_NAME $BASE_BRANCH_NAME"',
      '        - init',
      '        - plan',
      '    apply:',
      '      steps:',
      '        - run: echo before the apply',
      '        - apply',
      '',
    ].join('\n');
    const main = (content: string) =>
      `${stage.root(name, 'app', {})}
variable "one" {}
variable "two" {}

resource "fakecloud_object" "x" {
  name    = "${name}-x"
  content = "\${var.one} \${var.two} ${content}"
}
`;
    const repository = await stage.repository(name, { 'app/main.tf': main('one'), 'holdfast.yaml': workflow });
    const pull = await stage.open(repository, { 'app/main.tf': main('two') });
    expect(stage.planComment(pull)).toContain('from-env from-multienv two');
    await stage.say(pull, 'ann', 'holdfast apply');
    expect(stage.lastReply(pull)).toContain('1 applied');
    expect(stage.lastReply(pull)).toContain('before the apply');
    expect((await stage.object(`${name}-x`))?.content).toBe('from-env from-multienv two');
  });

  test('a failing step fails the plan with its words, and nothing can be applied', async () => {
    const name = 'failing';
    const repository = await stage.repository(name, {
      ...objects(name, ['app'], 'one'),
      'holdfast.yaml':
        'version: 3\nprojects:\n  - dir: app\n    workflow: own\nworkflows:\n  own:\n    plan:\n      steps:\n        - init\n        - run: echo the linter is unhappy; exit 3\n        - plan\n',
    });
    const pull = await stage.open(repository, objects(name, ['app'], 'two'));
    expect(stage.planComment(pull)).toContain('plan failed');
    expect(stage.planComment(pull)).toContain('the linter is unhappy');
    expect(stage.planComment(pull)).toContain('exit code 3');
    expect(stage.status(pull, 'holdfast/plan')).toBe('failure 1 of 1 project could not be planned');
    await stage.say(pull, 'ann', 'holdfast apply');
    expect(stage.lastReply(pull)).toContain('its plan failed');
  });
});

describe('order', () => {
  const ordered = (settings: string) =>
    `version: 3\n${settings}projects:\n  - { name: net, dir: net, execution_order_group: 1 }\n  - { name: data, dir: data, execution_order_group: 2, depends_on: [net] }\n  - { name: app, dir: app, execution_order_group: 3 }\n`;
  const dirs = ['app', 'data', 'net'];

  test('groups plan and apply one after the other; a dependency is asked for', async () => {
    const name = 'order';
    const repository = await stage.repository(name, { ...objects(name, dirs, 'one'), 'holdfast.yaml': ordered('') });
    const pull = await stage.open(repository, objects(name, dirs, 'two'));
    expect(await finishedInOrder(pull.repository.id, 'plan')).toEqual(['net', 'data', 'app']);
    await stage.say(pull, 'ann', 'holdfast apply -p data');
    expect(stage.lastReply(pull)).toContain('it depends on `net`, not applied yet');
    expect(stage.lastReply(pull)).toContain('Apply `net` first');
    await stage.say(pull, 'ann', 'holdfast apply');
    expect(stage.lastReply(pull)).toContain('3 projects: 3 applied');
    expect((await finishedInOrder(pull.repository.id, 'apply')).slice(-3)).toEqual(['net', 'data', 'app']);
  });

  test('a failed apply stops what depends on it, and later groups only when the config says so', async () => {
    const name = 'broken';
    const files = (net: string) => ({
      ...objects(name, ['app', 'data'], 'two'),
      'net/main.tf': stage.root(name, 'net', { net }).replace('content =', 'fail_on_apply = true\n  content ='),
    });
    const repository = await stage.repository(name, { ...objects(name, dirs, 'one'), 'holdfast.yaml': ordered('') });
    const pull = await stage.open(repository, files('two'));
    await stage.say(pull, 'ann', 'holdfast apply');
    expect(stage.lastReply(pull)).toContain('3 projects: 1 failed, 1 not started, 1 applied');
    expect(stage.lastReply(pull)).toContain('`net`, which it depends on, was not applied');
    expect(await stage.object(`${name}-app`)).toBeDefined();
    // The plans of the others are still there.
    expect(stage.lastReply(pull)).toContain('Still to be applied: `data: data`');
    expect(stage.status(pull, 'holdfast/apply')).toBe('failure failed to apply 1 project');
  });

  test('abort_on_execution_order_fail stops later groups, parallel_plan: false plans one by one', async () => {
    const name = 'abort';
    const repository = await stage.repository(name, {
      ...objects(name, dirs, 'one'),
      'holdfast.yaml': `version: 3\nabort_on_execution_order_fail: true\nparallel_plan: false\nprojects:\n  - { dir: net, execution_order_group: 1 }\n  - { dir: data, execution_order_group: 1 }\n  - { dir: app, execution_order_group: 2 }\n`,
    });
    const pull = await stage.open(repository, {
      ...objects(name, dirs, 'two'),
      'net/main.tf': 'resource "nonsense" {}\n',
    });
    expect((await stage.runs(pull)).toSorted()).toEqual([
      'plan app cancelled',
      'plan data succeeded',
      'plan net failed',
    ]);
    expect(stage.planComment(pull)).toContain('in an earlier execution order group did not succeed');
    const overlap = await stage.database.pool.query(
      `select 1 from runs a join runs b on a.id < b.id and a.repository_id = b.repository_id
       where a.repository_id = $1 and a.claimed_at < b.finished_at and b.claimed_at < a.finished_at`,
      [`127.0.0.1/${repository.id}`],
    );
    expect(overlap.rowCount).toBe(0);
  });
});

async function finishedInOrder(repositoryId: number, operation: string): Promise<string[]> {
  const { rows } = await stage.database.pool.query<{ dir: string }>(
    `select project->>'dir' as dir from runs where repository_id = $1 and operation = $2 order by finished_at`,
    [`127.0.0.1/${repositoryId}`, operation],
  );
  return rows.map(({ dir }) => dir);
}

describe('automerge', () => {
  const config = 'version: 3\nautomerge: true\nprojects:\n  - dir: app\n  - dir: net\n';

  test('merges when everything is applied, at the commit that was applied', async () => {
    const name = 'merging';
    const repository = await stage.repository(name, { ...objects(name, ['app', 'net'], '1'), 'holdfast.yaml': config });
    const pull = await stage.open(repository, objects(name, ['app', 'net'], '2'));
    await stage.say(pull, 'ann', 'holdfast apply -d app');
    expect(pull.merged).toBeUndefined();
    expect(stage.lastReply(pull)).toContain('Still to be applied: `net`');
    await stage.say(pull, 'ann', 'holdfast apply -d net');
    expect(pull.merged?.by.login).toBe('holdfast-bot');
    expect(
      stage.replies(pull).some((reply) => reply.includes('Everything is applied and the pull request is merged.')),
    ).toBe(true);
    expect(await stage.locks(repository)).toEqual([]);
  });

  test('is refused, and said, when the head has moved', async () => {
    const name = 'moved';
    const repository = await stage.repository(name, { ...objects(name, ['app', 'net'], '1'), 'holdfast.yaml': config });
    const pull = await stage.open(repository, objects(name, ['app'], '2'));
    await stage.slow('create', `${name}-app`, 4_000);
    stage.github.comment(pull, 'ann', 'holdfast apply');
    await until(() => stage.applying(pull));
    // The webhook of the push is lost: only asking the host tells that there is a new commit.
    stage.github.hub.hooks.silent = true;
    await stage.github.pushToPullRequest(pull, objects(name, ['app'], '3'));
    stage.github.hub.hooks.silent = false;
    await stage.settle();
    expect(pull.merged).toBeUndefined();
    expect(stage.lastReply(pull)).toContain('1 applied');
    expect(stage.lastReply(pull)).toContain('**Not merged**: the pull request has new commits since the apply');
  });
});

test('drafts are planned where the server says so, and not applied', async () => {
  const name = 'draft';
  const repository = await stage.repository(name, objects(name, ['app'], 'one'));
  const pull = await stage.open(repository, objects(name, ['app'], 'two'), { draft: true });
  expect(stage.planComment(pull)).toContain('1 to apply');
  await stage.say(pull, 'ann', 'holdfast apply');
  expect(stage.lastReply(pull)).toContain('the pull request is a draft');
});

test('a command on a pull request that goes into a branch that is not served is answered and does nothing', async () => {
  const repository = await stage.repository('narrow', objects('narrow', ['app'], 'one'));
  await stage.github.commitFile(repository, { 'README.md': 'x' }, { branch: 'other', author: 'ann' });
  const pull = await stage.open(repository, objects('narrow', ['app'], 'two'));
  await stage.github.retarget(pull, 'other', 'ann');
  await stage.settle();
  const runs = await stage.runs(pull);
  for (const command of ['plan', 'apply', 'cancel', 'version']) {
    await stage.say(pull, 'ann', `holdfast ${command}`);
    expect(stage.lastReply(pull)).toContain(
      `\`holdfast ${command}\`: pull requests into \`other\` are not served here`,
    );
  }
  expect(await stage.runs(pull)).toEqual(runs);
});

test('forks are planned without credentials, where the server says so, and never applied', async () => {
  const name = 'fork';
  const main = (n: string) => `${stage.root(name, 'app', {})}
variable "token" {
  default = "no-credential"
}

resource "fakecloud_object" "x" {
  name    = "${name}-x"
  content = "\${length(var.token)} ${n}"
}
`;
  const repository = await stage.repository(name, { 'app/main.tf': main('1') }, { roles: { dave: 'read' } });
  const pull = await stage.open(repository, { 'app/main.tf': main('2') }, { author: 'dave', fork: true });
  expect(stage.planComment(pull)).toContain(`content = "${'no-credential'.length} 2"`);
  await stage.say(pull, 'bob', 'holdfast apply');
  expect(stage.lastReply(pull)).toContain('code from a fork is never applied');
  await stage.github.closePullRequest(pull, 'bob');
  await stage.settle();
  const own = await stage.open(repository, { 'app/main.tf': main('3') });
  expect(stage.planComment(own)).toContain(`content = "${'credential-of-the-cloud'.length} 3"`);
});

test('verify: warn applies what is there now, and says what was otherwise', async () => {
  const name = 'warned';
  const repository = await stage.repository(name, objects(name, ['app'], 'one'));
  const first = await stage.open(repository, objects(name, ['app'], 'two'));
  await stage.say(first, 'ann', 'holdfast apply');
  await stage.github.merge(first, 'ann');
  await stage.settle();
  const pull = await stage.open(repository, { 'app/main.tf': stage.root(name, 'app', { app: 'two', more: 'x' }) });
  await stage.drift(`${name}-app`, 'a hot fix');
  await stage.say(pull, 'ann', 'holdfast apply');
  expect(stage.lastReply(pull)).toContain('1 applied');
  expect(stage.lastReply(pull)).toContain('**What was applied is not what was approved**');
  expect(stage.lastReply(pull)).toContain('`fakecloud_object.app` in `app`: approved **nothing**');
  expect((await stage.object(`${name}-app`))?.content).toBe('two');
});
