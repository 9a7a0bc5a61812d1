import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PullRequest, Repository } from '../servers/github/state/model.ts';
import { until } from '../support/until.ts';
import { type Stage, startStage } from '../support/e2e-stage.ts';

let stage: Stage;

const CONFIG = `
repos:
  - id: /acme\\/onapply/
    repo_locks: { mode: on_apply }
  - id: /acme\\/nolocks/
    repo_locks: { mode: disabled }
`;

beforeAll(async () => {
  stage = await startStage({ config: CONFIG });
});
afterAll(() => stage[Symbol.asyncDispose]());
afterEach((context) => stage.check(context));

const app = (name: string, objects: Record<string, string>) => ({ 'app/main.tf': stage.root(name, 'app', objects) });

const ADDED = (name: string, n: number) =>
  `resource "fakecloud_object" "p${n}" {\n  name    = "${name}-p${n}"\n  content = "x"\n}\n`;

/** Pull requests into one project, opened one after the other; they do not conflict in Git. */
async function crowd(name: string, count = 3): Promise<{ repository: Repository; pulls: PullRequest[] }> {
  const repository = await stage.repository(name, app(name, { base: 'one' }));
  const pulls = [];
  for (let n = 1; n <= count; n += 1) pulls.push(await stage.open(repository, { [`app/p${n}.tf`]: ADDED(name, n) }));
  return { repository, pulls };
}

const holder = async (repository: Repository) => (await stage.locks(repository)).map(({ pull }) => pull);
const locked = (number: number) => `**cannot be applied yet**: locked by [#${number}]`;

describe('a second pull request', () => {
  test('gets a speculative plan; the oldest that waits gets the lock and the only new plan; the others are told', async () => {
    const { repository, pulls } = await crowd('queue');
    const [one, two, three] = pulls as [PullRequest, PullRequest, PullRequest];
    expect(await holder(repository)).toEqual([1]);
    for (const pull of [two, three]) {
      expect(stage.planComment(pull)).toContain(locked(1));
      expect(stage.planComment(pull)).toContain('planned, but locked');
      expect(stage.planComment(pull)).toContain('content = "x"');
      expect(stage.planComment(pull)).not.toContain('would undo');
    }
    await stage.say(two, 'ann', 'holdfast apply');
    expect(stage.lastReply(two)).toContain('the project is locked by #1 (ann)');
    expect(stage.lastReply(two)).toContain('Wait until #1 is merged or closed');

    await stage.say(one, 'ann', 'holdfast apply');
    await stage.settle();
    await stage.push(two, { 'README.md': 'x' });
    expect(stage.planComment(two)).toContain('**would undo** [#1]');

    await stage.github.merge(one, 'ann');
    await stage.settle();
    expect(await holder(repository)).toEqual([2]);
    expect(stage.lastReply(two)).toContain('**This pull request holds it now** and is being planned again');
    expect(stage.planComment(two)).not.toContain('🔒');
    expect(stage.planComment(two)).not.toContain('would undo');
    expect(stage.planComment(two)).toContain('1 to apply');
    expect(stage.planComment(three)).toContain(locked(2));
    expect(await stage.runs(two)).toHaveLength(3 + 1);
    expect(await stage.runs(three)).toEqual(['plan app succeeded']);

    await stage.say(two, 'ann', 'holdfast unlock');
    expect(stage.lastReply(two)).toContain('the lock goes to #3');
    expect(await holder(repository)).toEqual([3]);
    expect(stage.planComment(three)).toContain('1 to apply');
    await stage.github.closePullRequest(three, 'ann');
    await stage.settle();
    expect(await holder(repository)).toEqual([]);
  });

  test('keeps the warning that it would undo another one when that gave up its lock before its merge', async () => {
    const { repository, pulls } = await crowd('undo', 2);
    const [one, two] = pulls as [PullRequest, PullRequest];
    await stage.say(one, 'ann', 'holdfast apply');
    await stage.say(one, 'ann', 'holdfast unlock');
    expect(await holder(repository)).toEqual([2]);
    expect(stage.planComment(two)).toContain('**would undo** [#1]');
    expect(stage.planComment(two)).toContain('fakecloud_object.p1');
  });

  test('does not get around the lock with another name for the project', async () => {
    const name = 'renaming';
    const config = (project: string) => `version: 3\nprojects:\n  - dir: app\n    name: ${project}\n`;
    const repository = await stage.repository(name, { ...app(name, { a: 'one' }), 'holdfast.yaml': config('shop') });
    await stage.open(repository, app(name, { a: 'two' }));
    const pull = await stage.open(repository, { ...app(name, { a: 'three' }), 'holdfast.yaml': config('other') });
    expect(stage.planComment(pull)).toContain('`other: app`');
    expect(stage.planComment(pull)).toContain(locked(1));
    await stage.say(pull, 'ann', 'holdfast apply');
    expect(stage.lastReply(pull)).toContain('the project is locked by #1');
  });
});

