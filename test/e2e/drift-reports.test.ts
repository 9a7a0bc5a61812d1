import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Issue, Repository } from '../servers/github/state/model.ts';
import { createDriftView, type DriftView } from '../support/drift-view.ts';
import { BOT, type Stage, startStage } from '../support/e2e-stage.ts';

let stage: Stage;
let drift: DriftView;

const CONFIG = `
drift: { labels: [drift, infra], assignees: [ann] }
repos:
  - id: /acme\\/reports-(few|words|two|plan)$/
    drift: { confirmations: 1, max_open_issues: 1 }
  - id: /acme\\/reports-two$/
    apply_requirements: [approved]
`;

beforeAll(async () => {
  stage = await startStage({ config: CONFIG });
  drift = createDriftView(stage);
});
afterAll(() => stage[Symbol.asyncDispose]());
afterEach((context) => stage.check(context));

/** A repository with a folder per entry, each with one object, applied and merged. */
async function applied(name: string, dirs: readonly string[]): Promise<Repository> {
  const files = (content: string) =>
    Object.fromEntries(dirs.map((dir) => [`${dir}/main.tf`, stage.root(name, dir, { [dir]: content })]));
  const repository = await stage.repository(name, files('one'));
  const pull = await stage.open(repository, files('two'));
  if (name === 'reports-two') stage.github.review(pull, 'bob', 'APPROVED');
  await stage.say(pull, 'ann', 'holdfast apply');
  await stage.github.merge(pull, 'ann');
  await stage.settle();
  await drift.track(repository);
  return repository;
}

const plain = (text: string | null | undefined): string => (text ?? '').replaceAll('\u200B', '');
const titles = (repository: Repository): readonly string[] =>
  drift.reports(repository).flatMap(({ state, title }) => (state === 'open' ? [title] : []));
const report = (repository: Repository, at = 0): Issue => {
  const issue = drift.reports(repository)[at];
  if (issue === undefined) throw new Error(`there is no report ${at}`);
  return issue;
};
const answers = (issue: Issue): readonly string[] =>
  stage.github
    .comments(issue)
    .filter(({ author }) => author.login === BOT)
    .map(({ body }) => plain(body));
/** Says it and answers what was answered, with the reactions. */
const say = async (issue: Issue, login: string, body: string) => {
  const before = answers(issue).length;
  const comment = stage.github.comment(issue, login, body);
  await drift.settle();
  return { said: answers(issue).slice(before).join('\n'), reactions: stage.reactions(comment) };
};
/** Requests that change something, since the last time. */
const writes = (): readonly string[] => {
  const found = stage.github.requests.filter(({ method }) => method !== 'GET').map(({ operation }) => operation ?? '?');
  stage.github.clearBooks();
  return found;
};

