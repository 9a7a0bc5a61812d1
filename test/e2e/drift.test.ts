import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Issue, Repository } from '../servers/github/state/model.ts';
import { createDriftView, type DriftView } from '../support/drift-view.ts';
import { BOT, type Stage, startStage } from '../support/e2e-stage.ts';

let stage: Stage;
let drift: DriftView;

/** One look is enough: how many it takes is decided elsewhere, and tried there. */
const CONFIG = 'drift:\n  confirmations: 1\n';

beforeAll(async () => {
  stage = await startStage({ config: CONFIG });
  drift = createDriftView(stage);
});
afterAll(() => stage[Symbol.asyncDispose]());
afterEach((context) => stage.check(context));

/** A repository whose project was applied through a pull request and merged: object `a` says `two`. */
async function applied(name: string): Promise<Repository> {
  const repository = await stage.repository(name, { 'app/main.tf': stage.root(name, 'app', { a: 'one' }) });
  const pull = await stage.open(repository, { 'app/main.tf': stage.root(name, 'app', { a: 'two' }) });
  await stage.say(pull, 'ann', 'holdfast apply');
  await stage.github.merge(pull, 'ann');
  await stage.settle();
  await drift.track(repository);
  return repository;
}

const plain = (text: string | null | undefined): string => (text ?? '').replaceAll('\u200B', '');

function onlyReport(repository: Repository): Issue {
  const [issue, ...others] = drift.reports(repository);
  if (issue === undefined || others.length > 0) throw new Error(`there are ${others.length + (issue ? 1 : 0)} reports`);
  return issue;
}

const answers = (issue: Issue): readonly string[] =>
  stage.github
    .comments(issue)
    .filter(({ author }) => author.login === BOT)
    .map(({ body }) => plain(body));

describe('somebody clicks in the console', () => {
  test('one issue opens, its apply puts reality right, and it closes with a sentence', async () => {
    const repository = await applied('drift-story');
    await drift.check(repository);
    expect(await drift.project(repository, 'app')).toMatchObject({ sync: 'in_sync' });
    expect(drift.reports(repository)).toEqual([]);

    await stage.drift('drift-story-a', 'clicked');
    await drift.check(repository);
    const issue = onlyReport(repository);
    expect(issue).toMatchObject({ state: 'open', title: expect.stringContaining('app') });
    expect(plain(issue.body)).toContain('fakecloud_object.a');
    expect(plain(issue.body)).toContain('clicked');

    // The same again is no news.
    const told = stage.github.requests.length;
    await drift.check(repository);
    expect(onlyReport(repository).number).toBe(issue.number);
    expect(stage.github.requests.slice(told).filter(({ method }) => method !== 'GET')).toEqual([]);

    const comment = stage.github.comment(issue, 'bob', 'holdfast apply');
    await drift.settle();
    expect(stage.reactions(comment)).toContain('rocket');
    expect(issue).toMatchObject({ state: 'closed', stateReason: 'completed' });
    expect(answers(issue).join('\n')).toMatch(/The drift was put right by .*bob/);
    expect(await stage.object('drift-story-a')).toMatchObject({ content: 'two' });
    const runs = await drift.runs(repository);
    expect(runs.filter((run) => run.startsWith('remediation'))).toEqual(['remediation succeeded']);
    expect(await drift.project(repository, 'app')).toMatchObject({ sync: 'in_sync' });
    expect(onlyReport(repository).number).toBe(issue.number);
  });
});

describe('what is no drift', () => {
  test('a push to the tracked branch is pending: no issue, and nothing applied', async () => {
    const repository = await applied('drift-push');
    const files = { 'app/main.tf': stage.root('drift-push', 'app', { a: 'three' }) };
    const sha = await stage.github.commitFile(repository, files, { author: 'ann' });
    await drift.track(repository);
    await drift.check(repository);
    expect(await drift.project(repository, 'app')).toMatchObject({ sync: 'pending', tip: sha });
    expect(drift.reports(repository)).toEqual([]);
    expect(await stage.object('drift-push-a')).toMatchObject({ content: 'two' });
  });
});

describe('pull requests go first', () => {
  test('what is due waits for the pull request that has the project, says so, and is checked when that is closed', async () => {
    const name = 'drift-waits';
    const repository = await stage.repository(name, { 'app/main.tf': stage.root(name, 'app', { a: 'one' }) });
    await drift.track(repository);
    const pull = await stage.open(repository, { 'app/main.tf': stage.root(name, 'app', { a: 'two' }) });
    await drift.makeDue(repository);
    await drift.settle();
    const { skip } = await drift.project(repository, 'app');
    expect(skip).toMatchObject({ code: 'locked', sentence: expect.stringContaining(`#${pull.issue.number}`) });
    expect(await drift.runs(repository)).toEqual([]);

    await stage.github.closePullRequest(pull, 'ann');
    await stage.settle();
    await drift.settle();
    expect(await drift.runs(repository)).toEqual(['drift_check succeeded']);
    expect((await drift.project(repository, 'app')).skip).toBeUndefined();
  });
});
