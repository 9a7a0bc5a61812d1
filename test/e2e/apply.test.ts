import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PullRequest, Repository } from '../servers/github/state/model.ts';
import { type Stage, startStage } from '../support/e2e-stage.ts';
import { until } from '../support/until.ts';

let stage: Stage;

const CONFIG = `
repos:
  - id: /acme\\/approved/
    apply_requirements: [approved]
  - id: /acme\\/mergeable/
    apply_requirements: [mergeable]
  - id: /acme\\/everything/
    apply_requirements: [approved, mergeable, undiverged]
  - id: /acme\\/undiverged/
    apply_requirements: [undiverged]
  - id: /acme\\/planreq/
    plan_requirements: [approved]
verify_ignore:
  - { address: 'fakecloud_object.ignored', attribute: content }
  - { address: 'fakecloud_object.ignored', attribute: version }
`;

beforeAll(async () => {
  stage = await startStage({ config: CONFIG, github: { mergeableDelay: 2 } });
});
afterAll(() => stage[Symbol.asyncDispose]());
afterEach((context) => stage.check(context));

async function start(name: string): Promise<{ repository: Repository; pull: PullRequest }> {
  const repository = await stage.repository(name, { 'app/main.tf': stage.root(name, 'app', { a: 'one' }) });
  const pull = await stage.open(repository, { 'app/main.tf': stage.root(name, 'app', { a: 'two' }) });
  return { repository, pull };
}

async function apply(pull: PullRequest, login = 'ann'): Promise<string> {
  await stage.say(pull, login, 'holdfast apply');
  return stage.lastReply(pull);
}

const NOT_APPROVED = 'it is not approved';

describe('approved', () => {
  test('not by the author, not by a reader, not by the last to push; a stale one counts while nothing of the project changed', async () => {
    const { pull } = await start('approved-who');
    const { github } = stage;
    expect(await apply(pull)).toContain(NOT_APPROVED);
    expect(stage.lastReply(pull)).toContain('Ask for a review.');

    github.review(pull, 'eve', 'APPROVED');
    expect(await apply(pull)).toContain(NOT_APPROVED);

    await stage.push(pull, { 'app/main.tf': stage.root('approved-who', 'app', { a: 'three' }) }, { author: 'bob' });
    github.review(pull, 'bob', 'APPROVED');
    expect(await apply(pull)).toContain(NOT_APPROVED);

    github.review(pull, 'carl', 'APPROVED');
    await stage.push(pull, { 'README.md': 'nothing of the project' });
    expect(await apply(pull)).toContain('1 applied');
  });

  test('a stale one does not count when the inputs changed; changes requested block until they are dismissed', async () => {
    const { pull } = await start('approved-stale');
    const { github } = stage;
    github.review(pull, 'bob', 'APPROVED');
    await stage.push(pull, { 'app/main.tf': stage.root('approved-stale', 'app', { a: 'evil' }) });
    expect(await apply(pull)).toContain(NOT_APPROVED);

    github.review(pull, 'bob', 'APPROVED');
    const objection = github.review(pull, 'carl', 'CHANGES_REQUESTED', 'No.');
    expect(await apply(pull)).toContain('carl has asked for changes');

    github.dismissReview(pull, objection, 'bob');
    expect(await apply(pull)).toContain('1 applied');
  });

  test('where the host cannot say who pushed, one approval is not enough and two are', async () => {
    const { pull } = await start('approved-unknown');
    stage.github.faults.add({ method: 'GET', path: /activity/, status: 404, times: 100 });
    stage.github.review(pull, 'bob', 'APPROVED');
    expect(await apply(pull)).toContain('the host does not say who pushed commit');
    expect(stage.lastReply(pull)).toContain('Have a second person approve it, or push once more.');
    stage.github.review(pull, 'carl', 'APPROVED');
    expect(await apply(pull)).toContain('1 applied');
    stage.github.faults.clear();
  });

  test('a dismissed approval is none', async () => {
    const { pull } = await start('approved-dismissed');
    const review = stage.github.review(pull, 'bob', 'APPROVED');
    stage.github.dismissReview(pull, review, 'carl');
    expect(await apply(pull)).toContain(NOT_APPROVED);
    expect(stage.github.comments(pull).some((comment) => comment.body.includes('applied'))).toBe(false);
  });

  test('an approval of somebody who lost write permission is none', async () => {
    const { pull, repository } = await start('approved-lost');
    stage.github.review(pull, 'bob', 'APPROVED');
    stage.github.setPermission(repository, 'bob', 'read');
    expect(await apply(pull)).toContain(NOT_APPROVED);
  });
});

describe('mergeable', () => {
  test('blocked by a required check that is not ours; our own do not count', async () => {
    const { pull, repository } = await start('mergeable-checks');
    const require = (...names: string[]) => {
      repository.rules.length = 0;
      const parameters = {
        strict_required_status_checks_policy: false,
        required_status_checks: names.map((context) => ({ context })),
      };
      stage.github.addRule(repository, { branch: 'main', type: 'required_status_checks', parameters });
    };
    require('ci/test', 'holdfast/apply', 'holdfast/plan');
    expect(await apply(pull)).toContain('the required check "ci/test" has not been reported');
    expect(await stage.object('mergeable-checks-a')).toBeUndefined();
    require('holdfast/apply', 'holdfast/plan: app');
    expect(await apply(pull)).toContain('1 applied');
  });
});

