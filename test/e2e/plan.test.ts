import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Stage, startStage } from '../support/e2e-stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await startStage({ environment: { HOLDFAST_PARALLELISM: '2' } });
});
afterAll(() => stage[Symbol.asyncDispose]());
afterEach((context) => stage.check(context));

describe('the plan comment', () => {
  test('is edited in place, made again when somebody deleted it, and older apply answers are folded away', async () => {
    const name = 'comment';
    const repository = await stage.repository(name, { 'app/main.tf': stage.root(name, 'app', { a: 'one' }) });
    const pull = await stage.open(repository, { 'app/main.tf': stage.root(name, 'app', { a: 'two' }) });
    const [first] = stage.comments(pull);
    await stage.push(pull, { 'app/main.tf': stage.root(name, 'app', { a: 'three' }) });
    expect(stage.comments(pull).map(({ id }) => id)).toEqual([first?.id]);

    repository.comments.delete(first?.id ?? 0);
    await stage.push(pull, { 'app/main.tf': stage.root(name, 'app', { a: 'four' }) });
    expect(stage.planComment(pull)).toContain('content = "four"');
    expect(stage.comments(pull)).toHaveLength(1);

    await stage.say(pull, 'ann', 'holdfast apply');
    await stage.push(pull, { 'app/main.tf': stage.root(name, 'app', { a: 'five' }) });
    await stage.say(pull, 'ann', 'holdfast apply');
    const answers = stage.comments(pull).filter(({ body }) => body.includes('### Holdfast apply'));
    expect(answers.map((answer) => answer.minimizedReason)).toEqual(['outdated', undefined]);
    expect(stage.comments(pull)).toHaveLength(3);
  });

  test('spells destroys and replaces out, with their addresses', async () => {
    const name = 'losses';
    const repository = await stage.repository(name, { 'app/main.tf': stage.root(name, 'app', { a: 'x' }) });
    const first = await stage.open(repository, { 'app/main.tf': stage.root(name, 'app', { a: 'x', b: 'x', c: 'x' }) });
    await stage.say(first, 'ann', 'holdfast apply');
    await stage.github.merge(first, 'ann');
    const main = stage.root(name, 'app', { a: 'x', b: 'x' }).replace(`"${name}-b"`, `"${name}-other"`);
    const pull = await stage.open(repository, { 'app/main.tf': main });
    const body = stage.planComment(pull);
    expect(body).toContain('**Applying this would');
    expect(body).toMatch(/> - \*\*destroy\*\* `fakecloud_object\.c`/);
    expect(body).toMatch(/> - \*\*replace\*\* `fakecloud_object\.b`/);
    expect(body).toContain('it is not in the configuration any more');
    await stage.say(pull, 'ann', 'holdfast apply');
    expect(await stage.object(`${name}-c`)).toBeUndefined();
    expect(await stage.object(`${name}-b`)).toBeUndefined();
    expect(await stage.object(`${name}-other`)).toBeDefined();
  });

  test('of twelve projects has the aggregate statuses only; a module change plans every root that uses it', async () => {
    const name = 'dozen';
    const module = (content: string) =>
      `terraform {\n  required_providers {\n    fakecloud = { source = "holdfast/fakecloud" }\n  }\n}\n\nvariable "name" {}\n\nresource "fakecloud_object" "x" {\n  name    = var.name\n  content = "${content}"\n}\n`;
    const roots = Array.from({ length: 12 }, (_, n) => `r${String(n).padStart(2, '0')}`);
    const call = (dir: string) => `\nmodule "m" {\n  source = "../modules/m"\n  name   = "${name}-${dir}"\n}\n`;
    const repository = await stage.repository(name, {
      ...Object.fromEntries(roots.map((dir) => [`${dir}/main.tf`, stage.root(name, dir, {}, call(dir))])),
      'apart/main.tf': stage.root(name, 'apart', { a: 'x' }),
      'modules/m/main.tf': module('one'),
    });
    const pull = await stage.open(repository, { 'modules/m/main.tf': module('two') });
    expect((await stage.runs(pull)).toSorted()).toEqual(roots.map((dir) => `plan ${dir} succeeded`));
    expect(stage.planComment(pull)).toContain('12 projects: 12 to apply');
    expect(stage.planComment(pull)).toContain('**+12 ~0 -0**');
    expect(stage.statuses(pull)).toEqual([
      'holdfast/apply: pending 0 of 12 applied',
      'holdfast/plan: success 12 projects planned, 12 with changes',
    ]);
  });

  test('over the host’s limit keeps its whole summary; the texts are cut with a link to all of them', async () => {
    const name = 'long';
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, n) => [`o${n}`, `${n} ${'x'.repeat(700)}`]));
    const repository = await stage.repository(name, { 'app/main.tf': stage.root(name, 'app', { a: 'x' }) });
    const pull = await stage.open(repository, {
      'app/main.tf': stage.root(name, 'app', many),
      'net/main.tf': stage.root(name, 'net', { n: 'y' }),
    });
    const body = stage.planComment(pull);
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body.length).toBeGreaterThan(60_000);
    expect(body).toContain('2 projects: 2 to apply');
    expect(body).toContain('✂️ Cut to fit');
    expect(body).toContain(`${name}-n`);
    expect(body.match(/^```/gm)?.length).toBe(4);
    expect(body).toContain('`holdfast apply`');
  });

  test('comes once when the plan takes a few seconds, and tells how far it is when it takes longer', async () => {
    const name = 'patience';
    const app = (a: string) => ({ 'app/main.tf': stage.root(name, 'app', { a }) });
    const writes = () => {
      const all = stage.github.requests.filter(({ method }) => method !== 'GET');
      return all.map(({ operation }) => (operation ?? '').replace(/^\w+\//, ''));
    };
    const repository = await stage.repository(name, app('one'));
    stage.github.clearBooks();
    await stage.slow('plan', `${name}-a`, 6_000);
    const pull = await stage.open(repository, app('two'));
    expect(writes()).toEqual([
      'create-commit-status',
      'create-comment',
      'create-commit-status',
      'create-commit-status',
    ]);
    const after = stage.statuses(pull);
    expect(after).toContain('holdfast/apply: pending 0 of 1 applied');

    stage.github.clearBooks();
    await stage.slow('plan', `${name}-a`, 13_000);
    await stage.github.pushToPullRequest(pull, app('three'));
    await until(() => stage.planComment(pull).includes('⏳') || undefined, 60_000);
    expect(stage.statuses(pull)).toContain('holdfast/apply: pending 0 of 1 applied');
    await stage.settle();
    expect(stage.planComment(pull)).toContain('content = "three"');
    expect(stage.statuses(pull)).toEqual(after);
    expect(writes()).toEqual([
      ...['create-commit-status', 'update-comment', 'create-commit-status', 'create-commit-status'],
      ...['update-comment', 'create-commit-status', 'create-commit-status'],
    ]);
  });

  test('of an empty plan says so and is green at once', async () => {
    const name = 'same';
    const repository = await stage.repository(name, { 'app/main.tf': stage.root(name, 'app', {}) });
    const pull = await stage.open(repository, { 'app/main.tf': `${stage.root(name, 'app', {})}\n# a remark\n` });
    expect(stage.planComment(pull)).toContain('1 project: 1 without changes');
    expect(stage.statuses(pull)).toEqual([
      'holdfast/apply: success nothing to apply',
      'holdfast/plan: app: success no changes',
      'holdfast/plan: success no changes',
    ]);
    await stage.say(pull, 'ann', 'holdfast apply');
    expect(stage.lastReply(pull)).toContain('the plans have no changes');
  });
});