test('a report opens when drift is confirmed, is edited in place, closes when it is gone, and opens again', async () => {
  const repository = await applied('reports-life', ['app']);
  const name = 'reports-life-app';
  await stage.drift(name, 'clicked');
  await drift.check(repository);
  expect(titles(repository)).toEqual([]);
  await drift.check(repository);
  expect(titles(repository)).toEqual(['Drift in app: 1 changed resource']);
  const issue = report(repository);
  expect(issue.labels.map((label) => label.name).toSorted()).toEqual(['drift', 'infra']);
  expect(issue.assignees.map(({ login }) => login)).toEqual(['ann']);
  expect(plain(issue.body)).toContain(
    '| `fakecloud_object.app` | `content` | drift | `"two"` | `"clicked"` | `"two"` |',
  );
  expect(plain(issue.body)).toMatch(/\| Last apply \| .* by \[#1\]/);

  writes();
  await drift.check(repository);
  expect(writes()).toEqual([]);

  await stage.drift(name, 'clicked again');
  await drift.check(repository);
  expect(plain(issue.body)).toContain('`"clicked again"`');
  expect(answers(issue)).toEqual([]);

  await stage.drift(name, 'two');
  await drift.check(repository);
  expect(issue).toMatchObject({ state: 'closed', stateReason: 'completed' });
  expect(answers(issue).at(-1)).toContain(
    'The drift is gone: what still differs is something that an apply leaves alone.',
  );

  await stage.drift(name, 'clicked');
  for (let sighting = 0; sighting < 2; sighting += 1) await drift.check(repository);
  expect(issue.state).toBe('open');
  expect(answers(issue).at(-1)).toContain('The drift is back.');
  expect(drift.reports(repository)).toHaveLength(1);
});

test('a report that people delete, transfer or close is made anew or left alone', async () => {
  const repository = await applied('reports-few', ['app']);
  await stage.drift('reports-few-app', 'clicked');
  await drift.check(repository);
  const elsewhere = await stage.repository('reports-elsewhere', {});
  stage.github.deleteIssue(report(repository), 'bob');
  await drift.settle();
  expect(titles(repository)).toEqual(['Drift in app: 1 changed resource']);

  stage.github.transferIssue(report(repository), elsewhere, 'bob');
  await drift.settle();
  expect(titles(repository)).toEqual(['Drift in app: 1 changed resource']);
  expect(drift.reports(elsewhere)).toHaveLength(1);

  const issue = report(repository);
  stage.github.closeIssue(issue, 'ann');
  await drift.settle();
  expect(issue.state).toBe('closed');
  await drift.check(repository);
  expect(issue.state).toBe('open');
  expect(answers(issue).at(-1)).toContain('the drift is still there');

  // A copy of ours, made by somebody else, is a stranger's.
  const forged = stage.github.openIssue(repository, { title: issue.title, author: 'eve', body: issue.body ?? '' });
  expect(await say(forged, 'ann', 'holdfast drift ack')).toEqual({ said: '', reactions: [] });
  expect(titles(repository)).toEqual(['Drift in app: 1 changed resource']);
});

test('beyond the most open reports drifting projects share one', async () => {
  const dirs = ['few-a', 'few-b', 'few-c'];
  const repository = await applied('reports-words', dirs);
  for (const dir of dirs) await stage.drift(`reports-words-${dir}`, 'clicked');
  await drift.check(repository);
  expect(titles(repository)).toHaveLength(2);
  expect(titles(repository)).toContain('Drift in 2 more projects');
  const own = report(
    repository,
    drift.reports(repository).findIndex(({ title }) => title.startsWith('Drift in few')),
  );
  const first = /few-\w/.exec(own.title)?.[0] ?? '';
  await stage.drift(`reports-words-${first}`, 'two');
  await drift.check(repository);
  expect(own.state).toBe('closed');
  expect(titles(repository)).toContain('Drift in 1 more project');
  expect(titles(repository)).toHaveLength(2);
});

test('where it takes two, one approves and the other puts it right; others may not', async () => {
  const repository = await applied('reports-two', ['app']);
  await stage.drift('reports-two-app', 'clicked');
  await drift.check(repository);
  const issue = report(repository);
  const fingerprint = /Fingerprint \| `(\w+)`/.exec(issue.body ?? '')?.[1] ?? '';

  expect((await say(issue, 'eve', 'holdfast apply')).said).toContain('eve has read permission');
  expect(await say(issue, 'eve', 'holdfast apply')).toEqual({ said: '', reactions: [] });
  expect((await say(issue, 'tim', 'holdfast drift suspend why not')).reactions).toEqual(['confused']);
  expect((await say(issue, 'ann', 'holdfast aprove x')).said).toContain('Did you mean');
  expect(await say(issue, 'ann', 'I would not say holdfast apply here')).toEqual({ said: '', reactions: [] });

  const alone = await say(issue, 'ann', 'holdfast apply');
  expect(alone.said).toContain('it is not approved');
  expect(alone.said).toContain(`holdfast approve ${fingerprint}`);
  await say(issue, 'ann', `holdfast approve ${fingerprint}`);
  expect((await say(issue, 'ann', 'holdfast apply')).said).toContain('it is not approved');
  expect((await say(issue, 'bob', `holdfast approve ${fingerprint}`)).reactions).toEqual(['rocket']);
  const right = await say(issue, 'ann', 'holdfast apply');
  expect(right.reactions.toSorted()).toEqual(['eyes', 'rocket']);
  expect(right.said).toContain('put right: **applied** (+0 ~1 -0)');
  expect(right.said).toContain('The drift was put right by @ann.');
  expect(issue.state).toBe('closed');
  expect(await stage.object('reports-two-app')).toMatchObject({ content: 'two' });
});

test('a drift that somebody lives with is told of no more, and a pull request that touches its project says so', async () => {
  const repository = await applied('reports-plan', ['app']);
  await stage.drift('reports-plan-app', 'clicked');
  await drift.check(repository);
  const issue = report(repository);
  const files = { 'app/main.tf': stage.root('reports-plan', 'app', { app: 'three' }) };
  const pull = await stage.open(repository, files);
  const said = plain(stage.planComment(pull));
  expect(said).toContain('**1 project drifted before this pull request**');
  expect(said).toMatch(new RegExp(`> - \`app\` since .*\\[#${issue.number}\\]`));
  await stage.github.closePullRequest(pull, 'ann');
  await stage.settle();

  expect((await say(issue, 'ann', 'holdfast drift ack we know')).reactions).toEqual(['rocket']);
  expect(issue).toMatchObject({ state: 'closed', stateReason: 'not_planned' });
  expect(answers(issue).at(-1)).toContain('Acknowledged by @ann: we know.');
  await drift.check(repository);
  expect(issue.state).toBe('closed');
  await stage.drift('reports-plan-app', 'something else');
  await drift.check(repository);
  expect(issue.state).toBe('open');
});
