import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { createGithubHost, type GithubAuth } from '../../src/adapters/github/github-host.ts';
import { usedEvents, usedPermissions } from '../../src/adapters/github/permissions.ts';
import { createGithubWebhookSource } from '../../src/adapters/github/webhook-source.ts';
import { Secret } from '../../src/lib/secret.ts';
import { createGithubServer, type GithubServer } from '../servers/github/github-server.ts';
import type { Issue, Repository as FakeRepository } from '../servers/github/state/model.ts';
import type { IssueStage, VcsHostStage } from './vcs-host-stage.ts';

const SECRET = 'a webhook secret';
/** Waits a twentieth of what it is told: the local server needs no time to compute. */
const hurriedClock = { now: () => Date.now(), sleep: (ms: number) => setTimeout(ms / 20).then(() => undefined) };
const silent = { debug: () => undefined, warn: () => undefined };

/** Answers 202 to every webhook, as our door does. */
async function startDoor() {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(202).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}/webhooks/github`, close };
}

function authFor(mode: 'token' | 'app', github: GithubServer, repository: FakeRepository): GithubAuth {
  if (mode === 'token') return { kind: 'token', token: new Secret(github.createToken('holdfast-bot')) };
  const app = github.createApp({
    name: 'Holdfast',
    owner: 'acme',
    permissions: usedPermissions,
    events: [...usedEvents],
  });
  github.installApp(app, 'acme', [repository]);
  return { kind: 'app', appId: String(app.id), privateKey: new Secret(app.privateKey) };
}

async function startGithub(url: string) {
  const github = await createGithubServer({ webhook: { url, secret: SECRET } });
  github.createOrganization('acme');
  github.createUser('mallory');
  const repository = await github.createRepository({
    owner: 'acme',
    name: 'infra',
    files: { 'main.tf': 'a\n' },
    roles: { 'holdfast-bot': 'admin', ann: 'write', bob: 'maintain', tim: 'triage', eve: 'read', ci: 'write' },
  });
  return { github, repository };
}

function issueStage(github: GithubServer, repository: FakeRepository): IssueStage {
  const issueOf = (number: number) => issueIn(github, repository, number);
  return {
    openIssue: async (login, body) => github.openIssue(repository, { title: 'A title', author: login, body }).number,
    issue: async (number) => {
      const { title, body, author, state, stateReason, labels, assignees } = issueOf(number);
      return {
        title,
        body: body ?? '',
        author: author.login,
        state,
        reason: state === 'closed' ? (stateReason ?? undefined) : undefined,
        labels: labels.map(({ name }) => name),
        assignees: assignees.map((account) => account.login),
      };
    },
    closeIssue: async (number, login) => github.closeIssue(issueOf(number), login),
    reopenIssue: async (number, login) => github.reopenIssue(issueOf(number), login),
    lockIssue: async (number, locked) =>
      locked ? github.lockIssue(issueOf(number), 'acme') : github.unlockIssue(issueOf(number), 'acme'),
    deleteIssue: async (number) => github.deleteIssue(issueOf(number), 'acme'),
    transferIssue: async (number) => {
      const order = { owner: 'acme', name: 'other', files: { x: '' }, roles: { 'holdfast-bot': 'write' } } as const;
      const other = await github.createRepository(order);
      const moved = github.transferIssue(issueOf(number), other, 'acme');
      return { repositoryId: String(other.id), number: moved.number };
    },
    switchIssues: async (on) => github.switchIssues(repository, on),
  };
}

function issueIn(github: GithubServer, repository: FakeRepository, number: number): Issue {
  const issue = github.issue(repository, number);
  if (!issue) throw new Error(`there is no issue ${number}`);
  return issue;
}

/** The local GitHub as a stage, seen with a token or as an App. */
export async function createGithubStage(mode: 'token' | 'app'): Promise<VcsHostStage> {
  const door = await startDoor();
  const { github, repository } = await startGithub(door.url);
  const ci = github.createToken('ci');
  const host = createGithubHost({
    apiUrl: github.apiUrl,
    cloneUrlTemplate: github.cloneUrlTemplate,
    auth: authFor(mode, github, repository),
    log: silent,
    clock: hurriedClock,
  });
  const found = await host.findRepository('acme/infra');
  if (!found) throw new Error('the stage has no repository');
  github.clearBooks();
  let branches = 0;
  let seen = github.deliveries.length;
  const pullOf = (number: number) => github.pullRequest(repository, number);

  return {
    host,
    webhooks: createGithubWebhookSource({ secrets: [new Secret(SECRET)], maxBytes: 1024 * 1024 }),
    repository: found,
    accountOf: (login) => {
      const { id } = github.createUser(login);
      return { id: String(id), login };
    },
    openPullRequest: async ({ fork = false, draft = false, conflict = false } = {}) => {
      branches += 1;
      const files = { 'main.tf': `${branches}\n` };
      const order = { author: 'ann', title: `Change ${branches}`, files, branch: `b${branches}`, fork, draft };
      const pull = await github.openPullRequest(repository, order);
      if (conflict) await github.commitFile(repository, { 'main.tf': 'something else\n' });
      return pull.issue.number;
    },
    push: (number, author = 'ann') =>
      github.pushToPullRequest(pullOf(number), { 'more.tf': `${Math.random()}\n` }, { author }),
    pushToBase: async () => {
      await github.commitFile(repository, { 'other.tf': `${Math.random()}\n` });
    },
    retarget: async (number) => {
      await github.commitFile(repository, { 'release.tf': 'r\n' }, { branch: 'release' });
      await github.retarget(pullOf(number), 'release', 'ann');
    },
    merge: async (number) => {
      await github.merge(pullOf(number), 'bob');
    },
    close: (number) => github.closePullRequest(pullOf(number), 'ann'),
    label: async (number, label) => github.addLabel(pullOf(number), label),
    ...issueStage(github, repository),
    comment: async (number, login, body) => String(github.comment(issueIn(github, repository, number), login, body).id),
    editComment: async (id, login, body) => {
      const comment = repository.comments.get(Number(id));
      if (comment) github.editComment(repository, comment, body, login);
    },
    deleteComment: async (id) => {
      repository.comments.delete(Number(id));
    },
    comments: async (number) =>
      github.comments(issueIn(github, repository, number)).map((comment) => ({
        id: String(comment.id),
        author: comment.author.login,
        body: comment.body,
        minimized: comment.minimizedReason !== undefined,
        reactions: comment.reactions.map((reaction) => reaction.content),
      })),
    review: async (number, login, opinion) => {
      const states = { approve: 'APPROVED', request_changes: 'CHANGES_REQUESTED', comment: 'COMMENTED' } as const;
      github.review(pullOf(number), login, states[opinion], 'said');
    },
    addTeam: async (organisation, team, members) => {
      github.createTeam(organisation, team, members);
    },
    require: async ({ checks = [], approvals, upToDate = false }) => {
      github.protectBranch(repository, 'main', { checks, strict: upToDate, ...(approvals ? { approvals } : {}) });
    },
    report: async (number, name, state) => {
      const url = `${github.apiUrl}/repos/acme/${repository.name}/statuses/${pullOf(number).headSha}`;
      const headers = { authorization: `token ${ci}`, 'content-type': 'application/json' };
      const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ context: name, state }) });
      if (answer.status !== 201) throw new Error(`the check was not taken: ${answer.status}`);
    },
    statuses: async (sha) =>
      Object.fromEntries(repository.statuses.filter((one) => one.sha === sha).map((one) => [one.context, one.state])),
    pressButton: async (pull, identifier, login) => {
      const run = github.checkRuns(pullOf(pull.number)).at(-1);
      if (!run) throw new Error('there is no check run');
      await github.pressButton(repository, run, identifier, login);
    },
    rename: async (name) => github.renameRepository(repository, name),
    dismiss: async (login) => {
      repository.roles.delete(github.createUser(login).id);
    },
    offline: (yes) => {
      github.faults.offline = yes ? 'unavailable' : false;
    },
    loseNextAnswer: () => github.faults.add({ method: 'POST', path: /\/(comments|issues)$/, dropConnection: 'after' }),
    limitNext: (seconds) =>
      github.faults.add({
        path: /./,
        status: 403,
        headers: { 'retry-after': String(seconds) },
        body: { message: 'You have exceeded a secondary rate limit.' },
      }),
    unreachable: (yes) => {
      github.hub.hooks.unreachable = yes;
    },
    sent: async () => {
      await github.settled();
      const fresh = github.deliveries.slice(seen);
      seen = github.deliveries.length;
      return fresh.map(({ headers, body }) => ({ headers, body: Buffer.from(body) }));
    },
    requestCount: () => {
      const { calls } = github.counts;
      github.requests.length = 0;
      return calls;
    },
    assertClean: () => github.assertClean(),
    [Symbol.asyncDispose]: async () => {
      await github.close();
      await door.close();
    },
  };
}
