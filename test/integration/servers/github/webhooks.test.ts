import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { afterEach, describe, expect, test } from 'vitest';
import type { GithubServer } from '../../../servers/github/github-server.ts';
import { clientOf, jwtOf, REPO, smallGithub } from './small-github.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
  readonly payload: Record<string, unknown>;
}

interface Receiver extends Disposable {
  readonly url: string;
  readonly received: Received[];
  status: number;
}

const opened: Disposable[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one[Symbol.dispose]();
});

async function receiver(delayMs = 0): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString();
      received.push({ headers: request.headers, raw, payload: JSON.parse(raw) as Record<string, unknown> });
      setTimeout(() => response.writeHead(one.status).end('thanks'), delayMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const one: Receiver = {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    status: 202,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  opened.push(one);
  return one;
}

/** GitHub's published schemas of the payloads. */
function payloadSchemas() {
  const text = readFileSync(new URL('../../../servers/github/openapi/github-webhooks.json', import.meta.url), 'utf8');
  const { webhooks, components } = JSON.parse(
    text.replaceAll('"#/components/schemas/', '"hooks#/components/schemas/'),
  ) as {
    webhooks: Record<string, object>;
    components: object;
  };
  const ajv = new Ajv({ strict: false });
  addFormats.default(ajv, ['date', 'date-time', 'email', 'uri', 'uuid']);
  for (const format of ['uri-template', 'int64', 'int32']) ajv.addFormat(format, true);
  ajv.addSchema({ components }, 'hooks');
  return (event: string, payload: Record<string, unknown>): string[] => {
    const action = typeof payload['action'] === 'string' ? `-${payload['action']}` : '';
    const name = `${event}${action}`.replaceAll('_', '-');
    const schema = webhooks[name];
    if (schema === undefined) return [`no schema for ${name}`];
    const valid = ajv.validate(schema, payload);
    return valid
      ? []
      : (ajv.errors ?? []).map(
          (error) => `${name}${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
        );
  };
}

const SUBSCRIBED = ['push', 'pull_request', 'issue_comment', 'pull_request_review', 'repository'];

async function withApp(github: GithubServer, events: readonly string[] = SUBSCRIBED) {
  const permissions = { contents: 'write', pull_requests: 'write', checks: 'write', statuses: 'write' } as const;
  const app = github.createApp({ name: 'Holdfast', owner: 'acme', permissions, events });
  const installation = github.installApp(app, 'acme');
  const asApp = clientOf(github.apiUrl, jwtOf(app));
  const { body } = await asApp('POST', `/app/installations/${installation.id}/access_tokens`, {});
  return { app, installation, asApp, api: clientOf(github.apiUrl, String(body['token'])) };
}

const eventsOf = (hook: Receiver) =>
  hook.received.map(({ headers, payload }) => `${headers['x-github-event']} ${payload['action'] ?? ''}`.trim());

const KINDS = [
  'push',
  'pull_request opened',
  'pull_request synchronize',
  'pull_request converted_to_draft',
  'pull_request ready_for_review',
  'pull_request edited',
  'pull_request closed',
  'pull_request reopened',
  'issue_comment created',
  'issue_comment edited',
  'pull_request_review submitted',
  'pull_request_review dismissed',
  'check_run requested_action',
  'check_run rerequested',
  'check_suite rerequested',
  'repository renamed',
  'repository edited',
  'repository archived',
  'repository unarchived',
];

describe('payloads', () => {
  test('every kind is what GitHub describes, and carries the installation', async () => {
    const hook = await receiver();
    await using small = await smallGithub({ webhook: { url: hook.url, secret: 's' } });
    const { github, repository, pull } = small;
    const { installation, api } = await withApp(github);
    await github.pushToPullRequest(pull, { 'main.tf': 'c\n' });
    await github.pushToPullRequest(pull, { 'main.tf': 'd\n' }, { force: true });
    await github.setDraft(pull, true, 'ann');
    await github.setDraft(pull, false, 'ann');
    await github.commitFile(repository, { x: 'x' }, { branch: 'release' });
    await github.retarget(pull, 'release', 'ann');
    const comment = github.comment(pull, 'ann', 'plan');
    github.editComment(repository, comment, 'apply', 'ann');
    const review = github.review(pull, 'bob', 'APPROVED', 'good');
    github.dismissReview(pull, review, 'bob');
    const run = {
      name: 'Holdfast',
      head_sha: pull.headSha,
      conclusion: 'success',
      actions: [{ label: 'A', description: 'B', identifier: 'apply' }],
    };
    await api('POST', `${REPO}/check-runs`, run);
    const [made] = github.checkRuns(pull);
    if (made === undefined) throw new Error('No check run was made.');
    await github.pressButton(repository, made, 'apply', 'bob');
    await github.rerequestCheckRun(repository, made, 'bob');
    await github.rerequestCheckSuite(repository, made, 'bob');
    await github.closePullRequest(pull, 'ann');
    await github.reopenPullRequest(pull, 'ann');
    github.renameRepository(repository, 'platform');
    await github.renameDefaultBranch(repository, 'trunk');
    github.archiveRepository(repository);
    github.archiveRepository(repository, false);
    await github.merge(pull, 'bob');
    await github.settled();

    const check = payloadSchemas();
    const after = hook.received.filter(({ payload }) => payload['installation'] !== undefined);
    expect(after.flatMap(({ headers, payload }) => check(String(headers['x-github-event']), payload))).toEqual([]);
    expect(after.every(({ payload }) => (payload['installation'] as { id: number }).id === installation.id)).toBe(true);
    expect([...new Set(eventsOf(hook))].toSorted()).toEqual(KINDS.toSorted());
  });

  test('of a repository hook are too: fork, issue, edits, transfer, deletion', async () => {
    const hook = await receiver();
    await using small = await smallGithub({ webhook: { url: hook.url, secret: 's' } });
    const { github, repository, pull, api } = small;
    await github.openPullRequest(repository, { author: 'eve', title: 'Fork', files: { f: '' }, fork: true });
    const issue = github.openIssue(repository, { title: 'Question', author: 'eve' });
    github.comment(issue, 'ann', 'holdfast plan');
    await github.editPullRequest(pull, { title: 'Better title' }, 'ann');
    const { body } = await api('POST', `${REPO}/issues/1/comments`, { body: 'x' });
    await api('DELETE', `${REPO}/issues/comments/${body['id']}`);
    await github.deleteBranch(repository, pull.headRef, 'ann');
    github.transferRepository(repository, 'someone');
    github.deleteRepository(repository);
    await github.settled();
    const check = payloadSchemas();
    expect(hook.received.flatMap(({ headers, payload }) => check(String(headers['x-github-event']), payload))).toEqual(
      [],
    );
    expect(eventsOf(hook).slice(-2)).toEqual(['repository transferred', 'repository deleted']);
    expect(pull.issue.state).toBe('closed');
    const onIssue = hook.received.find(
      ({ payload }) => (payload['issue'] as { number?: number } | undefined)?.number === issue.number,
    );
    expect(onIssue?.payload['issue']).not.toHaveProperty('pull_request');
  });

  test('of issues are what GitHub describes, one for each thing that happened', async () => {
    const hook = await receiver();
    await using small = await smallGithub({ webhook: { url: hook.url, secret: 's' } });
    const { github, repository } = small;
    const other = await github.createRepository({ owner: 'acme', name: 'other', files: { x: '' } });
    await withApp(github, ['issues', 'issue_comment']);
    await github.settled();
    hook.received.length = 0;
    const issue = github.openIssue(repository, { title: 'Drift', author: 'ann', labels: ['a'], assignees: ['bob'] });
    github.labelIssue(issue, ['b'], 'ann');
    github.assignIssue(issue, ['ann'], 'ann');
    github.editIssue(issue, { title: 'Less drift', body: 'new' }, 'ann');
    github.editIssue(issue, { title: 'Less drift' }, 'ann');
    github.closeIssue(issue, 'ann', 'not_planned');
    github.closeIssue(issue, 'ann');
    github.reopenIssue(issue, 'ann');
    github.lockIssue(issue, 'bob', 'resolved');
    github.unlockIssue(issue, 'bob');
    const comment = github.comment(issue, 'ann', 'holdfast plan');
    github.editComment(repository, comment, 'holdfast help', 'ann');
    github.deleteComment(repository, comment, 'ann');
    const moved = github.transferIssue(issue, other, 'acme');
    github.deleteIssue(moved, 'acme');
    await github.settled();
    const check = payloadSchemas();
    const problems = hook.received.flatMap(({ headers, payload }) => check(String(headers['x-github-event']), payload));
    expect(problems).toEqual([]);
    expect(eventsOf(hook).toSorted()).toEqual(
      [
        ...['opened', 'labeled', 'assigned', 'unlabeled', 'labeled', 'unassigned', 'assigned', 'edited', 'closed'],
        ...['reopened', 'locked', 'unlocked', 'transferred', 'opened', 'deleted'],
      ]
        .map((action) => `issues ${action}`)
        .concat('issue_comment created', 'issue_comment edited', 'issue_comment deleted')
        .toSorted(),
    );
    const sent = (action: string) => hook.received.find(({ payload }) => payload['action'] === action)?.payload;
    expect(sent('transferred')).toMatchObject({
      issue: { number: issue.number },
      repository: { full_name: 'acme/infra' },
      changes: { new_issue: { number: moved.number }, new_repository: { full_name: 'acme/other' } },
    });
    expect(sent('closed')).toMatchObject({ issue: { state: 'closed', state_reason: 'not_planned' } });
  });

  test('say what changed', async () => {
    const hook = await receiver();
    await using small = await smallGithub({ webhook: { url: hook.url, secret: 's' } });
    const { github, pull, repository } = small;
    const before = pull.headSha;
    const after = await github.pushToPullRequest(pull, { 'main.tf': 'c\n' });
    await github.commitFile(repository, { x: 'x' }, { branch: 'release' });
    await github.retarget(pull, 'release', 'ann');
    github.review(pull, 'bob', 'CHANGES_REQUESTED');
    await github.settled();
    const find = (event: string, action?: string) =>
      hook.received.find(({ headers, payload }) => headers['x-github-event'] === event && payload['action'] === action)
        ?.payload;
    expect(find('pull_request', 'synchronize')).toMatchObject({ before, after, number: 1, sender: { login: 'ann' } });
    expect(find('pull_request', 'edited')).toMatchObject({ changes: { base: { ref: { from: 'main' } } } });
    expect(find('pull_request_review', 'submitted')).toMatchObject({ review: { state: 'changes_requested' } });
    expect(find('issue_comment', 'created')).toBeUndefined();
  });

  test('without an App they come from the repository, and of events an App did not ask for there are none', async () => {
    const hook = await receiver();
    await using small = await smallGithub({ webhook: { url: hook.url, secret: 's' } });
    await small.github.settled();
    expect(hook.received[0]?.headers['x-github-hook-installation-target-type']).toBe('repository');
    const app = small.github.createApp({ name: 'Quiet', owner: 'acme', permissions: {}, events: ['push'] });
    small.github.installApp(app, 'acme');
    const count = hook.received.length;
    small.github.comment(small.pull, 'ann', 'hi');
    await small.github.settled();
    expect(hook.received).toHaveLength(count);
  });
});

describe('deliveries', () => {
  test('are signed over the raw bytes and carry a GUID', async () => {
    const hook = await receiver();
    await using small = await smallGithub({ webhook: { url: hook.url, secret: "It's a Secret to Everybody" } });
    await small.github.settled();
    for (const { headers, raw } of hook.received) {
      const hmac = createHmac('sha256', "It's a Secret to Everybody").update(raw).digest('hex');
      expect(headers['x-hub-signature-256']).toBe(`sha256=${hmac}`);
      expect(headers['x-github-delivery']).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-/);
      expect(headers['user-agent']).toMatch(/^GitHub-Hookshot\//);
    }
  });

  test('that fail are not repeated, are listed by page, and are sent again with the same GUID', async () => {
    const hook = await receiver();
    await using small = await smallGithub({ webhook: { url: hook.url, secret: 's' } });
    const { asApp } = await withApp(small.github);
    await small.github.settled();
    hook.received.length = 0;
    hook.status = 500;
    for (const text of ['one', 'two', 'three']) small.github.comment(small.pull, 'ann', text);
    await small.github.settled();
    expect(hook.received).toHaveLength(3);

    const first = await asApp('GET', '/app/hook/deliveries?status=failure&per_page=2');
    expect(first.list.map((one) => one['status_code'])).toEqual([500, 500]);
    const next = /<[^>]*(\/app\/hook[^>]*)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await asApp('GET', next);
    expect(second.list).toHaveLength(1);

    hook.status = 202;
    const [failed] = second.list;
    expect((await asApp('POST', `/app/hook/deliveries/${failed?.['id']}/attempts`)).status).toBe(202);
    await small.github.settled();
    expect(hook.received.at(-1)?.headers['x-github-delivery']).toBe(failed?.['guid']);
    expect((await asApp('GET', '/app/hook/deliveries?status=success')).list[0]).toMatchObject({
      guid: failed?.['guid'],
      redelivery: true,
    });
  });

  test('end after the time-out, and when nobody is there', async () => {
    const slow = await receiver(2_000);
    await using small = await smallGithub({ webhookTimeoutMs: 200 });
    small.github.setWebhook({ url: slow.url, secret: 's' });
    small.github.comment(small.pull, 'ann', 'x');
    await small.github.settled();
    expect(small.github.deliveries.at(-1)).toMatchObject({ statusCode: 0, status: 'timed out' });
    small.github.setWebhook({ url: 'http://127.0.0.1:1/', secret: 's' });
    small.github.comment(small.pull, 'ann', 'x');
    await small.github.settled();
    expect(small.github.deliveries.at(-1)).toMatchObject({ statusCode: 0, status: 'failed to connect to host' });
  });
});
