import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Stage, startStage } from '../support/e2e-stage.ts';
import type { PullRequest, Repository } from '../servers/github/state/model.ts';
import { until } from '../support/until.ts';

let stage: Stage;
let repository: Repository;
/** Planned once; the tests only speak to it. */
let pull: PullRequest;

const CONFIG = `
triggers: [holdfast, atlantis]
repos:
  - id: /acme\\/teams$/
    permissions: { apply: [acme/platform], plan: [acme/everyone] }
`;

beforeAll(async () => {
  stage = await startStage({ config: CONFIG });
  repository = await stage.repository('words', { 'app/main.tf': stage.root('words', 'app', { a: 'one' }) });
  pull = await stage.open(repository, { 'app/main.tf': stage.root('words', 'app', { a: 'two' }) });
});
afterAll(() => stage[Symbol.asyncDispose]());
afterEach((context) => stage.check(context));

/** What was answered to one comment, and how it was reacted to. */
async function answer(login: string, body: string) {
  const before = stage.replies(pull).length;
  const comment = await stage.say(pull, login, body);
  return { replies: stage.replies(pull).slice(before), reactions: stage.reactions(comment).toSorted() };
}

test('prose, quotes, code, edited comments and our own words start nothing', async () => {
  const runs = await stage.runs(pull);
  const said = stage.comments(pull).length;
  const quiet = [
    'If you ask me, holdfast apply would break production',
    '> holdfast apply\n\nWhy not?',
    'Please run\nholdfast apply\nwhen you are back',
    '```\nholdfast apply\n```',
    'I like Terraform plan output',
  ];
  for (const body of quiet) expect(await answer('ann', body)).toEqual({ replies: [], reactions: [] });
  const prose = await stage.say(pull, 'ann', 'hello');
  stage.github.editComment(repository, prose, 'holdfast apply', 'ann');
  stage.github.comment(pull, 'holdfast-bot', 'holdfast apply');
  await stage.settle();
  expect(await stage.runs(pull)).toEqual(runs);
  expect(stage.comments(pull)).toHaveLength(said + 1);
  expect(stage.reactions(prose)).toEqual([]);
});

test('help, and the help of one command', async () => {
  const help = await answer('eve', 'holdfast help');
  expect(help.replies[0]).toContain('`holdfast unlock`: give up all plans and locks');
  expect(help.reactions).toEqual(['rocket']);
  const one = await answer('tim', 'atlantis plan --help');
  expect(one.replies[0]).toContain('`holdfast plan`');
  expect(one.replies[0]).not.toContain('`holdfast unlock`');
});

test('version names Terraform per project', async () => {
  const { replies, reactions } = await answer('tim', 'holdfast version');
  expect(replies[0]).toMatch(/`app`: `terraform \d+\.\d+\.\d+`/);
  expect(reactions).toEqual(['rocket']);
});

test('unknown commands, flags and near misses are answered once, with what was meant', async () => {
  const cases: readonly (readonly [said: string, answered: string])[] = [
    ['holdfast aply', 'Did you mean `holdfast apply`?'],
    ['holdfst plan', 'Did you mean `holdfast plan`?'],
    ['terraform plan', 'Did you mean `holdfast plan`?'],
    ['holdfast destroy', '🤔 `holdfast destroy`'],
    ['holdfast plan --direktory app', 'Usage of `holdfast plan`'],
    ['holdfast plan -d ../elsewhere', '🤔'],
    ['holdfast plan -p nothing', 'There is no project with name "nothing"'],
    ['holdfast plan -d nowhere', 'There are no Terraform files in "nowhere"'],
    ['holdfast apply -d nowhere', 'there is no plan to apply'],
    ['holdfast cancel', 'nothing is queued or running'],
  ];
  const runs = await stage.runs(pull);
  for (const [said, answered] of cases) {
    const { replies, reactions } = await answer('ann', said);
    expect(replies, said).toHaveLength(1);
    expect(replies[0], said).toContain(answered);
    expect(reactions, said).toEqual(['confused']);
  }
  expect(await stage.runs(pull)).toEqual(runs);
});

test('a command that cannot be read stops those beside it', async () => {
  const runs = await stage.runs(pull);
  const { replies } = await answer('ann', 'holdfast unlock\nholdfast aply');
  expect(replies).toHaveLength(1);
  expect(replies[0]).toContain('None of the commands was run');
  expect(await stage.locks(repository)).toHaveLength(1);
  expect(await stage.runs(pull)).toEqual(runs);
});

test('who may: nobody without write applies, unlocks or cancels; triage may plan; reading is for watching', async () => {
  for (const command of ['apply', 'unlock', 'cancel']) {
    const { replies, reactions } = await answer('tim', `holdfast ${command}`);
    expect(replies[0]).toContain(
      `**tim has triage permission on the repository, and \`${command}\` needs write** → Ask somebody with write permission.`,
    );
    expect(reactions).toEqual(['confused']);
  }
  for (const login of ['eve', 'stranger']) {
    const { replies } = await answer(login, 'holdfast plan');
    expect(replies[0]).toContain(`${login} has ${login === 'eve' ? 'read' : 'no'} permission`);
    expect(replies[0]).toContain('needs triage');
  }
  expect(await stage.locks(repository)).toHaveLength(1);
  const runs = (await stage.runs(pull)).length;
  const { replies, reactions } = await answer('tim', 'holdfast plan');
  expect(replies).toEqual([]);
  expect(reactions).toEqual(['eyes', 'rocket']);
  expect(await stage.runs(pull)).toHaveLength(runs + 1);
});

