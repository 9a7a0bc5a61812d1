import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HostRefusedError, HostUnavailableError } from '../../src/core/host-error.ts';
import type { PullRequest } from '../../src/core/pull-request.ts';
import { commitSha } from '../../src/core/repository.ts';
import type { VcsEvent } from '../../src/core/vcs-event.ts';
import type { CheckRun } from '../../src/ports/vcs-host.ts';
import { createGithubStage } from '../support/github-stage.ts';
import type { VcsHostStage } from '../support/vcs-host-stage.ts';

const STAGES: readonly (readonly [string, () => Promise<VcsHostStage>])[] = [
  ['GitHub with a token', () => createGithubStage('token')],
  ['GitHub as an App', () => createGithubStage('app')],
];
const OWN = ['holdfast/plan', 'holdfast/apply'];

describe.each(STAGES)('a VCS host: %s', (_name, create) => {
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

  const pullOf = (number: number): Promise<PullRequest> => stage.host.getPullRequest(stage.repository, number);
  const mergeability = async (number: number) => stage.host.getMergeability(await pullOf(number), OWN);

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

  describe('facts', () => {
    test('of the repository', async () => {
      const { host, repository } = stage;
      expect(repository).toMatchObject({
        host: host.host,
        owner: 'acme',
        name: 'infra',
        defaultBranch: 'main',
        private: true,
      });
      expect(await host.getRepository(repository)).toEqual(repository);
      expect(await host.listRepositories(10)).toEqual(['acme/infra']);
      expect(await host.listRepositories(0)).toEqual([]);
    });

    test('of a pull request: its head, its base, its author, and what becomes of it', async () => {
      const number = await stage.openPullRequest();
      await stage.label(number, 'urgent');
      const first = await pullOf(number);
      expect(first).toMatchObject({
        number,
        state: 'open',
        draft: false,
        fork: false,
        author: stage.accountOf('ann'),
        baseRef: 'main',
        labels: ['urgent'],
      });
      const head = await stage.push(number);
      expect((await pullOf(number)).headSha).toBe(head);
      expect(head).not.toBe(first.headSha);
      expect((await stage.host.listOpenPullRequests(stage.repository)).map((pull) => pull.number)).toEqual([number]);
      expect(await stage.host.findPullRequestsOfCommit(stage.repository, commitSha(head))).toEqual([number]);
      await stage.merge(number);
      expect((await pullOf(number)).state).toBe('merged');
      expect(await stage.host.listOpenPullRequests(stage.repository)).toEqual([]);
    });

    test('of drafts, forks and closed ones', async () => {
      const draft = await stage.openPullRequest({ draft: true });
      const fork = await stage.openPullRequest({ fork: true });
      expect(await pullOf(draft)).toMatchObject({ draft: true, fork: false });
      expect(await pullOf(fork)).toMatchObject({ draft: false, fork: true });
      expect(await stage.host.findPullRequestsOfCommit(stage.repository, (await pullOf(fork)).headSha)).toEqual([fork]);
      await stage.close(draft);
      expect((await pullOf(draft)).state).toBe('closed');
    });

    test('that are asked for again are asked cheaply, and are never old', async () => {
      const number = await stage.openPullRequest();
      await pullOf(number);
      const head = await stage.push(number);
      expect((await pullOf(number)).headSha).toBe(head);
      expect((await pullOf(number)).headSha).toBe(head);
    });

    test('of people: permission afresh, teams, reviews', async () => {
      const { host, repository } = stage;
      const permission = (login: string) => host.getPermission(repository, stage.accountOf(login));
      expect(await permission('ann')).toBe('write');
      expect(await permission('bob')).toBe('write');
      expect(await permission('tim')).toBe('triage');
      expect(await permission('eve')).toBe('read');
      expect(await permission('mallory')).toBe('none');
      await stage.dismiss('ann');
      expect(await permission('ann')).toBe('none');
      expect(await host.getPermission(repository, { ...stage.accountOf('bob'), id: '1' })).toBe('none');
      await stage.addTeam('acme', 'platform', ['bob']);
      expect(await host.isTeamMember('acme', 'platform', stage.accountOf('bob'))).toBe(true);
      expect(await host.isTeamMember('acme', 'platform', stage.accountOf('eve'))).toBe(false);
      expect(await host.isTeamMember('acme', 'nobody', stage.accountOf('bob'))).toBe(false);
    });

    test('of reviews: the last opinion of each person', async () => {
      const number = await stage.openPullRequest();
      const { headSha } = await pullOf(number);
      await stage.review(number, 'bob', 'request_changes');
      await stage.review(number, 'bob', 'approve');
      await stage.review(number, 'bob', 'comment');
      await stage.review(number, 'eve', 'comment');
      expect(await stage.host.listReviews(stage.repository, number)).toMatchObject([
        { reviewer: stage.accountOf('bob'), state: 'approved', commitSha: headSha },
      ]);
    });

    test('of who pushed last', async () => {
      const number = await stage.openPullRequest();
      await stage.push(number, 'bob');
      expect(await stage.host.findLastPusher(await pullOf(number))).toEqual(stage.accountOf('bob'));
      const fork = await stage.openPullRequest({ fork: true });
      expect(await stage.host.findLastPusher(await pullOf(fork))).toBeUndefined();
    });

    test('of what is not there: undefined where one looks, a refusal where it must be', async () => {
      await expect(stage.host.getPullRequest(stage.repository, 9_999)).rejects.toBeInstanceOf(HostRefusedError);
    }, 20_000);

    test('of who we are', async () => {
      const me = await stage.host.whoAmI();
      expect(me.login).toMatch(/^holdfast/);
      expect(me).toEqual(await stage.host.whoAmI());
    });

    test('a healthy access has no problems', async () => {
      expect(await stage.host.checkAccess()).toEqual([]);
    });
  });

  describe('git', () => {
    test("reads the head of a pull request, a fork's, too, with a credential for reading", async () => {
      const number = await stage.openPullRequest({ fork: true });
      const { headSha } = await pullOf(number);
      const source = await stage.host.getGitSource(stage.repository);
      const credential = `${source.username}:${source.password?.reveal()}`;
      const header = `http.extraHeader=Authorization: Basic ${Buffer.from(credential).toString('base64')}`;
      const { stdout } = await execa('git', ['-c', header, 'ls-remote', source.url, stage.host.headRefOf(number)], {
        env: { GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' },
      });
      expect(stdout.split('\t')[0]).toBe(headSha);
    });
  });

  describe('mergeable', () => {
    test('when nothing is in the way, though the host has to compute it first', async () => {
      expect(await mergeability(await stage.openPullRequest())).toEqual({ kind: 'mergeable' });
    });

    test('not with a conflict, not as a draft', async () => {
      expect(await mergeability(await stage.openPullRequest({ conflict: true }))).toEqual({ kind: 'conflict' });
      expect(await mergeability(await stage.openPullRequest({ draft: true }))).toMatchObject({ kind: 'blocked' });
    });

    test('when only our own checks are missing; others must be green', async () => {
      await stage.require({ checks: ['holdfast/apply', 'ci'] });
      const number = await stage.openPullRequest();
      expect(await mergeability(number)).toMatchObject({ kind: 'blocked', reasons: [expect.stringContaining('ci')] });
      await stage.report(number, 'ci', 'failure');
      expect(await mergeability(number)).toMatchObject({ kind: 'blocked' });
      await stage.report(number, 'ci', 'success');
      expect(await mergeability(number)).toEqual({ kind: 'mergeable' });
    });

    test('not without the required approvals', async () => {
      await stage.require({ checks: ['holdfast/apply'], approvals: 1 });
      const number = await stage.openPullRequest();
      expect(await mergeability(number)).toMatchObject({ kind: 'blocked' });
      await stage.review(number, 'bob', 'approve');
      expect(await mergeability(number)).toEqual({ kind: 'mergeable' });
    });

    test('not behind a base that wants to be caught up with', async () => {
      await stage.require({ checks: ['holdfast/apply'], upToDate: true });
      const number = await stage.openPullRequest();
      expect(await mergeability(number)).toEqual({ kind: 'mergeable' });
      await stage.pushToBase();
      expect(await mergeability(number)).toMatchObject({
        kind: 'blocked',
        reasons: [expect.stringContaining('behind')],
      });
    });

    test('not of a head that has moved on', async () => {
      const number = await stage.openPullRequest();
      const old = await pullOf(number);
      await stage.push(number);
      expect((await stage.host.getMergeability(old, OWN)).kind).not.toBe('mergeable');
    });
  });

  describe('comments', () => {
    test('are made, edited, found again by their marker, and made out when gone', async () => {
      const { host, repository } = stage;
      const number = await stage.openPullRequest();
      const marker = '<!-- holdfast:plan -->';
      await stage.comment(number, 'eve', `${marker}\nforged`);
      expect(await host.findOwnComment(repository, number, marker)).toBeUndefined();
      const posted = await host.createComment(repository, number, `${marker}\nplanning`);
      expect(await host.updateComment(repository, posted.id, `${marker}\nplanned`, { priority: 'final' })).toBe(true);
      expect((await stage.comments(number)).at(-1)).toMatchObject({ id: posted.id, body: `${marker}\nplanned` });
      expect(await host.findOwnComment(repository, number, marker)).toEqual(posted);
      await stage.deleteComment(posted.id);
      expect(await host.updateComment(repository, posted.id, 'x')).toBe(false);
      expect(await host.findOwnComment(repository, number, marker)).toBeUndefined();
    });

    test('of any text that is within the limit come back as they were', async () => {
      const { host, repository } = stage;
      const number = await stage.openPullRequest();
      const body = `${'é🌍'.repeat(1_000)}\n${'x'.repeat(host.limits.commentLength - 3_001)}`;
      expect(body.length).toBe(host.limits.commentLength);
      await host.createComment(repository, number, body);
      expect((await stage.comments(number)).at(-1)?.body).toBe(body);
      await expect(host.createComment(repository, number, `${body}x`)).rejects.toBeInstanceOf(HostRefusedError);
    });

    test('are folded away, also when one of them is gone', async () => {
      const { host, repository } = stage;
      if (!host.capabilities.minimizeComments) return;
      const number = await stage.openPullRequest();
      const posted = [];
      for (const body of ['one', 'two', 'three']) posted.push(await host.createComment(repository, number, body));
      await stage.deleteComment(posted[1]?.id ?? '');
      await host.minimizeComments(
        repository,
        posted.slice(0, 2).map((comment) => comment.nodeId),
      );
      expect((await stage.comments(number)).map(({ body, minimized }) => [body, minimized])).toEqual([
        ['one', true],
        ['three', false],
      ]);
    });

    test('get a reaction, twice the same once', async () => {
      const number = await stage.openPullRequest();
      const id = await stage.comment(number, 'ann', 'holdfast plan');
      await stage.host.addReaction(stage.repository, id, 'eyes');
      await stage.host.addReaction(stage.repository, id, 'eyes');
      await stage.host.addReaction(stage.repository, id, 'rocket');
      expect((await stage.comments(number)).at(-1)?.reactions).toEqual(['eyes', 'rocket']);
    });
  });

  describe('checks', () => {
    test('are commit statuses, of which the newest counts', async () => {
      const { headSha } = await pullOf(await stage.openPullRequest());
      const status = { context: 'holdfast/plan', description: 'd', url: 'https://holdfast.test/runs/1' };
      await stage.host.setCommitStatus(stage.repository, headSha, { ...status, state: 'pending' });
      await stage.host.setCommitStatus(stage.repository, headSha, { ...status, state: 'success' });
      expect(await stage.statuses(headSha)).toEqual({ 'holdfast/plan': 'success' });
    });

    test('are a check run with buttons, where the host has them for us', async () => {
      const { host, repository } = stage;
      const pull = await pullOf(await stage.openPullRequest());
      const run: CheckRun = {
        name: 'holdfast',
        headSha: pull.headSha,
        externalId: 'batch-7',
        url: 'https://holdfast.test/b/7',
        status: 'in_progress',
        conclusion: undefined,
        title: 'Planning',
        summary: '| project |\n|---|',
        actions: [{ label: 'Apply', description: 'Applies the plans', identifier: 'apply' }],
      };
      if (!host.capabilities.checkRuns) {
        await expect(host.createCheckRun(repository, run)).rejects.toBeInstanceOf(HostRefusedError);
        return;
      }
      expect(await host.findOwnCheckRun(repository, run)).toBeUndefined();
      const id = await host.createCheckRun(repository, run);
      const completed = { ...run, status: 'completed', conclusion: 'success' } as const;
      expect(await host.updateCheckRun(repository, id, completed)).toBe(true);
      expect(await host.updateCheckRun(repository, '999999', completed)).toBe(false);
      await events();
      await stage.pressButton(pull, 'apply', 'bob');
      expect(await events()).toEqual([
        {
          kind: 'button',
          repositoryId: repository.id,
          repositoryFullName: 'acme/infra',
          batchId: 'batch-7',
          identifier: 'apply',
          sender: stage.accountOf('bob'),
        },
      ]);
      // Two pull requests may have one head: the newest of the name need not be the one that is looked for.
      await host.createCheckRun(repository, { ...run, externalId: 'batch-8' });
      expect(await host.findOwnCheckRun(repository, run)).toBe(id);
    });
  });

  describe('merging', () => {
    test('merges the head that was planned, and no other', async () => {
      const number = await stage.openPullRequest();
      const old = await pullOf(number);
      await stage.push(number);
      expect(await stage.host.mergePullRequest(old, old.headSha, 'merge')).toEqual({ kind: 'head_moved' });
      const now = await pullOf(number);
      expect(await stage.host.mergePullRequest(now, now.headSha, undefined)).toMatchObject({ kind: 'merged' });
      expect((await pullOf(number)).state).toBe('merged');
    });

    test('is refused in words', async () => {
      await stage.require({ checks: ['ci'] });
      const pull = await pullOf(await stage.openPullRequest());
      expect(await stage.host.mergePullRequest(pull, pull.headSha, 'merge')).toMatchObject({
        kind: 'refused',
        reason: expect.stringMatching(/\w/),
      });
    });
  });

  describe('events', () => {
    test('tell what happened to a pull request', async () => {
      const number = await stage.openPullRequest();
      await stage.push(number);
      await stage.retarget(number);
      await stage.review(number, 'bob', 'approve');
      await stage.close(number);
      const happened = (await events()).filter((event) => 'number' in event && event.number === number);
      expect(happened.map((event) => ('change' in event ? event.change : event.kind))).toEqual([
        'opened',
        'synchronize',
        'retargeted',
        'review',
        'closed',
      ]);
      expect(happened.every((event) => event.repositoryId === stage.repository.id)).toBe(true);
    });

    test("tell people's comments from ours", async () => {
      const number = await stage.openPullRequest();
      await events();
      await stage.comment(number, 'ann', 'holdfast plan');
      await stage.host.createComment(stage.repository, number, 'planned');
      expect(await events()).toMatchObject([
        { kind: 'comment', number, body: 'holdfast plan', author: stage.accountOf('ann'), own: false },
        { kind: 'comment', number, body: 'planned', own: true },
      ]);
    });

    test('tell that the base moved', async () => {
      await stage.pushToBase();
      expect(await events()).toMatchObject([{ kind: 'push', branch: 'main', repositoryFullName: 'acme/infra' }]);
    });
  });

  describe('a repository that is renamed', () => {
    test('is read and written under the name we know, and told by an event', async () => {
      const { host, repository } = stage;
      const number = await stage.openPullRequest();
      await events();
      await stage.rename('platform');
      expect(await events()).toMatchObject([
        { kind: 'repository', change: 'renamed', repositoryId: repository.id, repositoryFullName: 'acme/platform' },
      ]);
      expect(await host.getRepository(repository)).toMatchObject({ id: repository.id, name: 'platform' });
      expect((await pullOf(number)).repository.name).toBe('platform');
      const { id } = await host.createComment(repository, number, 'still here');
      expect(await host.updateComment(repository, id, 'still here, edited')).toBe(true);
      const { headSha } = await pullOf(number);
      await host.setCommitStatus(repository, headSha, {
        context: 'c',
        state: 'success',
        description: '',
        url: 'https://h.test',
      });
      expect((await stage.comments(number)).map((comment) => comment.body)).toEqual(['still here, edited']);
      expect(await stage.statuses(headSha)).toEqual({ c: 'success' });
    });
  });

  describe('trouble', () => {
    test('a host that is down is unavailable, and as before when it is back', async () => {
      const number = await stage.openPullRequest();
      stage.offline(true);
      await expect(pullOf(number)).rejects.toBeInstanceOf(HostUnavailableError);
      await expect(stage.host.createComment(stage.repository, number, 'x')).rejects.toBeInstanceOf(
        HostUnavailableError,
      );
      stage.offline(false);
      expect((await pullOf(number)).number).toBe(number);
      expect(await stage.comments(number)).toEqual([]);
    });

    test('a write whose answer is lost is told as such and not repeated', async () => {
      const number = await stage.openPullRequest();
      await stage.host.createComment(stage.repository, number, 'first');
      stage.loseNextAnswer();
      await expect(stage.host.createComment(stage.repository, number, 'MARK second')).rejects.toBeInstanceOf(
        HostUnavailableError,
      );
      expect((await stage.comments(number)).map((comment) => comment.body)).toEqual(['first', 'MARK second']);
      expect(await stage.host.findOwnComment(stage.repository, number, 'MARK')).toBeDefined();
    });

    test('a limit is waited for outside, and nothing is sent before', async () => {
      const number = await stage.openPullRequest();
      await pullOf(number);
      stage.requestCount();
      stage.limitNext(60);
      const error = await pullOf(number).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(HostUnavailableError);
      const wait = (error as HostUnavailableError).retryAt.getTime() - Date.now();
      expect(wait).toBeGreaterThan(50_000);
      expect(wait).toBeLessThan(70_000);
      await expect(stage.host.listReviews(stage.repository, number)).rejects.toBeInstanceOf(HostUnavailableError);
      expect(stage.requestCount()).toBe(1);
    });

    test('deliveries that did not arrive can be had again, where the host keeps them', async () => {
      const since = new Date(Date.now() - 3 * 24 * 3_600_000);
      await stage.sent();
      stage.unreachable(true);
      const number = await stage.openPullRequest();
      await stage.sent();
      stage.unreachable(false);
      const failed = await stage.host.listFailedDeliveries(since);
      for (const { hostId } of failed) await stage.host.redeliver(hostId);
      const again = await events();
      expect(again.some((event) => event.kind === 'pull_request' && event.number === number)).toBe(failed.length > 0);
      expect(failed.length > 0).toBe(stage.host.capabilities.checkRuns);
    });
  });
});