test('undiverged goes by the inputs of the project, not by any commit on the base', async () => {
  const { pull, repository } = await start('undiverged');
  await stage.github.commitFile(repository, { 'README.md': 'other' }, { author: 'bob' });
  await stage.github.commitFile(repository, { 'app/outputs.tf': 'output "x" {\n  value = 1\n}\n' }, { author: 'bob' });
  await stage.settle();
  expect(await apply(pull)).toContain('the base branch `main` has moved in files of this project since the plan');
  await stage.say(pull, 'ann', 'holdfast plan');
  await stage.github.commitFile(repository, { 'README.md': 'and again' }, { author: 'bob' });
  await stage.settle();
  expect(await apply(pull)).toContain('1 applied');
});

test('every unmet point in one reply, each with what to do', async () => {
  const { pull, repository } = await start('everything');
  stage.github.protectBranch(repository, 'main', { checks: ['ci/test'] });
  await stage.github.commitFile(repository, { 'app/more.tf': 'output "x" {\n  value = 1\n}\n' }, { author: 'bob' });
  await stage.github.setDraft(pull, true, 'ann');
  await stage.settle();
  const reply = await apply(pull);
  for (const point of [
    'the pull request is a draft',
    NOT_APPROVED,
    'cannot be merged',
    'the base branch `main` has moved',
  ])
    expect(reply).toContain(point);
  expect(reply.match(/→/g)?.length).toBe(4);
  expect(stage.replies(pull)).toHaveLength(1);
});

test('a plan that is not current is refused; of a closed pull request nothing is applied', async () => {
  const { pull } = await start('stale');
  // The webhook of the push is lost, so nobody planned the new commit.
  stage.github.hub.hooks.silent = true;
  await stage.push(pull, { 'app/main.tf': stage.root('stale', 'app', { a: 'three' }) });
  stage.github.hub.hooks.silent = false;
  expect(await apply(pull)).toMatch(/the plan is of commit [0-9a-f]{7}, and the pull request is now at [0-9a-f]{7}/);
  expect(stage.lastReply(pull)).toContain('Comment `holdfast plan` and read the new plan.');
  await stage.github.closePullRequest(pull, 'ann');
  await stage.settle();
  expect(await apply(pull)).toContain('the pull request is closed');
});

test('a plan for one base branch is not applied into another, whatever the verification would say', async () => {
  const { pull, repository } = await start('lenient-target');
  await stage.github.commitFile(repository, { 'README.md': 'x' }, { branch: 'prod', author: 'ann' });
  await stage.settle();
  // The webhook is lost, so nobody planned for the new base.
  stage.github.hub.hooks.silent = true;
  await stage.github.retarget(pull, 'prod', 'ann');
  stage.github.hub.hooks.silent = false;
  expect(await apply(pull)).toContain(
    'the plan was made for the base branch `main`, and the pull request now goes into `prod`',
  );
  expect(await stage.object('lenient-target-a')).toBeUndefined();
  expect(stage.planComment(pull)).toContain('into `main`');
  await stage.say(pull, 'ann', 'holdfast plan');
  expect(stage.planComment(pull)).toContain('into `prod`');
  expect(await apply(pull)).toContain('1 applied');
});

test('while the host does not answer what the gate asks nothing is applied; it goes on when the host is back', async () => {
  const { pull } = await start('approved-outage');
  stage.github.review(pull, 'bob', 'APPROVED');
  await stage.settle();
  stage.github.faults.add({ method: 'GET', path: /reviews/, status: 502, times: 1_000 });
  stage.github.comment(pull, 'ann', 'holdfast apply');
  await until(() => stage.holdfast.log().includes('what this run has to ask is away') || undefined);
  expect(await stage.applying(pull)).toBeUndefined();
  expect(await stage.object('approved-outage-a')).toBeUndefined();
  stage.github.faults.clear();
  await stage.settle();
  expect(stage.lastReply(pull)).toContain('1 applied');
});

test('plan requirements hold a plan back until they are met', async () => {
  const { pull } = await start('planreq');
  expect(stage.planComment(pull)).toContain(NOT_APPROVED);
  expect(stage.planComment(pull)).toContain('plan failed');
  expect(stage.status(pull, 'holdfast/plan')).toContain('failure');
  stage.github.review(pull, 'bob', 'APPROVED');
  await stage.say(pull, 'ann', 'holdfast plan');
  expect(stage.planComment(pull)).toContain('1 to apply');
});