test('somebody without a say is told so once, not with every comment', async () => {
  const reads = (): number => stage.github.requests.length;
  const first = await answer('mallory', 'holdfast apply');
  expect(first.replies[0]).toContain('mallory has no permission');
  expect(first.reactions).toEqual(['confused']);
  const before = reads();
  expect(await answer('mallory', Array.from({ length: 20 }, () => 'holdfast plan').join('\n'))).toEqual({
    replies: [],
    reactions: [],
  });
  expect(reads() - before).toBeLessThan(6);
  // Another kind of answer, and then not that one either.
  expect((await answer('mallory', 'holdfast help')).replies).toHaveLength(1);
  expect(await answer('mallory', 'holdfast help')).toEqual({ replies: [], reactions: [] });
});

test('a command that cannot be carried out at all is answered', async () => {
  stage.github.faults.add({ method: 'GET', path: /collaborators/, status: 422, times: 100 });
  const { replies, reactions } = await answer('ann', 'holdfast plan\nholdfast apply');
  stage.github.faults.clear();
  expect(replies).toHaveLength(1);
  expect(replies[0]).toMatch(/`holdfast plan`: The VCS host refused: .* Nothing after it in the same comment was done/);
  expect(reactions).toEqual(['confused']);
});

test('what a person may is read when the command is carried out', async () => {
  stage.github.setPermission(repository, 'carl', 'read');
  expect((await answer('carl', 'holdfast unlock')).replies[0]).toContain('carl has read permission');
  stage.github.setPermission(repository, 'carl', 'write');
});

test('teams narrow what the permission on the repository allows', async () => {
  stage.github.createTeam('acme', 'platform', ['bob']);
  stage.github.createTeam('acme', 'everyone', ['ann', 'bob']);
  const teams = await stage.repository('teams', { 'app/main.tf': stage.root('teams', 'app', { a: 'one' }) });
  const own = await stage.open(teams, { 'app/main.tf': stage.root('teams', 'app', { a: 'two' }) });
  await stage.say(own, 'ann', 'holdfast apply');
  expect(stage.lastReply(own)).toContain('here only members of acme/platform may `apply`');
  await stage.say(own, 'carl', 'holdfast plan');
  expect(stage.lastReply(own)).toContain('here only members of acme/everyone may `plan`');
  await stage.say(own, 'bob', 'holdfast apply');
  expect(stage.lastReply(own)).toContain('1 applied');
});

test('several commands in one comment are done in order; eyes first, then how it ended', async () => {
  const { replies, reactions } = await answer('ann', 'holdfast unlock\n\natlantis plan -d app');
  expect(replies).toHaveLength(1);
  expect(replies[0]).toContain('`ann` gave up the locks of this pull request');
  expect(replies[0]).toContain('`app`, with its plan');
  expect(reactions).toEqual(['eyes', 'rocket']);
  expect(await stage.locks(repository)).toHaveLength(1);
  expect(stage.planComment(pull)).toContain('1 to apply');
});

test('unlock discards plan and lock, then apply has nothing; apply twice says that it is done', async () => {
  await stage.say(pull, 'ann', 'holdfast unlock');
  expect(await stage.locks(repository)).toEqual([]);
  expect(stage.planComment(pull)).toContain('plan given up');
  expect((await answer('ann', 'holdfast apply')).replies[0]).toContain('there is no plan to apply');
  await stage.say(pull, 'ann', 'holdfast plan');
  const applied = await answer('ann', 'holdfast apply');
  expect(applied.replies[0]).toContain('1 applied');
  expect(applied.reactions).toEqual(['eyes', 'rocket']);
  const again = await answer('ann', 'holdfast apply');
  expect(again.replies[0]).toContain('everything that was planned is applied already');
  expect(again.reactions).toEqual(['confused']);
});

test('cancel stops a plan that is running and says so; a new plan goes through', async () => {
  await stage.slow('plan', 'words-a', 6_000);
  const before = (await stage.runs(pull)).length;
  await stage.github.pushToPullRequest(pull, { 'app/main.tf': stage.root('words', 'app', { a: 'three' }) });
  await until(async () => (await stage.runs(pull)).slice(before).includes('plan app running') || undefined);
  const { replies, reactions } = await answer('ann', 'holdfast cancel');
  expect(replies[0]).toContain('`ann` asked to stop `app`');
  expect(reactions).toEqual(['rocket']);
  expect((await stage.runs(pull)).at(-1)).toBe('plan app cancelled');
  expect(stage.planComment(pull)).toContain('plan cancelled');
  expect(stage.planComment(pull)).toContain('Cancelled by ann.');
  expect(stage.status(pull, 'holdfast/plan: app')).toBe('error Cancelled by ann.');
  expect((await answer('ann', 'holdfast plan')).reactions).toEqual(['eyes', 'rocket']);
  expect(stage.planComment(pull)).toContain('1 to apply');
});