test('a lock that comes to a pull request in conflict is told; it is planned when the conflict is gone', async () => {
  const name = 'collide';
  const repository = await stage.repository(name, app(name, { a: 'one' }));
  const one = await stage.open(repository, app(name, { a: 'two' }));
  const two = await stage.open(repository, app(name, { a: 'three' }));
  await stage.github.merge(one, 'ann');
  await stage.settle();
  expect(await holder(repository)).toEqual([2]);
  expect(stage.lastReply(two)).toContain('**This pull request holds it now**; comment `holdfast plan` to plan again.');
  expect(stage.planComment(two)).toContain('Conflicts with main');
  await stage.push(two, app(name, { a: 'four' }), { force: true });
  expect(stage.planComment(two)).toContain('1 to apply');
});

test('a lock whose end was never told, because the webhook was lost, goes to the next in line all the same', async () => {
  const { repository, pulls } = await crowd('orphan', 2);
  const [one, two] = pulls as [PullRequest, PullRequest];
  stage.github.hub.hooks.silent = true;
  await stage.github.closePullRequest(one, 'ann');
  await stage.settle();
  stage.github.hub.hooks.silent = false;
  expect(await holder(repository)).toEqual([1]);

  await stage.tidyAsIfLongAgo(repository);
  await until(() => stage.replies(one).find((reply) => reply.includes('The pull request is closed')));
  await stage.settle();
  expect(await holder(repository)).toEqual([2]);
  expect(stage.lastReply(two)).toContain('**This pull request holds it now**');
  expect(stage.planComment(two)).toContain('1 to apply');
});

test('on_apply: both plan freely, the first to apply takes the lock', async () => {
  const { repository, pulls } = await crowd('onapply', 2);
  const [one, two] = pulls as [PullRequest, PullRequest];
  expect(await holder(repository)).toEqual([]);
  expect(stage.planComment(two)).not.toContain('🔒');
  await stage.say(two, 'ann', 'holdfast apply');
  expect(stage.lastReply(two)).toContain('1 applied');
  expect(await holder(repository)).toEqual([2]);
  await stage.say(one, 'ann', 'holdfast apply');
  expect(stage.lastReply(one)).toContain('the project is locked by #2 (ann)');
});

test('disabled: nobody is ever locked out', async () => {
  const { repository, pulls } = await crowd('nolocks', 2);
  for (const pull of pulls) {
    await stage.say(pull, 'ann', 'holdfast plan');
    await stage.say(pull, 'ann', 'holdfast apply');
    expect(stage.lastReply(pull)).toContain('1 applied');
  }
  expect(await holder(repository)).toEqual([]);
});

test('what a pull request does not touch any more it gives up, without waiting for its end', async () => {
  const name = 'narrower';
  const files = (a: string, b: string) => ({
    'a/main.tf': stage.root(name, 'a', { a }),
    'b/main.tf': stage.root(name, 'b', { b }),
  });
  const repository = await stage.repository(name, files('1', '1'));
  const pull = await stage.open(repository, files('2', '2'));
  expect((await stage.locks(repository)).map(({ dir }) => dir)).toEqual(['a', 'b']);
  await stage.push(pull, files('2', '1'));
  expect((await stage.locks(repository)).map(({ dir }) => dir)).toEqual(['a']);
  expect(stage.planComment(pull)).toContain('1 project: 1 to apply');
});
