import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HostRefusedError, HostUnavailableError } from '../../src/core/host-error.ts';
import type { VcsEvent } from '../../src/core/vcs-event.ts';
import { createGithubStage } from '../support/github-stage.ts';
import type { VcsHostStage } from '../support/vcs-host-stage.ts';

const STAGES: readonly (readonly [string, () => Promise<VcsHostStage>])[] = [
  ['GitHub with a token', () => createGithubStage('token')],
  ['GitHub as an App', () => createGithubStage('app')],
];
const MARKER = '<!-- holdfast:drift:7 -->';
const ORDER = { title: 'Drift in envs/prod', body: `${MARKER}\n| resource |`, labels: ['drift'], assignees: ['ann'] };
const LONG_AGO = new Date('2020-01-01T00:00:00Z');

describe.each(STAGES)('the issues of a VCS host: %s', (_name, create) => {
  let stage: VcsHostStage;

  beforeEach(async () => {
    stage = await create();
  });
  afterEach(async () => {
    try {
      stage.assertClean();
    } finally {
      await stage[Symbol.asyncDispose]();
    }
  });

  async function open(more: Partial<typeof ORDER> = {}): Promise<number> {
    const answer = await stage.host.createIssue(stage.repository, { ...ORDER, ...more });
    if (answer.kind !== 'created') throw new Error(answer.kind);
    return answer.number;
  }

  const getIssue = (number: number) => stage.host.getIssue(stage.repository, number);
  const reply = (number: number) => stage.host.createIssueComment(stage.repository, number, 'an answer');

  /** Every webhook since the last time, through the door and the interpreter; what is none of our business left out. */
  async function events(): Promise<readonly VcsEvent[]> {
    const found: VcsEvent[] = [];
    for (const { headers, body } of await stage.sent()) {
      const answer = await stage.webhooks.verify(headers, body);
      if ('refusal' in answer) throw new Error(answer.refusal.reason);
      const event = await stage.host.interpret({ ...answer.delivery, payload: body.toString() });
      if (event) found.push(event);
    }
    return found;
  }

  describe('an issue', () => {
    test('is opened by us, with labels that did not exist and people', async () => {
      const answer = await stage.host.createIssue(stage.repository, ORDER);
      expect(answer).toEqual({
        kind: 'created',
        number: expect.any(Number),
        url: expect.stringMatching(/^https?:\/\/.*\/issues\/\d+$/),
        unassigned: [],
      });
      const number = answer.kind === 'created' ? answer.number : 0;
      const { login: author } = await stage.host.whoAmI();
      expect(await stage.issue(number)).toEqual({ ...ORDER, author, state: 'open', reason: undefined });
    });

    test('is edited in place, closed and opened again; what is not named stays', async () => {
      const { host, repository } = stage;
      const number = await open();
      const update = (change: Parameters<typeof host.updateIssue>[2]) => host.updateIssue(repository, number, change);
      expect(await update({ body: `${MARKER}\nnew` })).toEqual({ kind: 'updated', unassigned: [] });
      expect(await stage.issue(number)).toMatchObject({ ...ORDER, body: `${MARKER}\nnew`, state: 'open' });
      await update({ title: 'Less drift', labels: ['drift', 'prod'], assignees: ['bob'], state: 'completed' });
      expect(await stage.issue(number)).toMatchObject({
        title: 'Less drift',
        body: `${MARKER}\nnew`,
        labels: ['drift', 'prod'],
        assignees: ['bob'],
        state: 'closed',
      });
      await update({ state: 'open', labels: [], assignees: [] });
      expect(await stage.issue(number)).toMatchObject({ state: 'open', labels: [], assignees: [] });
      await update({ state: 'not_planned' });
      expect((await stage.issue(number)).state).toBe('closed');
    });

    test('is read afresh: its state, its labels, who it is assigned to', async () => {
      const number = await open();
      const facts = { number, labels: ['drift'], assignees: ['ann'], url: expect.any(String) };
      const opened = { ...facts, state: 'open', closedAt: undefined, locked: false };
      expect(await getIssue(number)).toEqual({ kind: 'found', issue: opened });
      await stage.closeIssue(number, 'ann');
      const closed = { ...facts, state: 'closed', closedAt: expect.any(Date) };
      expect(await getIssue(number)).toMatchObject({ kind: 'found', issue: closed });
      expect(await getIssue(number)).toMatchObject({ kind: 'found', issue: closed });
    });

    test('has no people whom the host does not take, and says who they are', async () => {
      const { host, repository } = stage;
      const assignees = ['mallory', 'bob', 'nobody-of-this-name'];
      const answer = await host.createIssue(repository, { ...ORDER, assignees });
      expect(answer).toMatchObject({ kind: 'created', unassigned: ['mallory', 'nobody-of-this-name'] });
      const number = answer.kind === 'created' ? answer.number : 0;
      expect((await stage.issue(number)).assignees).toEqual(['bob']);
      const change = { assignees: ['mallory'], title: 'T' };
      expect(await host.updateIssue(repository, number, change)).toMatchObject({ unassigned: ['mallory'] });
      expect(await stage.issue(number)).toMatchObject({ title: 'T', assignees: [] });
    });

    test('holds as much as the limits say, and more is refused whatever the host would do with it', async () => {
      const { host, repository } = stage;
      const { issueTitleLength, issueBodyLength, labelLength } = host.limits;
      const [title, label] = ['é'.repeat(issueTitleLength), 'l'.repeat(labelLength)];
      const body = `${MARKER}${'x'.repeat(issueBodyLength - MARKER.length)}`;
      const number = await open({ title, body, labels: [label] });
      expect(await stage.issue(number)).toMatchObject({ title, body, labels: [label] });
      for (const change of [{ title: `${title}x` }, { body: `${body}x` }, { labels: [`${label}l`] }]) {
        const asked = host.createIssue(repository, { ...ORDER, ...change });
        await expect(asked).rejects.toBeInstanceOf(HostRefusedError);
        await expect(host.updateIssue(repository, number, change)).rejects.toBeInstanceOf(HostRefusedError);
      }
      expect(await stage.issue(number)).toMatchObject({ title, body, labels: [label] });
    });
  });

  describe('our own issue', () => {
    const find = (since = LONG_AGO, marker = MARKER) => stage.host.findOwnIssue(stage.repository, marker, since);

    test('is found by its marker, open or closed, and nobody else can forge it', async () => {
      await stage.openIssue('eve', `${MARKER}\nforged`);
      expect(await find()).toBeUndefined();
      const number = await open();
      expect(await find()).toMatchObject({ number, state: 'open' });
      expect(await find(LONG_AGO, '<!-- another -->')).toBeUndefined();
      await stage.closeIssue(number, 'ann');
      expect(await find()).toMatchObject({ number, state: 'closed' });
      await stage.deleteIssue(number);
      expect(await find()).toBeUndefined();
    });

    test('is looked for among those touched since, with some room for clocks that differ', async () => {
      const number = await open();
      expect(await find(new Date(Date.now() + 60_000))).toMatchObject({ number });
      expect(await find(new Date(Date.now() + 3_600_000))).toBeUndefined();
    });

    test('is not a pull request, nor a title, nor a marker further down', async () => {
      await open({ title: MARKER, body: `see ${MARKER}` });
      await stage.openPullRequest();
      expect(await find()).toBeUndefined();
    });

    test('is found when only the answer to opening it was lost', async () => {
      await open({ body: 'an earlier one' });
      stage.loseNextAnswer();
      await expect(open()).rejects.toBeInstanceOf(HostUnavailableError);
      expect(await find()).toMatchObject({ state: 'open', labels: ['drift'] });
    });
  });

  describe('a conversation', () => {
    test('takes our comments, and our reactions to those of people', async () => {
      const { host, repository } = stage;
      const number = await open();
      const id = await stage.comment(number, 'ann', 'holdfast plan');
      await host.addReaction(repository, id, 'eyes');
      const answer = await reply(number);
      const [asked, answered] = await stage.comments(number);
      expect(asked).toMatchObject({ id, reactions: ['eyes'] });
      expect(answered).toMatchObject({ body: 'an answer', author: (await host.whoAmI()).login });
      expect(answer).toMatchObject({ kind: 'posted', comment: { id: answered?.id } });
      expect(await host.findOwnComment(repository, number, 'an answer')).toMatchObject({ id: answered?.id });
      expect(await host.updateComment(repository, answered?.id ?? '', 'edited')).toBe(true);
      expect((await stage.comments(number)).at(-1)?.body).toBe('edited');
    });

    test('that is locked takes them where the host lets us speak; the issue can be edited all the same', async () => {
      const { host, repository } = stage;
      const number = await open();
      await stage.lockIssue(number, true);
      expect(await getIssue(number)).toMatchObject({ issue: { locked: true } });
      const answer = await reply(number);
      expect(['posted', 'locked']).toContain(answer.kind);
      expect(await stage.comments(number)).toHaveLength(answer.kind === 'posted' ? 1 : 0);
      expect(await host.updateIssue(repository, number, { state: 'completed' })).toMatchObject({ kind: 'updated' });
      await stage.lockIssue(number, false);
      expect(await reply(number)).toMatchObject({ kind: 'posted' });
    });
  });

  describe('an issue that is away', () => {
    const everyCall = async (number: number) => [
      await getIssue(number),
      await stage.host.updateIssue(stage.repository, number, { title: 'T' }),
      await reply(number),
    ];

    test('was deleted', async () => {
      const number = await open();
      await getIssue(number);
      await stage.deleteIssue(number);
      expect(await everyCall(number)).toEqual([{ kind: 'gone' }, { kind: 'gone' }, { kind: 'gone' }]);
    });

    test('never was', async () => {
      expect(await everyCall(9_999)).toEqual([{ kind: 'gone' }, { kind: 'gone' }, { kind: 'gone' }]);
    });

    test('was transferred: told where when we see the place, and nothing is written there', async () => {
      const number = await open();
      await getIssue(number);
      const to = await stage.transferIssue(number);
      const seen = stage.host.capabilities.checkRuns ? { kind: 'gone' } : { kind: 'moved', to };
      expect(await everyCall(number)).toEqual([seen, seen, seen]);
    });

    test('is in a repository that has its issues switched off, and takes no new ones', async () => {
      const number = await open();
      await stage.switchIssues(false);
      expect(await everyCall(number)).toEqual([{ kind: 'disabled' }, { kind: 'disabled' }, { kind: 'disabled' }]);
      expect(await stage.host.createIssue(stage.repository, ORDER)).toEqual({ kind: 'disabled' });
      await stage.switchIssues(true);
      expect(await getIssue(number)).toMatchObject({ kind: 'found' });
    });

    test('is not one of a repository that was renamed', async () => {
      const number = await open();
      await stage.rename('platform');
      expect((await everyCall(number)).map(({ kind }) => kind)).toEqual(['found', 'updated', 'posted']);
      expect(await stage.host.findOwnIssue(stage.repository, MARKER, LONG_AGO)).toMatchObject({ number });
    });
  });

  describe('events', () => {
    test("tell people's comments on an issue from ours, and nothing of edits", async () => {
      const number = await open();
      await events();
      const id = await stage.comment(number, 'ann', 'holdfast plan');
      await stage.editComment(id, 'ann', 'holdfast apply');
      await reply(number);
      expect(await events()).toEqual([
        {
          kind: 'issue_comment',
          writtenAt: expect.any(Date),
          repositoryId: stage.repository.id,
          repositoryFullName: 'acme/infra',
          number,
          commentId: id,
          commentNodeId: expect.any(String),
          body: 'holdfast plan',
          author: stage.accountOf('ann'),
          own: false,
        },
        expect.objectContaining({ kind: 'issue_comment', number, body: 'an answer', own: true }),
      ]);
    });

    test('tell what became of an issue, and whether it was us', async () => {
      const { host, repository } = stage;
      const number = await open();
      await events();
      await host.updateIssue(repository, number, { state: 'completed' });
      await stage.reopenIssue(number, 'ann');
      await stage.lockIssue(number, true);
      await stage.lockIssue(number, false);
      await host.updateIssue(repository, number, { title: 'T', labels: [] });
      await stage.transferIssue(number);
      await stage.deleteIssue(await open());
      const told = (await events()).filter((event) => event.kind === 'issue');
      expect(told.every((event) => event.repositoryId === repository.id)).toBe(true);
      expect(told.map(({ change, own, number: of }) => [change, own, of])).toEqual([
        ['closed', true, number],
        ['reopened', false, number],
        ['locked', false, number],
        ['unlocked', false, number],
        ['transferred', false, number],
        ['deleted', false, number + 1],
      ]);
    });
  });

  describe('trouble', () => {
    test('a host that is down is unavailable, for reading and writing', async () => {
      const { host, repository } = stage;
      const number = await open();
      stage.offline(true);
      for (const call of [
        () => getIssue(number),
        () => host.updateIssue(repository, number, { title: 'T' }),
        () => host.createIssue(repository, ORDER),
        () => reply(number),
        () => host.findOwnIssue(repository, MARKER, LONG_AGO),
      ]) {
        await expect(call()).rejects.toBeInstanceOf(HostUnavailableError);
      }
      stage.offline(false);
      expect(await stage.issue(number)).toMatchObject({ title: ORDER.title });
      expect(await stage.comments(number)).toEqual([]);
    });

    test('reading again costs one request, and writing one', async () => {
      const { host, repository } = stage;
      const number = await open();
      await getIssue(number);
      stage.requestCount();
      await getIssue(number);
      expect(stage.requestCount()).toBe(1);
      await host.updateIssue(repository, number, { body: MARKER, state: 'completed' });
      expect(stage.requestCount()).toBe(1);
    });
  });
});