describe('verify', () => {
  test('drift after the approval stops the apply, shows the difference, and the fresh plan is the one to approve', async () => {
    const name = 'approved-drifted';
    const repository = await stage.repository(name, { 'app/main.tf': stage.root(name, 'app', { a: 'one' }) });
    const first = await stage.open(repository, { 'app/main.tf': stage.root(name, 'app', { a: 'two' }) });
    stage.github.review(first, 'bob', 'APPROVED');
    await apply(first);
    await stage.github.merge(first, 'ann');
    await stage.settle();
    const pull = await stage.open(repository, { 'app/main.tf': stage.root(name, 'app', { a: 'two', b: 'new' }) });
    expect(stage.planComment(pull)).toContain('+1 ~0 -0');

    stage.github.review(pull, 'bob', 'APPROVED');
    await sleep(1_100);
    await stage.drift('approved-drifted-a', 'a hot fix');
    const reply = await apply(pull);
    expect(reply).toContain('What would happen now is not what was approved');
    expect(reply).toContain('`fakecloud_object.a` in `app`: approved **nothing**');
    expect((await stage.object('approved-drifted-a'))?.content).toBe('a hot fix');
    expect(await stage.object('approved-drifted-b')).toBeUndefined();
    expect(stage.planComment(pull)).toContain('+1 ~1 -0');
    expect(stage.planComment(pull)).toContain('a hot fix');
    expect(stage.status(pull, 'holdfast/plan: app')).toBe('success +1 ~1 -0');
    expect(stage.status(pull, 'holdfast/apply')).toBe('pending 0 of 1 applied');

    expect(await apply(pull)).toContain('and after the plan changed');
    stage.github.review(pull, 'bob', 'APPROVED');
    expect(await apply(pull)).toContain('1 applied');
    expect((await stage.object('approved-drifted-a'))?.content).toBe('two');
    expect((await stage.object('approved-drifted-b'))?.content).toBe('new');
  });

  test('what verify_ignore names does not count as a difference', async () => {
    const name = 'ignoring';
    const files = (extra: Record<string, string>) => ({
      'app/main.tf': stage.root(name, 'app', { ignored: 'one', ...extra }),
    });
    const repository = await stage.repository(name, files({}));
    const first = await stage.open(repository, files({ b: 'b' }));
    await apply(first);
    await stage.github.merge(first, 'ann');
    await stage.settle();
    const pull = await stage.open(repository, {
      'app/main.tf': stage.root(name, 'app', { ignored: 'two', b: 'b' }),
    });
    await stage.drift('ignoring-ignored', 'changed by somebody');
    expect(await apply(pull)).toContain('1 applied');
    expect((await stage.object('ignoring-ignored'))?.content).toBe('two');
  });
});

test('an apply of several projects names in its one answer those that it leaves out, and what to do about each', async () => {
  const name = 'partial';
  const roots = (value: string) =>
    Object.fromEntries(
      ['fine', 'slow', 'bad'].map((dir) => [`${dir}/main.tf`, stage.root(name, dir, { [dir]: value })]),
    );
  const repository = await stage.repository(name, roots('one'));
  const broken = `${stage.root(name, 'bad', { bad: 'two' })}\noutput "x" {\n  value = var.missing\n}\n`;
  const pull = await stage.open(repository, { ...roots('two'), 'bad/main.tf': broken });
  await stage.slow('plan', 'partial-slow', 12_000);
  stage.github.comment(pull, 'ann', 'holdfast plan -d slow');
  await until(async () => (await stage.runs(pull)).includes('plan slow running') || undefined);
  const comment = stage.github.comment(pull, 'ann', 'holdfast apply');
  await until(async () => (await stage.runs(pull)).includes('apply fine succeeded') || undefined);
  await stage.settle();
  const reply = stage.lastReply(pull);
  expect(reply).toContain('3 projects: 1 applied, 2 left out');
  expect(reply).toContain('- `slow`: **it is being planned** → Wait for the plan and read it, then apply it.');
  expect(reply).toContain('- `bad`: **its plan failed** → Comment `holdfast plan -d bad` and read the plan first.');
  expect(stage.reactions(comment).toSorted()).toEqual(['confused', 'eyes']);

  expect(await apply(pull)).toContain('2 projects: 1 applied, 1 left out');
  expect(stage.lastReply(pull)).toContain('1 project applied before: `fine`.');
  expect(await apply(pull)).toContain('- `bad`: **its plan failed**');
  expect(stage.lastReply(pull)).toContain('2 projects applied before: `fine`, `slow`.');
});

test('a root module without a backend may be planned and not applied', async () => {
  const main = (value: string) => `terraform {}\n\nresource "terraform_data" "x" {\n  input = "${value}"\n}\n`;
  const repository = await stage.repository('stateless', { 'app/main.tf': main('one') });
  const pull = await stage.open(repository, { 'app/main.tf': `${main('two')}\nprovider "terraform" {}\n` });
  expect(stage.planComment(pull)).toContain('no `backend` block');
  expect(stage.planComment(pull)).not.toContain('`holdfast apply`');
  expect(stage.status(pull, 'holdfast/apply')).toBe('failure 1 project can be planned here and not applied');
  expect(await apply(pull)).toContain('no `backend` block');
  expect(stage.lastReply(pull)).toContain('1 failed');
});