test('a root directory that is deleted is reported with the steps to destroy it', async () => {
  const name = 'removed';
  const repository = await stage.repository(name, {
    'app/main.tf': stage.root(name, 'app', { a: 'x' }),
    'old/main.tf': stage.root(name, 'old', { o: 'x' }),
  });
  const pull = await stage.open(repository, { 'old/main.tf': null });
  const body = stage.planComment(pull);
  expect(body).toContain('This pull request deletes `old`. **Deleting the code destroys nothing**');
  expect(body).toContain('terraform init && terraform plan -destroy');
  expect(await stage.runs(pull)).toEqual([]);
  expect(stage.status(pull, 'holdfast/plan')).toBe('success no project is touched');
});

test('cloud and remote backends and folders of Terragrunt are recognised and explained', async () => {
  const cloud = (n: number) =>
    `terraform {\n  cloud {\n    organization = "acme"\n    workspaces {\n      name = "shop"\n    }\n  }\n}\n# ${n}\n`;
  const remote = (n: number) =>
    `terraform {\n  backend "remote" {\n    organization = "acme"\n    workspaces {\n      name = "net"\n    }\n  }\n}\n# ${n}\n`;
  const files = (n: number) => ({
    'shop/main.tf': cloud(n),
    'net/main.tf': remote(n),
    'grunt/terragrunt.hcl': `# ${n}\n`,
  });
  const repository = await stage.repository('elsewhere', files(1));
  const pull = await stage.open(repository, files(2));
  const body = stage.planComment(pull);
  expect(body).toContain('shop (shop) is not planned: it uses a `cloud` block');
  expect(body).toContain('net is not planned: it uses the `remote` backend');
  expect(body).toContain('grunt is not planned: it has a terragrunt.hcl');
  expect(await stage.runs(pull)).toEqual([]);
  expect(stage.status(pull, 'holdfast/plan')).toBe('success no project is touched');
});
